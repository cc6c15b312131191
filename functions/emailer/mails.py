"""From a delivery to mails: what an ``emailMsg`` may say, and what is refused. Pure.

What is refused is named by its place and reason, never by its content: mails hold links that let people in.
"""

from __future__ import annotations

import base64
import re
from typing import Any, Literal, NamedTuple

import msgspec

from fulcrum.core import ids
from shared import outbox
from shared.envelope import Delivery
from shared.errors import Rejected

MAX_RECIPIENTS = 50
MAX_ATTACHMENTS = 20
MAX_SUBJECT = 900
# A mail stands in one document, which holds 1 MiB.
MAX_BYTES = 900_000
# What is no letter, and in a header may end it.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_ADDRESS = re.compile(r"(?:[^<>@]{0,200}<)?[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,255}>?\Z")
_FILENAME = re.compile(r"(?!\.{1,2}\Z)[^\x00-\x1f\x7f/\\]{1,255}\Z")
_CONTENT_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(;[^\r\n]{0,200})?\Z")
# What ``content`` is: base64, or the text itself.
_BASE64 = "base64"
_TEXTS = frozenset({"utf8", "utf-8", "text", "7bit", "8bit"})


class Attachment(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """A file: its ``content``, in base64 or as ``encoding`` says, or the ``url`` that it is at.

    ``known_length``: its bytes; a file of another length is not sent.
    """

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
    confidential: bool = False


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One mail. ``id`` is the same at every delivery of its message.

    ``source``: the id of that message, if it has one. ``message_id``: of the delivery; ``place``, ``data``:
    where it is in that, and its bytes. Without a ``template`` there are a subject, and text or html.
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
    confidential: bool
    place: int
    data: bytes


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
    seen: set[str] = set()
    # Who is named twice gets one mail, and a provider takes none that names him so.
    to, cc, bcc = (_addresses(key, getattr(message, key), seen) for key in ("to", "cc", "bcc"))
    blind = _addresses("blindTo", message.blind_to, set())
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
            confidential=message.confidential,
            place=index,
            data=data,
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
    subject = message.subject or ""
    says_all = subject and (message.text or message.html)
    if not (says_all or message.template or message.template_id):
        raise Rejected("email.content", "a mail has a subject, and text or html, or a template")
    if len(subject) > MAX_SUBJECT or _CONTROL.search(subject):
        raise Rejected("email.content", f"a subject is one line, of {MAX_SUBJECT} characters at most")
    if message.sender is not None:
        _addresses("from", message.sender, set())
    if len(message.attachments) > MAX_ATTACHMENTS:
        raise Rejected("email.attachments", f"more than {MAX_ATTACHMENTS} attachments")
    for place, attachment in enumerate(message.attachments):
        if problem := _problem(attachment):
            raise Rejected("email.attachments", f"attachments[{place}] {problem}")


def _problem(attachment: Attachment) -> str:
    """What is wrong with an attachment; empty if nothing is."""
    if (attachment.url is None) == (attachment.content is None):
        return "has neither or both of url and content"
    if not _FILENAME.match(attachment.filename):
        return "has a filename that is none: at most 255 characters, and no path"
    if attachment.content_type is not None and not _CONTENT_TYPE.match(attachment.content_type):
        return "has a contentType that is none, such as application/pdf"
    try:
        data = content(attachment)
    except ValueError:
        return "has a content that is not in its encoding: base64 without one, or utf-8"
    if data is not None and attachment.known_length not in (None, len(data)):
        return f"has {len(data)} bytes, and a knownLength of {attachment.known_length}"
    return ""


def content(attachment: Attachment) -> bytes | None:
    """The bytes of an attachment that has its content with it; ValueError where they are not as it says."""
    if attachment.content is None:
        return None
    encoding = (attachment.encoding or _BASE64).lower()
    if encoding in _TEXTS:
        return attachment.content.encode()
    if encoding != _BASE64:
        raise ValueError(f"no encoding {encoding}")
    return base64.b64decode("".join(attachment.content.split()), validate=True)


def bare(address: str) -> str:
    """The address of ``Ada <ada@example.com>`` alone."""
    return address.rpartition("<")[2].rstrip(">")


def _addresses(place: str, given: str | list[str] | None, seen: set[str]) -> list[str]:
    """The addresses of a field, each once, without those in ``seen``, which has them from then on."""
    found = []
    for index, address in enumerate([given] if isinstance(given, str) else list(given or ())):
        if _CONTROL.search(address) or not _ADDRESS.match(address):
            raise Rejected("email.address", f"{place}[{index}] is no address")
        same = bare(address).casefold()
        if same not in seen:
            seen.add(same)
            found.append(address)
    return found
