"""What Twilio says of numbers and texts before it takes a message. Pure.

The numbers that begin with +1500555 do what Twilio's magic numbers do:
https://www.twilio.com/docs/iam/test-credentials#test-sms-messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from emulators.twilio.errors import ApiError, invalid

MAX_BODY = 1_600
_E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_SERVICE = re.compile(r"MG[0-9a-f]{32}\Z")
# Letters instead of a number, where a country allows it.
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 +&_-]{1,11}\Z")
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = frozenset("^{}\\[~]|€")

# The number: status, code and message of what is answered.
_TO = {
    "+15005550001": (400, 21211, "The 'To' number +15005550001 is not a valid phone number."),
    "+15005550002": (400, 21612, "The 'To' phone number +15005550002 is not currently reachable via SMS"),
    "+15005550003": (
        403,
        21408,
        "Permission to send an SMS has not been enabled for the region of the 'To' number",
    ),
    "+15005550004": (400, 21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (400, 21614, "'To' number +15005550009 is not a mobile number"),
}
_FROM = {
    "+15005550001": (400, 21212, "The 'From' number +15005550001 is not a valid phone number."),
    "+15005550007": (
        400,
        21606,
        "The 'From' number +15005550007 is not a valid message-capable Twilio number",
    ),
    "+15005550008": (429, 21611, "This 'From' number has exceeded the maximum number of queued messages"),
}


def check(form: Mapping[str, str]) -> None:
    """ApiError for a message that Twilio does not take."""
    to, sender, service = form.get("To", ""), form.get("From", ""), form.get("MessagingServiceSid", "")
    if not to:
        raise invalid(21604, "A 'To' phone number is required.")
    if not sender and not service:
        raise invalid(21603, "A 'From' phone number is required.")
    if to in _TO:
        raise ApiError(*_TO[to])
    if not _E164.match(to):
        raise invalid(21211, f"The 'To' number {to} is not a valid phone number.")
    if service and not _SERVICE.match(service):
        raise invalid(21701, "The Messaging Service does not exist")
    if sender in _FROM:
        raise ApiError(*_FROM[sender])
    if sender and not _E164.match(sender) and not _ALPHANUMERIC.match(sender):
        raise invalid(21212, f"The 'From' number {sender} is not a valid phone number.")
    if to == sender:
        raise invalid(21266, "'To' and 'From' number cannot be the same")
    body = form.get("Body", "")
    if not body:
        raise invalid(21602, "Message body is required.")
    if len(body) > MAX_BODY:
        raise invalid(21617, "The concatenated message body exceeds the 1600 character limit.")
    callback = form.get("StatusCallback", "")
    if callback and not callback.startswith(("http://", "https://")):
        raise invalid(21609, f"The 'StatusCallback' URL {callback} is not a valid URL.")


def segments(body: str) -> int:
    """In how many parts a text goes over the air: 160 letters of GSM-7 or 70 of UCS-2, fewer in several."""
    if all(letter in _GSM or letter in _GSM_TWICE for letter in body):
        length, whole, part = sum(2 if letter in _GSM_TWICE else 1 for letter in body), 160, 153
    else:
        length, whole, part = len(body.encode("utf-16-be")) // 2, 70, 67
    return 1 if length <= whole else -(-length // part)
