"""Messages to devices in Firestore: made once, changed only as they were read, found by their device."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from shared import clock, documents, names, outbound, values
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.errors import Transient
from shared.outbound import Record, State
from shared.store.query import Query, Where, conditions

COLLECTION = "outbound"
# On the device's document: messages wait, and from this instant (epoch ms) on whoever hears of it says so.
WAITING = "messagesWait"
# Firestore's answers to a document that is not as it was read.
_CONFLICT = frozenset({5, 6, 9, 10})
_TRIES = 8
_DESCENDING = 2


class Stored(NamedTuple):
    """A record as it was read, and when it was last written."""

    record: Record
    update_time: Any


async def read(project_id: str, msg_ids: Iterable[str]) -> dict[str, Stored]:
    """Records by the ids of their messages; those that are not there are absent. One call."""
    found = await firestore.batch_get([names.outbound(project_id, msg_id) for msg_id in msg_ids])
    return {document.id: stored(document) for document in found.values()}


def stored(document: firestore.Document) -> Stored:
    """A record from its document."""
    return Stored(outbound.from_fields(values.from_fields(document.fields)), document.update_time)


async def create(record: Record) -> tuple[Record, bool]:
    """Keep a record if there is none of its id: the one that is there then, and whether it is this one."""
    (code,) = await firestore.batch_write([_write(record, None)])
    if code == 0:
        return record, True
    if code not in _CONFLICT:
        raise Transient(f"the record of a message was not written: status code {code}")
    there = (await read(record.project_id, [record.msg_id])).get(record.msg_id)
    if there is None:
        raise Transient("the record of a message was there and is not")
    return there.record, False


async def change(
    project_id: str,
    msg_id: str,
    decide: Callable[[Record], Record | None],
    seen: Stored | None = None,
) -> tuple[Record | None, bool]:
    """Change a record, only if it is as it was decided on; as it is afterwards, and whether that was done.

    ``decide``: what becomes of it, None where it stays. What somebody else changes meanwhile is read and
    decided anew. ``seen``: what has been read already. None: there is no such message.
    """
    for attempt in range(_TRIES):
        before = seen or (await read(project_id, [msg_id])).get(msg_id)
        seen = None
        if before is None:
            return None, False
        after = decide(before.record)
        if after is None:
            return before.record, False
        (code,) = await firestore.batch_write([_write(after, before.update_time)])
        if code == 0:
            return after, True
        if code not in _CONFLICT:
            raise Transient(f"the record of a message was not written: status code {code}")
        await asyncio.sleep(0.01 * 2**attempt * random.random())
    raise Transient("a message is changed by others all the time")


async def change_all(wanted: Sequence[Stored], decide: Callable[[Record], Record | None]) -> list[Record]:
    """Change those records that are still as they were read, in one call; those that were changed."""
    pairs = [(after, one) for one in wanted if (after := decide(one.record)) is not None]
    if not pairs:
        return []
    codes = await firestore.batch_write([_write(after, one.update_time) for after, one in pairs])
    failed = {code for code in codes if code and code not in _CONFLICT}
    if failed:
        raise Transient(f"records of messages were not written: status codes {sorted(failed)}")
    return [after for (after, _), code in zip(pairs, codes, strict=True) if code == 0]


async def of_device(project_id: str, device_id: str, state: State, limit: int) -> list[Stored]:
    """Messages of a device in a state, the oldest first."""
    where = (Where("deviceId", "==", device_id), Where("state", "==", state))
    query = conditions(COLLECTION, Query(where))
    query.order_by.add(direction=1).field.field_path = "created"
    query.limit.value = limit
    return [stored(document) for document in await firestore.run_query(names.project(project_id), query)]


async def settle_key(record: Record) -> tuple[Record, bool]:
    """See to it that of a device's messages with one key only the newest waits; the record as it is then.

    Also whether an older one is just being handed over, which might else arrive after it.
    """
    if record.key is None:
        return record, False
    parent = names.project(record.project_id)
    alike = (Where("deviceId", "==", record.device_id), Where("key", "==", record.key))
    latest = conditions(COLLECTION, Query(alike))
    for field in ("created", "__name__"):
        latest.order_by.add(direction=_DESCENDING).field.field_path = field
    latest.limit.value = 1
    waiting = conditions(COLLECTION, Query((*alike, Where("state", "==", "queued"))))
    found = await asyncio.gather(firestore.run_query(parent, latest), firestore.run_query(parent, waiting))
    newest = max((stored(document).record for document in (*found[0], *found[1])), key=lambda one: one.order)
    older_leased = False
    for document in found[1]:
        one = stored(document)
        if one.record.order < record.order and outbound.is_leased(one.record, clock.now_ms()):
            older_leased = True
        elif one.record.order < newest.order:
            after, _ = await change(
                record.project_id,
                one.record.msg_id,
                lambda before: outbound.replaced(before, newest, clock.now_ms()),
                one,
            )
            if one.record.msg_id == record.msg_id and after is not None:
                record = after
    return record, older_leased


async def mark_waiting(project_id: str, device_id: str, since: int | None) -> None:
    """Note on a device that messages wait for it, or (None) that none does; nothing if it is gone."""
    pb = messages()
    write = pb.Write(update=pb.Document(name=names.device(project_id, device_id)))
    write.update_mask.field_paths.append(WAITING)
    if since is not None:
        write.update.fields[WAITING].integer_value = since
    write.current_document.exists = True
    (code,) = await firestore.batch_write([write])
    if code and code not in _CONFLICT:
        raise Transient(f"the device was not written: status code {code}")


def _write(record: Record, update_time: Any) -> Any:
    name = names.outbound(record.project_id, record.msg_id)
    return documents.whole(name, outbound.to_fields(record), update_time)
