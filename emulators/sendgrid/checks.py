"""What SendGrid asks of a mail, in its own words. Pure.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send, and the limits beside it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from emulators.sendgrid.errors import Problem, ServiceError, unsupported

MAX_RECIPIENTS = 1_000
_MAX_ARGS = 10_000
_ADDRESS = re.compile(r"[^\s@<>,;\"()]+@[^\s@<>,;\"()]+\.?[^\s@<>,;\"()]*\Z")
_KNOWN = frozenset(
    {"personalizations", "from", "reply_to", "subject", "content", "attachments", "custom_args"}
    | {"tracking_settings", "headers", "categories"}
)
_PERSONAL = frozenset({"to", "cc", "bcc", "subject", "custom_args", "headers"})
_ORDER = {"text/plain": 0, "text/html": 1}


def check(body: Any) -> dict[str, Any]:
    """A mail as it is sent. ServiceError 400 with all that is wrong, 501 for what is not done here."""
    if not isinstance(body, dict):
        raise ServiceError(400, [Problem("Bad Request")])
    for key in body.keys() - _KNOWN:
        raise unsupported(f"the field {key}")
    if problems := list(_problems(body)):
        raise ServiceError(400, problems)
    return body


def recipients(mail: Mapping[str, Any]) -> list[str]:
    """All addresses that a mail goes to, in order."""
    return [
        each["email"]
        for personal in mail["personalizations"]
        for key in ("to", "cc", "bcc")
        for each in personal.get(key) or ()
    ]


def _problems(body: Mapping[str, Any]) -> Iterator[Problem]:
    yield from _personalizations(body)
    yield from _sender(body.get("from"))
    if not (_is_text(body.get("subject")) or _all_have_subjects(body)):
        yield Problem(
            "The subject is required. You can get around this requirement if you use a template with a "
            "subject defined or if every personalization has a subject defined.",
            "subject",
            "message.subject",
        )
    yield from _content(body.get("content"))
    yield from _attachments(body.get("attachments"))
    args = body.get("custom_args") or {}
    if not isinstance(args, dict) or not all(isinstance(value, str) for value in args.values()):
        yield Problem("The custom_args values must be strings.", "custom_args", "message.custom_args")
    elif len(json.dumps(args).encode()) >= _MAX_ARGS:
        yield Problem("The custom_args must be less than 10,000 bytes.", "custom_args", "message.custom_args")


def _personalizations(body: Mapping[str, Any]) -> Iterator[Problem]:
    given = body.get("personalizations")
    if not isinstance(given, list) or not given:
        yield Problem(
            "The personalizations field is required and must have at least one personalization.",
            "personalizations",
            "-Personalizations-Errors",
        )
        return
    count = 0
    for place, personal in enumerate(given):
        at = f"personalizations.{place}"
        if not isinstance(personal, dict):
            yield Problem("Bad Request", at)
            continue
        for key in personal.keys() - _PERSONAL:
            raise unsupported(f"the field {at}.{key}")
        if not personal.get("to"):
            yield Problem(
                "The to array is required for all personalization objects, and must have at least one email "
                "object with a valid email address.",
                f"{at}.to",
                "message.personalizations.to",
            )
        seen: set[str] = set()
        for key in ("to", "cc", "bcc"):
            for number, each in enumerate(personal.get(key) or ()):
                count += 1
                address = each.get("email") if isinstance(each, dict) else None
                if not isinstance(address, str) or not _ADDRESS.match(address):
                    yield Problem("Does not contain a valid address.", f"{at}.{key}.{number}.email")
                elif address.casefold() in seen:
                    yield Problem(
                        "Each email address in the personalization block should be unique between to, cc, "
                        f"and bcc. We found the first duplicate instance of [{address}] in the {at}.{key} "
                        "field.",
                        at,
                        "message.recipient-errors",
                    )
                else:
                    seen.add(address.casefold())
    if count > MAX_RECIPIENTS:
        yield Problem(f"There are more than {MAX_RECIPIENTS} recipients.", "personalizations")


def _sender(given: Any) -> Iterator[Problem]:
    address = given.get("email") if isinstance(given, dict) else None
    if not isinstance(address, str) or not address:
        yield Problem(
            "The from object must be provided for every email send. It is an object that requires the email "
            'parameter, but may also contain a name parameter. e.g. {"email" : "example@example.com"} or '
            '{"email" : "example@example.com", "name" : "Example Recipient"}.',
            "from.email",
            "message.from",
        )
    elif not _ADDRESS.match(address):
        yield Problem("The from email does not contain a valid address.", "from.email", "message.from")


def _content(given: Any) -> Iterator[Problem]:
    if not isinstance(given, list) or not given:
        yield Problem(
            "Unless a valid template_id is provided, the content parameter is required. There must be at "
            "least one defined content block. We typically suggest both text/plain and text/html blocks are "
            "included, but only one block is required.",
            "content",
            "message.content",
        )
        return
    for place, block in enumerate(given):
        if not isinstance(block, dict) or not _is_text(block.get("type")):
            yield Problem("The content type is required.", f"content.{place}.type", "message.content.type")
        elif not _is_text(block.get("value")):
            yield Problem(
                "The content value must be a string at least one character in length.",
                f"content.{place}.value",
                "message.content.value",
            )
    ranks = [_ORDER.get(str(block.get("type")), 2) if isinstance(block, dict) else 2 for block in given]
    if ranks != sorted(ranks):
        yield Problem(
            "If present, text/plain and text/html may only be provided once, with text/plain first, followed "
            "by text/html, followed by any other content.",
            "content",
            "message.content",
        )


def _attachments(given: Any) -> Iterator[Problem]:
    for place, each in enumerate(given or ()):
        at, topic = f"attachments.{place}", "message.attachments"
        if not isinstance(each, dict) or not _is_text(each.get("content")):
            yield Problem("The attachment content is required.", f"{at}.content", f"{topic}.content")
            continue
        try:
            base64.b64decode(each["content"], validate=True)
        except (binascii.Error, ValueError):
            yield Problem(
                "The attachment content must be base64 encoded.", f"{at}.content", f"{topic}.content"
            )
        if not _is_text(each.get("filename")):
            yield Problem("The attachment filename is required.", f"{at}.filename", f"{topic}.filename")
        kind = each.get("type")
        if kind is not None and (not _is_text(kind) or re.search(r"[;\r\n]", kind)):
            yield Problem(
                "The attachment type cannot contain ';', or CRLF characters.", f"{at}.type", f"{topic}.type"
            )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _all_have_subjects(body: Mapping[str, Any]) -> bool:
    given = body.get("personalizations")
    return (
        isinstance(given, list)
        and bool(given)
        and all(isinstance(personal, dict) and _is_text(personal.get("subject")) for personal in given)
    )
