"""Text messages as they stand in the outbox, and what asks for one once more. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from functions.messenger.texts import Text
from shared import outbox
from shared.sending import Message


def entry(text: Text) -> outbox.Entry:
    """A text message as it stands in the outbox."""
    limits = text.limit_options
    fields = {
        "recipients": [text.recipient],
        "message": text.message,
        "template": text.template,
        "context": msgspec.json.encode(text.context).decode(),
        "limitOptions": msgspec.json.encode(limits).decode() if limits else None,
    }
    return outbox.Entry(text.project_id, text.id, "sms", fields, text.source, text.message_id)


def again(message: Message, new_id: str) -> bytes:
    """The ``smsMsg`` that asks for a message of the outbox once more, under a new id."""
    fields = message.fields
    asked: dict[str, Any] = {
        "type": "smsMsg",
        "id": new_id,
        "projectId": message.project_id,
        "recipients": fields["recipients"],
        "message": fields.get("message"),
        "template": fields.get("template"),
        "context": msgspec.json.decode(fields.get("context", "{}")),
        "limitOptions": msgspec.json.decode(fields.get("limitOptions", "null")),
    }
    return msgspec.json.encode({key: value for key, value in asked.items() if value is not None})
