"""From a delivery to text messages: what an ``smsMsg`` may say, and what is refused. Pure.

What is refused is named by its place and reason, never by its content: texts hold codes that let people in.
"""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

import msgspec

from fulcrum.core import ids
from shared import outbox
from shared.envelope import Delivery
from shared.errors import Rejected
from shared.send_limits import Limit

MAX_RECIPIENTS = 50
# The most that providers cut into parts and join again at the other end.
MAX_CHARACTERS = 1_600
MAX_BYTES = 200_000
# E.164: a plus, the country's number, 15 digits at most.
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_SPACING = str.maketrans("", "", " ()-.\u00a0")


class _Message(msgspec.Struct, rename="camel", kw_only=True):
    type: Literal["smsMsg"]
    id: str | None = None
    project_id: str | None = None
    recipients: str | list[str] | None = None
    message: str | None = None
    template: str | None = None
    template_id: str | None = None
    context: dict[str, Any] = {}
    confidential: bool = False
    limit_options: Limit | None = None


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """One text message, to numbers (E.164) each of which gets it by itself.

    ``named``: what names it, the same at every delivery. ``source``: the id of the message that asked for it,
    if it has one. ``message_id``: of the delivery; ``place``, ``data``: where it is in that, and its bytes.
    """

    named: tuple[str, ...]
    project_id: str
    source: str | None
    message_id: str
    place: int
    data: bytes
    recipients: list[str]
    message: str | None
    template: str | None
    context: dict[str, Any]
    confidential: bool
    limit_options: Limit | None

    def id_for(self, recipient: str) -> str:
        """The id under which a number gets it."""
        return ids.digest("sms", self.project_id, *self.named, recipient)


class Read(NamedTuple):
    """What a delivery holds."""

    texts: list[Text]
    refused: list[outbox.Refused]


_decode = msgspec.json.Decoder(_Message).decode


def read(delivery: Delivery) -> Read:
    """The text messages of a delivery, and what of it is refused."""
    return Read(*outbox.read(delivery, lambda *given: [_text(*given)]))


def _text(delivery: Delivery, index: int, data: bytes) -> Text:
    if len(data) > MAX_BYTES:
        raise Rejected("sms.tooLarge", f"the message has {len(data)} bytes; at most {MAX_BYTES}")
    try:
        message = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected("message.undecodable", f"not a valid smsMsg: {error}") from None
    project_id = outbox.project_of(delivery, message.project_id, "sms")
    template = message.template or message.template_id
    if not message.message and not template:
        raise Rejected("sms.content", "a text message has a message, or a template")
    if len(message.message or "") > MAX_CHARACTERS:
        raise Rejected("sms.content", f"the message has more than {MAX_CHARACTERS} characters")
    return Text(
        named=("id", message.id) if message.id else ("delivery", delivery.message_id, str(index)),
        project_id=project_id,
        source=message.id,
        message_id=delivery.message_id,
        place=index,
        data=data,
        recipients=_numbers(message.recipients),
        message=message.message,
        template=template,
        context=message.context,
        confidential=message.confidential,
        limit_options=_limit(message.limit_options, template),
    )


def _limit(given: Limit | None, template: str | None) -> Limit | None:
    """A limit with its key: without one of its own, the template's name."""
    return given if given is None or given.key else msgspec.structs.replace(given, key=template)


def _numbers(given: str | list[str] | None) -> list[str]:
    found = []
    for index, text in enumerate([given] if isinstance(given, str) else list(given or ())):
        number = text.translate(_SPACING)
        if not _NUMBER.match(number):
            raise Rejected(
                "sms.number", f"recipients[{index}] is no number with its country, such as +4791234567"
            )
        found.append(number)
    if not found:
        raise Rejected("sms.recipients", "nobody is named in recipients")
    if len(found) > MAX_RECIPIENTS:
        raise Rejected("sms.recipients", f"more than {MAX_RECIPIENTS} recipients")
    return list(dict.fromkeys(found))
