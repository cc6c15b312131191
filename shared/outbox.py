"""Messages to people on their way out: ``projects/{p}/outbox/{id}``, each written once, to be looked at.

``kind`` is ``email`` or ``sms``; ``state`` says how far it is (:data:`State`); the other fields are its
service's. Create-if-absent: a message that comes again, under the same id, is the same document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, NamedTuple, TypeVar

from shared import clock, names, values
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.envelope import Delivery, check_hops, unwrap
from shared.errors import Rejected, Transient

T = TypeVar("T")
Kind = Literal["email", "sms"]
# kept: nobody carries it away, it is only looked at. waiting: for another try. limited: held back by limits.
State = Literal["kept", "sending", "waiting", "sent", "delivered", "undelivered", "failed", "limited"]

KEPT = timedelta(days=30)
# Firestore's answers to a document that is there already.
PRESENT = frozenset({6, 9})
_PROJECT = re.compile(r"(?!__)[A-Za-z0-9_\-]{1,128}\Z")


class Refused(NamedTuple):
    """A message that cannot go out: why, its place in the delivery and its bytes."""

    error: Rejected
    place: int
    data: bytes


class Entry(NamedTuple):
    """What is to stand in the outbox. Fields that are None or empty are left out.

    ``source``: the id of the message that asked for it, and ``message_id`` that of its delivery: by them a
    trace finds what an event led to.
    """

    project_id: str
    id: str
    kind: Kind
    fields: Mapping[str, Any]
    source: str | None = None
    message_id: str | None = None


def read(
    delivery: Delivery, parse: Callable[[Delivery, int, bytes], Iterable[T]]
) -> tuple[list[T], list[Refused]]:
    """What a delivery holds, by ``parse`` of each message (its place, its bytes), and what that refuses."""
    found: list[T] = []
    try:
        check_hops(delivery)
        contents = unwrap(delivery.data)
    except Rejected as error:
        return [], [Refused(error, 0, delivery.data)]
    refused: list[Refused] = []
    for index, raw in enumerate(contents.messages):
        data = bytes(raw)
        try:
            found.extend(parse(delivery, index, data))
        except Rejected as error:
            refused.append(Refused(error, index, data))
    return found, refused


def project_of(delivery: Delivery, stated: str | None, kind: str) -> str:
    """The project that pays for a message: its delivery's attribute says it, and it may not say another."""
    given = delivery.attributes.get("projectId")
    if given and stated and given != stated:
        raise Rejected(f"{kind}.otherProject", "the message names another project than its attribute")
    project_id = given or stated or names.NO_PROJECT
    if not _PROJECT.match(project_id):
        raise Rejected(f"{kind}.project", "the projectId is no id of a project")
    return project_id


def name(project_id: str, message_id: str) -> str:
    """The document of a message."""
    return names.document("projects", project_id, "outbox", message_id)


async def put(entries: Sequence[Entry]) -> None:
    """Keep the entries that are not there yet, for people to look at; Transient if not all could be."""
    # A message that is in its delivery twice is one.
    distinct = {(entry.project_id, entry.id): entry for entry in entries}
    if not distinct:
        return
    codes = await firestore.batch_write([created(entry, {"state": "kept"}) for entry in distinct.values()])
    failed = sorted({code for code in codes if code and code not in PRESENT})
    if failed:
        raise Transient(f"not written to the outbox: status codes {failed}")


def stored(entry: Entry) -> dict[str, Any]:
    """The fields that the document of an entry has from its first write on."""
    now = clock.now_ms()
    fields = {
        "kind": entry.kind,
        **entry.fields,
        "source": entry.source,
        "messageId": entry.message_id,
        "time": now,
        "expireAt": clock.from_ms(now) + KEPT,
    }
    return {key: value for key, value in fields.items() if value not in (None, [], "{}", "[]")}


def created(entry: Entry, state: Mapping[str, Any]) -> Any:
    """The write that makes the document of an entry, with what ``state`` says, if it is not there yet."""
    write = messages().Write(update=messages().Document(name=name(entry.project_id, entry.id)))
    values.to_fields(write.update.fields, {**stored(entry), **state})
    write.current_document.exists = False
    return write
