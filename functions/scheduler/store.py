"""Timers in Firestore: read together with what cancelled many at once, changed only as they were read."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from functions.scheduler import timers
from functions.scheduler.timers import Timer
from shared import clock, documents, names, values
from shared.clients import firestore
from shared.errors import Transient
from shared.messages import CancelRelatedTimer
from shared.store.query import Query, Where, conditions

# What cancels many timers is remembered for those that are set late: so many, the latest.
MAX_CANCELS = 2_000
PAGE = 300
# Firestore's answers to a document that is not as it was read.
_CONFLICT = frozenset({5, 6, 9, 10})
_TRIES = 8
K = TypeVar("K")


class Stored(NamedTuple):
    """A timer as it was read, and when it was last written: None for one that is not there."""

    timer: Timer | None
    update_time: Any


def name(project_id: str, timer_id: str) -> str:
    """The document of a timer."""
    return names.running_timer(project_id, timer_id)


async def read(document_names: Iterable[str]) -> dict[str, Stored]:
    """Timers by the names of their documents."""
    wanted = list(document_names)
    found = await firestore.batch_get(wanted)
    return {one: _stored(found.get(one)) for one in wanted}


class Due(NamedTuple):
    """A timer that is due, and what may keep it from firing: cancellations of many, its holders' end."""

    stored: Stored
    cancels: list[CancelRelatedTimer]
    orphaned: bool


async def read_due(document: str, project_id: str, holders: Sequence[str]) -> Due:
    """Read a timer that is due, with all that may keep it from firing, in one call.

    ``holders``: documents that must be there, or it is orphaned.
    """
    cancels = names.timer_cancels(project_id)
    # Of holders nothing is wanted: a device may be as large as it likes.
    found = await firestore.batch_get([document, cancels, *holders], (*timers.FIELDS, "cancels"))
    orphaned = any(one not in found for one in holders)
    return Due(_stored(found.get(document)), _cancels(found.get(cancels)), orphaned)


async def of_device(project_id: str, device_id: str, fields: Sequence[str]) -> dict[str, str] | None:
    """A device's id, with the other ids in its document; None where the project has no such device."""
    document = names.device(project_id, device_id)
    found = (await firestore.batch_get([document], (*fields, "deleted"))).get(document)
    known: dict[str, Any] = values.from_fields(found.fields) if found is not None else {"deleted": True}
    if known.get("deleted"):
        return None
    return {"deviceId": device_id, **{field: known[field] for field in fields if known.get(field)}}


async def change(
    decide: Mapping[str, Callable[[Timer | None], Timer | None]], seen: Mapping[str, Stored] | None = None
) -> dict[str, Timer | None]:
    """Change timers, by the names of their documents, each only if it is as it was decided on.

    ``decide`` gives of a timer what it becomes, None where it stays. What somebody else changes meanwhile is
    read and decided anew. ``seen``: what has been read already. Each as it is afterwards; Transient where a
    store fails, or others keep winning.
    """
    left = set(decide)
    after: dict[str, Timer | None] = {}
    known = dict(seen or {})
    for attempt in range(_TRIES):
        stored = {**await read(one for one in left if one not in known), **known}
        known = {}
        writes: dict[str, tuple[Timer, Any]] = {}
        for one in sorted(left):
            before = stored[one]
            after[one] = decide[one](before.timer)
            changed = after[one]
            if changed is None:
                after[one] = before.timer
                left.discard(one)
            else:
                writes[one] = (changed, _write(one, changed, before.update_time))
        left -= await _apply({one: write for one, (_, write) in writes.items()})
        if not left:
            return after
        await asyncio.sleep(0.01 * 2**attempt * random.random())
    raise Transient(f"{len(left)} timers are changed by others all the time")


async def _apply(writes: Mapping[str, Any]) -> set[str]:
    """Write, each by itself; which of them have been written."""
    if not writes:
        return set()
    codes = await firestore.batch_write(list(writes.values()))
    failed = {code for code in codes if code and code not in _CONFLICT}
    if failed:
        raise Transient(f"timers were not written: status codes {sorted(failed)}")
    return {one for one, code in zip(writes, codes, strict=True) if not code}


async def remember(cancelled: CancelRelatedTimer) -> None:
    """Keep what cancels many timers, for those that somebody set before, and that come after."""
    document = names.timer_cancels(cancelled.project_id)
    oldest = clock.now_ms() - round(timers.KEPT.total_seconds() * 1000)
    for attempt in range(_TRIES):
        found = (await firestore.batch_get([document])).get(document)
        known = _cancels(found)
        if any(one == cancelled for one in known):
            return
        kept = [one for one in [*known, cancelled] if one.stamp[0] > oldest]
        kept.sort(key=lambda one: one.stamp)
        text = msgspec.json.encode(kept[-MAX_CANCELS:]).decode()
        fields = {"cancels": text, "expireAt": clock.now() + timers.KEPT}
        if await _apply({document: documents.whole(document, fields, found.update_time if found else None)}):
            return
        await asyncio.sleep(0.01 * 2**attempt * random.random())
    raise Transient("the cancellations of a project are changed by others all the time")


async def related(cancelled: CancelRelatedTimer, after: str | None) -> list[str]:
    """Documents of timers that have the ids that a cancellation names: a page, behind a document's id."""
    wanted = {
        "systemId": cancelled.system_id,
        "deviceId": cancelled.device_id,
        "scriptId": cancelled.script_id,
    }
    where = tuple(Where(key, "==", value) for key, value in wanted.items() if value is not None)
    parent = names.project(cancelled.project_id)
    query = conditions("runningTimers", Query(where))
    query.order_by.add(direction=1).field.field_path = "__name__"
    if after is not None:
        query.start_at.values.add().reference_value = after
    query.limit.value = PAGE
    query.select.fields.add(field_path="__name__")
    return [document.name for document in await firestore.run_query(parent, query)]


async def due(until: int, after: tuple[int, str] | None) -> list[Timer]:
    """Timers of all projects that fire before an instant, the earliest first: a page, behind one of them."""
    query = conditions("runningTimers", Query((Where("fireTime", "<=", until),)))
    query.from_[0].all_descendants = True
    for field in ("fireTime", "__name__"):
        query.order_by.add(direction=1).field.field_path = field
    if after is not None:
        values.fill(query.start_at.values.add(), after[0])
        query.start_at.values.add().reference_value = after[1]
    query.limit.value = PAGE
    found = await firestore.run_query(f"{names.database()}/documents", query)
    return [timers.from_fields(values.from_fields(document.fields)) for document in found]


def _stored(found: firestore.Document | None) -> Stored:
    if found is None:
        return Stored(None, None)
    return Stored(timers.from_fields(values.from_fields(found.fields)), found.update_time)


def _cancels(found: firestore.Document | None) -> list[CancelRelatedTimer]:
    if found is None:
        return []
    text = values.from_fields(found.fields)["cancels"]
    return msgspec.json.decode(text, type=list[CancelRelatedTimer])


def _write(document: str, timer: Timer, update_time: Any) -> Any:
    return documents.whole(document, timers.to_fields(timer, clock.now()), update_time)


def chunks(items: Sequence[K], size: int) -> Iterable[Sequence[K]]:
    """Items, so many at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))
