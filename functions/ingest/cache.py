"""Documents that decide who may send, remembered for a few seconds.

An entry counts from the moment its read began, so that a key revoked in the store stops within the life
of an entry. Requests that miss the same name share one read. Names that nobody ever had are the work of
somebody who guesses: reads of such names are rationed, so that guessing cannot flood the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from functions.ingest.limits import Bucket
from shared.clock import monotonic
from shared.errors import ApiError, Transient

LIFE_SECONDS = 5.0
MAX_ENTRIES = 200_000
READ_SECONDS = 8.0
# Reads of unknown names: so many a second and instance, and as many again at once.
UNKNOWN_PER_SECOND = 50.0

T = TypeVar("T")


class _Entry(msgspec.Struct, Generic[T]):
    value: T | None
    since: float


class Cache(Generic[T]):
    """Values by name. ``read`` gets names and returns those that exist."""

    def __init__(
        self,
        read: Callable[[list[str]], Awaitable[Mapping[str, T]]],
        life: float = LIFE_SECONDS,
        size: int = MAX_ENTRIES,
        unknown_per_second: float = UNKNOWN_PER_SECOND,
    ) -> None:
        self._read = read
        self._life = life
        self._size = size
        self._entries: dict[str, _Entry[T]] = {}
        self._reading: dict[str, asyncio.Task[Any]] = {}
        self._unknown = Bucket(unknown_per_second, unknown_per_second)

    def __len__(self) -> int:
        return len(self._entries)

    async def get(self, name: str) -> T | None:
        """The value of a name; None if there is none. Raises as :meth:`get_many`."""
        entry = self._entries.get(name)
        if entry is not None and monotonic() - entry.since < self._life:
            return entry.value
        return (await self.get_many([name]))[name]

    async def get_many(self, names: Iterable[str]) -> dict[str, T | None]:
        """The values of names. Transient if the store fails, ApiError 429 where names are being guessed."""
        now = monotonic()
        found: dict[str, T | None] = {}
        missing: list[str] = []
        for name in names:
            entry = self._entries.get(name)
            if entry is not None and now - entry.since < self._life:
                found[name] = entry.value
            else:
                missing.append(name)
        if missing:
            await self._load(missing, now)
            for name in missing:
                entry = self._entries.get(name)
                found[name] = None if entry is None else entry.value
        return found

    async def _load(self, names: list[str], now: float) -> None:
        tasks = {self._reading[name] for name in names if name in self._reading}
        fresh = [name for name in names if name not in self._reading]
        if fresh:
            # Whoever was known is served all the same: the guessing is not their doing.
            if not self._unknown.allows(now) and not all(map(self._known, fresh)):
                raise ApiError(
                    429,
                    "auth.tooManyUnknown",
                    "too many unknown names are being asked for",
                    "try again in a second",
                    retry_after=1,
                )
            task = asyncio.ensure_future(self._fetch(fresh, now))
            for name in fresh:
                self._reading[name] = task
            tasks.add(task)
        for task in tasks:
            # One request that is given up must not end the read for the others.
            await asyncio.shield(task)

    def _known(self, name: str) -> bool:
        entry = self._entries.get(name)
        return entry is not None and entry.value is not None

    async def _fetch(self, names: list[str], began: float) -> None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                values = await self._read(names)
        except TimeoutError:
            raise Transient(f"reading {len(names)} documents took longer than {READ_SECONDS:g} s") from None
        finally:
            for name in names:
                del self._reading[name]
        for name in names:
            self._entries.pop(name, None)
            self._entries[name] = _Entry(values.get(name), began)
        self._unknown.spend(len(names) - len(values), began)
        while len(self._entries) > self._size:
            del self._entries[next(iter(self._entries))]
