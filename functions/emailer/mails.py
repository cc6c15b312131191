"""From a delivery to mails: what an ``emailMsg`` may say, and what is refused. Pure.

What is refused is named by its place and reason, never by its content: mails hold links that let people in.
"""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

import msgspec

from fulcrum.core import ids
from shared import outbox
from shared.envelope import Delivery
from shared.errors import Rejected

MAX_RECIPIENTS = 50
MAX_ATTACHMENTS = 20
# A mail stands in one document, which holds 1 MiB.
MAX_BYTES = 900_000
_ADDRESS = re.compile(r"(?:[^<>@\r\n]{0,200}<)?[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,255}>?\Z")


class Attachment(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A file: its ``content`` in base64, or the ``url`` that it is at."""

    filename: str
    url: str | None = None
    content: str | None = None
    encoding: str | None = None
    content_type: str | None = None
    known_length: int | None = None


class _Message(msgspec.Struct, rename="camel", kw_only=True):
    type: Literal["emailMsg"]
    id: str | None = None
    project_id: str | None = None
    to: str | list[str] | None = None
    cc: str | list[str] | None = None
    bcc: str | list[str] | None = None
    blind_to: str | list[str] | None = None
    sender: str | None = msgspec.field(name="from", default=None)
    subject: str | None = None
    text: str | None = None
    html: str | None = None
    template: str | None = None
    template_id: str | None = None
    context: dict[str, Any] = {}
    attachments: list[Attachment] = []


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One mail. ``id`` is the same at every delivery of its message.

    ``source``: the id of that message, if it has one; ``message_id``: of the delivery.
    """

    id: str
    project_id: str
    source: str | None
    message_id: str
    to: list[str]
    cc: list[str]
    bcc: list[str]
    sender: str | None
    subject: str
    text: str | None
    html: str | None
    template: str | None
    context: dict[str, Any]
    attachments: list[Attachment]


class Read(NamedTuple):
    """What a delivery holds."""

    mails: list[Mail]
    refused: list[outbox.Refused]


_decode = msgspec.json.Decoder(_Message).decode


def read(delivery: Delivery) -> Read:
    """The mails of a delivery, and what of it is refused."""
    return Read(*outbox.read(delivery, _mails))


def _mails(delivery: Delivery, index: int, data: bytes) -> list[Mail]:
    if len(data) > MAX_BYTES:
        raise Rejected("email.tooLarge", f"the mail has {len(data)} bytes; at most {MAX_BYTES}")
    try:
        message = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected("message.undecodable", f"not a valid emailMsg: {error}") from None
    project_id = outbox.project_of(delivery, message.project_id, "email")
    to, cc, bcc = _addresses("to", message.to), _addresses("cc", message.cc), _addresses("bcc", message.bcc)
    blind = _addresses("blindTo", message.blind_to)
    _check(message, to, cc, bcc, blind)
    source = ("id", message.id) if message.id else ("delivery", delivery.message_id, str(index))
    return [
        Mail(
            id=ids.digest("email", project_id, *source, *recipients),
            project_id=project_id,
            source=message.id,
            message_id=delivery.message_id,
            to=recipients,
            cc=cc,
            bcc=bcc,
            sender=message.sender,
            subject=message.subject or "",
            text=message.text,
            html=message.html,
            template=message.template or message.template_id,
            context=message.context,
            attachments=message.attachments,
        )
        for recipients in ([[each] for each in blind] or [to])
    ]


def _check(message: _Message, to: list[str], cc: list[str], bcc: list[str], blind: list[str]) -> None:
    if blind and (to or cc or bcc):
        raise Rejected("email.recipients", "blindTo is one mail each: to, cc and bcc go without it")
    if not (to or blind):
        raise Rejected("email.recipients", "nobody is named in to or blindTo")
    if len(to) + len(cc) + len(bcc) + len(blind) > MAX_RECIPIENTS:
        raise Rejected("email.recipients", f"more than {MAX_RECIPIENTS} recipients")
    if not message.subject or not (message.text or message.html):
        raise Rejected("email.content", "a mail has a subject, and text or html")
    if "\n" in message.subject or "\r" in message.subject:
        raise Rejected("email.content", "a subject is one line")
    if message.sender is not None:
        _addresses("from", message.sender)
    if len(message.attachments) > MAX_ATTACHMENTS:
        raise Rejected("email.attachments", f"more than {MAX_ATTACHMENTS} attachments")
    for place, attachment in enumerate(message.attachments):
        if (attachment.url is None) == (attachment.content is None):
            raise Rejected(
                "email.attachments", f"attachments[{place}] has neither or both of url and content"
            )


def _addresses(place: str, given: str | list[str] | None) -> list[str]:
    found = [given] if isinstance(given, str) else list(given or ())
    for index, address in enumerate(found):
        if not _ADDRESS.match(address):
            raise Rejected("email.address", f"{place}[{index}] is no address")
    return list(dict.fromkeys(found))
