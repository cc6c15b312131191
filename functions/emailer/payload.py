"""From a mail of the outbox to what SendGrid's ``mail/send`` takes, and from its answers to ours. Pure.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from functions.emailer.attachments import File
from functions.emailer.mails import bare
from shared.errors import Rejected, Transient
from shared.sending import Busy, Message

# What events say of the mail that they are of; ``functions.api.callbacks.sendgrid`` reads them.
PROJECT_ARG = "fulcrumProject"
MESSAGE_ARG = "fulcrumMessage"
_CONTACT = re.compile(r"[^\s\[\]<>\"'(]+@[^\s\[\]<>\"')]+")
# A name with one of these is refused.
_SEPARATORS = str.maketrans(';,"', "   ")


def payload(message: Message, default_sender: str, files: Sequence[File]) -> dict[str, Any]:
    """The body of the request that sends a mail."""
    fields = message.fields
    personal = {
        key: [_person(address) for address in fields[key]] for key in ("to", "cc", "bcc") if fields.get(key)
    }
    texts = (("text/plain", fields.get("text")), ("text/html", fields.get("html")))
    made: dict[str, Any] = {
        "personalizations": [personal],
        "from": _person(fields.get("from") or default_sender),
        "subject": fields["subject"],
        # In this order.
        "content": [{"type": kind, "value": text} for kind, text in texts if text],
        "custom_args": {PROJECT_ARG: message.project_id, MESSAGE_ARG: message.id},
        # A link that lets somebody in goes through nobody else's hands.
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
        },
    }
    if files:
        made["attachments"] = [
            {
                "content": file.data,
                "type": file.content_type,
                "filename": file.name,
                "disposition": "attachment",
            }
            for file in files
        ]
    return made


def _person(text: str) -> dict[str, str]:
    """``Ada <ada@example.com>``, or an address alone, as ``mails`` lets it through."""
    before, bracket, _ = text.rpartition("<")
    name = " ".join(before.translate(_SEPARATORS).split()) if bracket else ""
    return {"email": bare(text), "name": name} if name else {"email": bare(text)}


def refusal(status: int, body: bytes, headers: Mapping[str, str], now_ms: int) -> Rejected | Transient:
    """What an answer other than 2xx means: Busy where SendGrid says that it may take the mail later."""
    code, said = f"sendgrid.{status}", _said(body) or f"SendGrid answers {status}"
    if status == 429:
        return Busy(code, said, _wait_ms(headers, now_ms))
    if status >= 500 or status == 408:
        return Busy(code, said)
    return Rejected(code, said)


def _wait_ms(headers: Mapping[str, str], now_ms: int) -> int | None:
    """How long SendGrid asks to be left alone: until an epoch second, or for so many seconds."""
    if (reset := headers.get("X-RateLimit-Reset") or "").isdecimal():
        return max(0, int(reset) * 1000 - now_ms)
    if (after := headers.get("Retry-After") or "").isdecimal():
        return int(after) * 1000
    return None


def _said(body: bytes) -> str:
    """The messages of an answer with errors, without addresses: they go into logs."""
    try:
        errors = json.loads(body)["errors"]
        parts = [
            f"{one['field']}: {one['message']}" if one.get("field") else str(one["message"])
            for one in errors[:5]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    return _CONTACT.sub("…", "; ".join(parts))[:500]
