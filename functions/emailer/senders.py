"""Who carries mail away. :func:`sender` chooses; today there is the outbox, which people look at.

A provider of mail is another :class:`Sender`. What every one of them keeps to: a mail that comes again, under
the same id, is sent once, or rarely twice after a crash at the wrong instant; Transient where it may be sent
later, and then the whole delivery comes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

import msgspec

from functions.emailer.mails import Mail
from shared import clock, names, values
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.errors import Transient

KEPT = timedelta(days=30)
# Firestore's answers to a document that is there already.
_PRESENT = frozenset({6, 9})


class Sender(Protocol):
    """Carries mails away."""

    async def send(self, mails: Sequence[Mail]) -> None:
        """Send mails, each once; Transient if not all could be."""
        ...


class Outbox:
    """Writes each mail to ``projects/{p}/outbox/{id}``, once: create-if-absent."""

    async def send(self, mails: Sequence[Mail]) -> None:
        """Write the mails that are not there yet."""
        # A message that is in its delivery twice is one mail.
        distinct = {(mail.project_id, mail.id): mail for mail in mails}
        if not distinct:
            return
        codes = await firestore.batch_write([_write(mail) for mail in distinct.values()])
        failed = sorted({code for code in codes if code and code not in _PRESENT})
        if failed:
            raise Transient(f"mail not written to the outbox: status codes {failed}")


_outbox = Outbox()


def sender() -> Sender:
    """The sender of this deployment."""
    return _outbox


def _write(mail: Mail) -> Any:
    pb = messages()
    name = names.document("projects", mail.project_id, "outbox", mail.id)
    write = pb.Write(update=pb.Document(name=name))
    now = clock.now_ms()
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
        "time": now,
        "expireAt": clock.from_ms(now) + KEPT,
    }
    values.to_fields(
        write.update.fields, {k: v for k, v in fields.items() if v not in (None, [], "{}", "[]")}
    )
    write.current_document.exists = False
    return write
