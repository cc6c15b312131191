"""Who carries mail away. :func:`sender` chooses; today there is the outbox, which people look at.

A provider of mail is another :class:`Sender`. What every one of them keeps to: a mail that comes again, under
the same id, is sent once, or rarely twice after a crash at the wrong instant; Transient where it may be sent
later, and then the whole delivery comes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from functions.emailer.mails import Mail
from shared import outbox


class Sender(Protocol):
    """Carries mails away."""

    async def send(self, mails: Sequence[Mail]) -> None:
        """Send mails, each once; Transient if not all could be."""
        ...


class Outbox:
    """Writes each mail to ``projects/{p}/outbox/{id}``, once."""

    async def send(self, mails: Sequence[Mail]) -> None:
        """Write the mails that are not there yet."""
        await outbox.put([_entry(mail) for mail in mails])


_outbox = Outbox()


def sender() -> Sender:
    """The sender of this deployment."""
    return _outbox


def _entry(mail: Mail) -> outbox.Entry:
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
    }
    return outbox.Entry(mail.project_id, mail.id, "email", fields, mail.source, mail.message_id)
