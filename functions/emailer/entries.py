"""Mails as they stand in the outbox, and what asks for one once more. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from functions.emailer.mails import Mail
from shared import outbox
from shared.sending import Message


def entry(mail: Mail) -> outbox.Entry:
    """A mail as it stands in the outbox."""
    fields = {
        "to": mail.to,
        "cc": mail.cc,
        "bcc": mail.bcc,
        "from": mail.sender,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "template": mail.template,
        "context": msgspec.json.encode(mail.context).decode(),
        "attachments": msgspec.json.encode(mail.attachments).decode(),
        "confidential": mail.confidential or None,
    }
    return outbox.Entry(mail.project_id, mail.id, "email", fields, mail.source, mail.message_id)


def again(message: Message, new_id: str) -> bytes:
    """The ``emailMsg`` that asks for a mail of the outbox once more, under a new id."""
    fields = message.fields
    same = ("to", "cc", "bcc", "from", "subject", "text", "html", "template", "confidential")
    asked: dict[str, Any] = {
        "type": "emailMsg",
        "id": new_id,
        "projectId": message.project_id,
        **{key: fields[key] for key in same if key in fields},
        "context": msgspec.json.decode(fields.get("context", "{}")),
        "attachments": msgspec.json.decode(fields.get("attachments", "[]")),
    }
    return msgspec.json.encode(asked)
