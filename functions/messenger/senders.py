"""Who carries text messages away. :func:`sender` chooses; today there is the outbox, which people look at.

A provider is another :class:`Sender`. What every one of them keeps to: a message that comes again, under the
same id, is sent once; Transient where it may be sent later, and then the whole delivery comes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from functions.messenger.texts import Text
from shared import outbox


class Sender(Protocol):
    """Carries text messages away."""

    async def send(self, texts: Sequence[Text]) -> None:
        """Send text messages, each once; Transient if not all could be."""
        ...


class Outbox:
    """Writes each text message to ``projects/{p}/outbox/{id}``, once."""

    async def send(self, texts: Sequence[Text]) -> None:
        """Write those that are not there yet."""
        await outbox.put([_entry(text) for text in texts])


_outbox = Outbox()


def sender() -> Sender:
    """The sender of this deployment."""
    return _outbox


def _entry(text: Text) -> outbox.Entry:
    limits = text.limit_options
    fields = {
        "recipients": text.recipients,
        "message": text.message,
        "template": text.template,
        "context": msgspec.json.encode(text.context).decode(),
        "limitOptions": msgspec.json.encode(limits).decode() if limits else None,
    }
    return outbox.Entry(text.project_id, text.id, "sms", fields, text.source, text.message_id)
