"""Text messages as they stand in the outbox, and what asks for one once more."""

from __future__ import annotations

from typing import Any

import msgspec

from functions.messenger import texts
from functions.messenger.texts import MAX_CHARACTERS, Text
from shared import templates
from shared.envelope import Delivery
from shared.errors import Rejected
from shared.outbox import Entry, Refused
from shared.sending import Message


async def read(delivery: Delivery) -> tuple[list[Entry], list[Refused]]:
    """What a delivery asks for, a document for each number, and what of it is refused.

    Transient where templates cannot be read.
    """
    found = texts.read(delivery)
    entries, refused = [], list(found.refused)
    for text in found.texts:
        try:
            message = await _message(text)
        except Rejected as error:
            refused.append(Refused(error, text.place, text.data))
            continue
        entries += [_entry(text, message, recipient) for recipient in text.recipients]
    return entries, refused


def _entry(text: Text, message: str, recipient: str) -> Entry:
    fields = {
        "recipients": [recipient],
        "message": message,
        "template": text.template,
        "context": msgspec.json.encode(text.context).decode(),
        "confidential": text.confidential or None,
        "limitOptions": msgspec.json.encode(text.limit_options).decode() if text.limit_options else None,
    }
    return Entry(text.project_id, text.id_for(recipient), "sms", fields, text.source, text.message_id)


async def _message(text: Text) -> str:
    """What a text message says: its template, if the project has that, else what it says itself."""
    message = text.message
    if text.template is not None:
        try:
            message = await templates.sms(text.project_id, text.template, text.context)
        except Rejected as error:
            if error.error_type != "template.unknown" or message is None:
                raise
    if not message:
        raise Rejected("sms.content", "nothing is left of the template")
    if len(message) > MAX_CHARACTERS:
        raise Rejected("sms.content", f"the message has more than {MAX_CHARACTERS} characters")
    return message


def again(message: Message, new_id: str) -> bytes:
    """The ``smsMsg`` that asks for a message of the outbox once more, under a new id: as it was filled."""
    fields = message.fields
    asked: dict[str, Any] = {
        "type": "smsMsg",
        "id": new_id,
        "projectId": message.project_id,
        "recipients": fields["recipients"],
        "message": fields["message"],
        "confidential": fields.get("confidential"),
        "limitOptions": msgspec.json.decode(fields.get("limitOptions", "null")),
    }
    return msgspec.json.encode({key: value for key, value in asked.items() if value is not None})
