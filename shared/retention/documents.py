"""What of a project's documents goes: those of a store that are older than it is kept for.

Documents that Firestore removes by itself (``expireAt``) live as long as their writer says. A store with days
of its own is kept shorter by deleting, and longer by setting ``expireAt`` anew before its time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared import clock, names, values
from shared.clients import firestore
from shared.clients.firestore import Document
from shared.clients.firestore_pb import messages
from shared.quarantine import part_name
from shared.retention.rules import DAY_MS
from shared.store.query import Query, Where, conditions

# Firestore may take this long to remove what has expired; and no night may be missed.
_BEFORE_MS = 3 * DAY_MS
# The last second that Firestore's times have: people may ask what goes at any instant.
_LATEST_MS = 253_402_300_799_000


@dataclass(frozen=True)
class Documents:
    """The documents of a store. ``time`` is the field (epoch ms) from which on days are counted.

    ``at_least``: days that the platform itself needs them for. ``open``: states of those that are not over
    and stay, until the instant in the field ``ends`` if there is one. ``expires``: they have ``expireAt``.
    Where there is no such time, days are counted from ``expireAt``, which is set ``offset`` days after it.
    """

    collection: str
    time: str = ""
    at_least: int = 1
    open: frozenset[str] = frozenset()
    ends: str = ""
    expires: bool = True
    offset: int = 0


# What is over keeps its stamp for ten days: functions/scheduler.
_TIMER_DAYS = 10
STORES: Mapping[str, Documents] = {
    "unknownDevices": Documents("unknownDevices", "lastSeen"),
    "quarantine": Documents("quarantine", "time"),
    "outbox": Documents("outbox", "time", at_least=8, open=frozenset({"sending", "waiting"})),
    "outbound": Documents(
        "outbound", "created", at_least=8, open=frozenset({"queued", "sent"}), ends="expireTime"
    ),
    "timers": Documents("runningTimers", at_least=_TIMER_DAYS, offset=_TIMER_DAYS),
    "scriptVersions": Documents("scriptVersions", "created", expires=False),
}


def old(store: Documents, cutoff: int) -> Query:
    """The query of those that are older than a cutoff."""
    if store.time:
        return Query((Where(store.time, "<", cutoff),))
    return Query((Where("expireAt", "<", clock.from_ms(cutoff + store.offset * DAY_MS)),))


async def count_old(project_id: str, store: Documents, cutoff: int) -> int:
    """How many are older than a cutoff, those that stay all the same included."""
    built = conditions(store.collection, old(store, cutoff))
    return await firestore.count(names.project(project_id), built)


async def count_expired(project_id: str, store: Documents, now: int) -> int:
    """How many Firestore removes by itself within a day."""
    query = Query((Where("expireAt", "<", clock.from_ms(min(now + DAY_MS, _LATEST_MS))),))
    return await firestore.count(names.project(project_id), conditions(store.collection, query))


async def some_old(project_id: str, store: Documents, cutoff: int, limit: int, after: Any) -> list[Document]:
    """Documents older than a cutoff, in the order of their times; ``after``: behind (time, id)."""
    return await _page(project_id, store, old(store, cutoff), store.time or "expireAt", limit, after)


async def some_expiring(
    project_id: str, store: Documents, now: int, limit: int, after: Any
) -> list[Document]:
    """Documents that Firestore would remove soon, in the order of that."""
    query = Query((Where("expireAt", "<", clock.from_ms(now + _BEFORE_MS)),))
    return await _page(project_id, store, query, "expireAt", limit, after)


async def _page(
    project_id: str, store: Documents, query: Query, order: str, limit: int, after: Any
) -> list[Document]:
    built = conditions(store.collection, query)
    built.order_by.add(direction=1).field.field_path = order
    built.order_by.add(direction=1).field.field_path = "__name__"
    parent = names.project(project_id)
    if after is not None:
        values.fill(built.start_at.values.add(), after[0])
        built.start_at.values.add().reference_value = f"{parent}/{store.collection}/{after[1]}"
    for name in {"expireAt", "ended", "state", "parts", "scriptId", "version", store.time, store.ends} - {""}:
        built.select.fields.add(field_path=name)
    built.limit.value = limit
    return await firestore.run_query(parent, built)


def is_over(store: Documents, fields: Mapping[str, Any], now: int) -> bool:
    """Whether a document's matter is over, so that it may go."""
    if fields.get("state") not in store.open:
        return True
    return bool(store.ends) and fields.get(store.ends, now) < now


def extended(store: Documents, fields: Mapping[str, Any], days: int) -> dict[str, Any]:
    """The fields that let a document expire by a store's days; none where it expires as late now.

    Where no time is its own, ``ended`` keeps what its first ``expireAt`` said.
    """
    expires = fields["expireAt"]
    if store.time:
        started = fields[store.time]
    else:
        started = fields.get("ended") or clock.to_ms(expires) - store.offset * DAY_MS
    wanted = clock.from_ms(started + days * DAY_MS)
    if wanted <= expires:
        return {}
    return {"expireAt": wanted} if store.time else {"expireAt": wanted, "ended": started}


def deletes(project_id: str, store: Documents, found: Sequence[Document]) -> list[Any]:
    """The writes that delete documents, with what stands below them."""
    pb = messages()
    made = []
    for document in found:
        made.append(pb.Write(delete=document.name))
        if store.collection == "quarantine" and "parts" in document.fields:
            count = document.fields["parts"].integer_value
            made += [pb.Write(delete=part_name(project_id, document.id, number)) for number in range(count)]
    return made
