"""How many messages one recipient gets: at most ``count`` in ``period``, beyond that none for ``duration``.

Counted per recipient and key in ``projects/{p}/sendLimits/{id}``, which is changed only as it was read, so
that limits hold however many instances send at once. A message counts once, however often it is asked for.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from fulcrum.core import ids
from shared import clock, documents, names, values
from shared.clients import firestore
from shared.errors import Transient

MAX_COUNT = 1_000
_YEAR_MS = 31_536_000_000
# So many of the latest are remembered by id, also when they count no more: what is tried again was counted.
_REMEMBERED = 2_000
_CONFLICT = frozenset({5, 6, 9, 10})
_TRIES = 12

Verdict = Literal["admitted", "limited", "first"]
Count = Annotated[int, msgspec.Meta(ge=1, le=MAX_COUNT)]
Ms = Annotated[int, msgspec.Meta(ge=1, le=_YEAR_MS)]


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """At most ``count`` messages in ``period`` ms to one recipient under one ``key``; then none for
    ``duration`` ms."""

    count: Count = 10
    period: Ms = 30_000
    duration: Ms = 3_600_000
    key: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class Counted(NamedTuple):
    """What one recipient has got: when, and which messages; none before ``since`` counts.

    ``until``: when the latest block ends, or ended, and ``first`` the message that began it. In epoch ms.
    """

    times: tuple[int, ...] = ()
    messages: tuple[str, ...] = ()
    since: int = 0
    until: int = 0
    first: str = ""


def document(project_id: str, kind: str, recipient: str, key: str) -> str:
    """The document of what a recipient has got under a key."""
    return names.document("projects", project_id, "sendLimits", ids.digest(kind, recipient, key))


async def admit(project_id: str, kind: str, recipient: str, limit: Limit, message_id: str) -> Verdict:
    """Count a message to a recipient: ``limited`` if it is one too many, ``first`` if it is the first such.

    Transient where a store fails, or others keep winning.
    """
    key = limit.key or ""
    name = document(project_id, kind, recipient, key)
    about = {"kind": kind, "recipient": recipient, "key": key}
    for tried in range(_TRIES):
        found = (await firestore.batch_get([name])).get(name)
        before = _read(values.from_fields(found.fields)) if found is not None else Counted()
        verdict, after = decide(before, limit, message_id, clock.now_ms())
        if after is None:
            return verdict
        write = documents.whole(
            name, {**about, **_fields(after, limit)}, found.update_time if found else None
        )
        (code,) = await firestore.batch_write([write])
        if code == 0:
            return verdict
        if code not in _CONFLICT:
            raise Transient(f"a limit was not written: status code {code}")
        await asyncio.sleep(0.01 * 2 ** min(tried, 7) * random.random())
    raise Transient("a limit is changed by others all the time")


def decide(before: Counted, limit: Limit, message_id: str, now: int) -> tuple[Verdict, Counted | None]:
    """What becomes of a message, and of the count: None where that stays as it is. Pure."""
    if message_id in before.messages:
        return "admitted", None
    if now < before.until:
        return ("first" if message_id == before.first else "limited"), None
    oldest = max(before.since, now - limit.period + 1)
    if sum(time >= oldest for time in before.times) >= limit.count:
        # When the block is over, counting begins anew.
        until = now + limit.duration
        return "first", before._replace(since=until, until=until, first=message_id)
    return "admitted", before._replace(
        times=(*before.times, now)[-_REMEMBERED:], messages=(*before.messages, message_id)[-_REMEMBERED:]
    )


def _read(fields: Mapping[str, Any]) -> Counted:
    return Counted(
        tuple(msgspec.json.decode(fields["times"])),
        tuple(msgspec.json.decode(fields["messages"])),
        fields["since"],
        fields["until"],
        fields["first"],
    )


def _fields(counted: Counted, limit: Limit) -> dict[str, Any]:
    last = max((*counted.times, counted.until))
    return {
        "times": msgspec.json.encode(counted.times).decode(),
        "messages": msgspec.json.encode(counted.messages).decode(),
        "since": counted.since,
        "until": counted.until,
        "first": counted.first,
        "expireAt": clock.from_ms(last) + timedelta(milliseconds=limit.period) + timedelta(days=1),
    }
