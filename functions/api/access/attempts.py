"""Failed attempts are counted, and slow whoever makes them down; nobody can lock somebody else out.

Two counters stand in Firestore, ``attempts/{digest}``:

- of (who is signing in, source network): five failures are free, then each one doubles the wait, from 2 s to
  15 minutes. A success forgets them, and so does a day without one;
- of the source network alone, by the hour: 30 failures are free, then the same growing waits.

A wait holds for that source alone: the right password from anywhere else still works. While one waits, not
even the right password is looked at. Attempts of one person from one source take turns within an instance,
so that many at once count like one after the other; a failed one costs two writes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec

from fulcrum.core import ids
from functions.api.access import documents
from shared import clock, names, values
from shared.clients import firestore
from shared.clients.firestore import Document
from shared.errors import ApiError, Transient

FREE_OF_PAIR = 5
FREE_OF_SOURCE = 30
MAX_WAIT_SECONDS = 900
FORGOTTEN_MS = 86_400_000
_HOUR_MS = 3_600_000
_TRIES = 6
# So many attempts of one person from one source may wait for their turn in an instance.
_MAX_QUEUE = 20


class Attempt(msgspec.Struct, frozen=True):
    """Somebody's attempt from a source: the documents of its two counters."""

    pair: str
    source: str

    @property
    def names(self) -> list[str]:
        """What :func:`check` wants read."""
        return [self.pair, self.source]


def of(network: str, *who: str) -> Attempt:
    """The attempt of ``who`` (a purpose, a project, a username) from a source network."""
    hour = str(clock.now_ms() // _HOUR_MS)
    return Attempt(
        names.document("attempts", ids.digest("pair", network, *who)),
        names.document("attempts", ids.digest("source", network, hour)),
    )


def check(attempt: Attempt, found: Mapping[str, Document]) -> None:
    """ApiError 429 while the caller has to wait."""
    now = clock.now_ms()
    wait = max(
        _left_ms(found.get(attempt.pair), FREE_OF_PAIR, now),
        _left_ms(found.get(attempt.source), FREE_OF_SOURCE, now),
    )
    if wait > 0:
        raise too_many(-(-wait // 1000))


async def failed(attempt: Attempt, found: Mapping[str, Document]) -> None:
    """Count a failure. Transient if it cannot be counted."""
    document = found.get(attempt.pair)
    for _ in range(_TRIES):
        now = clock.now_ms()
        expires = clock.from_ms(now) + timedelta(milliseconds=FORGOTTEN_MS)
        fields = {"failures": _count(document, now)[0] + 1, "last": now, "expireAt": expires}
        pair = _counted(attempt.pair, fields, document)
        source = documents.increment(attempt.source, "failures", {"last": now, "expireAt": expires})
        try:
            await firestore.commit([pair, source])
            return
        except firestore.PreconditionFailed:
            document = (await firestore.batch_get([attempt.pair])).get(attempt.pair)
    raise Transient("a failed attempt could not be counted: others keep counting")


def forget(attempt: Attempt, found: Mapping[str, Document]) -> list[Any]:
    """The writes of a success: the pair's failures are forgotten."""
    return [documents.delete(attempt.pair)] if attempt.pair in found else []


async def spend(limit: int, purpose: str, *who: str) -> bool:
    """Use one of ``limit`` tries an hour; False if all are used, or many want one at the same instant."""
    now = clock.now_ms()
    name = names.document("attempts", ids.digest("spend", purpose, *who, str(now // _HOUR_MS)))
    for _ in range(_TRIES):
        found = (await firestore.batch_get([name])).get(name)
        used = _count(found, now)[0]
        if used >= limit:
            return False
        expires = clock.from_ms(now) + timedelta(hours=2)
        fields = {"failures": used + 1, "last": now, "expireAt": expires}
        try:
            await firestore.commit([_counted(name, fields, found)])
            return True
        except firestore.PreconditionFailed:
            await asyncio.sleep(0.05 * random.random())
    return False


def _counted(name: str, fields: Mapping[str, Any], before: Document | None) -> Any:
    """A counter's write, which holds only if nobody counted meanwhile."""
    if before is None:
        return documents.create(name, fields)
    return documents.update(name, fields, before.update_time)


def too_many(seconds: int) -> ApiError:
    """429, with the time to wait."""
    return ApiError(
        429,
        "login.tooMany",
        "too many attempts failed",
        f"wait {seconds} s, then try once; what you do elsewhere is not affected",
        int(seconds),
    )


class _Turns(msgspec.Struct):
    lock: asyncio.Lock
    waiting: int = 0


_turns: dict[str, _Turns] = {}


@asynccontextmanager
async def turn(attempt: Attempt) -> AsyncIterator[None]:
    """One attempt at a time for each pair; ApiError 429 where too many wait already."""
    turns = _turns.setdefault(attempt.pair, _Turns(asyncio.Lock()))
    if turns.waiting >= _MAX_QUEUE:
        raise too_many(1)
    turns.waiting += 1
    try:
        async with turns.lock:
            yield
    finally:
        turns.waiting -= 1
        if not turns.waiting:
            _turns.pop(attempt.pair, None)


def _count(document: Document | None, now: int) -> tuple[int, int]:
    """(failures, time of the last one)."""
    if document is None:
        return 0, 0
    fields = values.from_fields(document.fields)
    failures, last = int(fields.get("failures", 0)), int(fields.get("last", 0))
    return (failures, last) if now - last < FORGOTTEN_MS else (0, 0)


def _left_ms(document: Document | None, free: int, now: int) -> int:
    """How long there is still to wait."""
    failures, last = _count(document, now)
    if failures < free:
        return 0
    # Another instance's clock may be a little ahead.
    return min(last, now) + _wait_ms(failures, free) - now


def _wait_ms(failures: int, free: int) -> int:
    return 1000 * min(MAX_WAIT_SECONDS, 1 << min(failures - free + 1, 20))
