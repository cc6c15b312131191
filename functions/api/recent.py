"""What was read a few seconds ago, so that one request does not read again what the last one did.

An entry counts from the moment its read began. Requests that miss the same key share one read; whoever
changes something forgets it, and a read that was under way then is not kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import msgspec

from shared.clock import monotonic

LIFE_SECONDS = 5.0
MAX_ENTRIES = 100_000

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Entry(msgspec.Struct, Generic[V]):
    value: V
    since: float


class Recent(Generic[K, V]):
    """Values by key, each at most :data:`LIFE_SECONDS` old; the least recently used go first."""

    def __init__(self, size: int = MAX_ENTRIES) -> None:
        self._size = size
        self._entries: dict[K, _Entry[V]] = {}
        self._reading: dict[K, asyncio.Task[V]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    async def get(self, key: K, read: Callable[[], Awaitable[V]]) -> V:
        """The value of a key, read if it is not known; what the read raises is not remembered."""
        found = self.peek(key)
        if found is not None:
            return found.value
        task = self._reading.get(key)
        # A read of another event loop cannot be waited for in this one.
        if task is None or task.get_loop() is not asyncio.get_running_loop():
            task = asyncio.ensure_future(self._read(key, read, monotonic()))
            self._reading[key] = task
        # One request that is given up must not end the read for the others.
        return await asyncio.shield(task)

    def peek(self, key: K) -> _Entry[V] | None:
        """The entry of a key if it is known and not too old."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if monotonic() - entry.since >= LIFE_SECONDS:
            del self._entries[key]
            return None
        self._entries[key] = self._entries.pop(key)
        return entry

    def put(self, key: K, value: V, since: float) -> None:
        """Remember what somebody read anyway, from the moment that his read began."""
        self._entries.pop(key, None)
        self._entries[key] = _Entry(value, since)
        while len(self._entries) > self._size:
            del self._entries[next(iter(self._entries))]

    def forget(self, key: K) -> None:
        """Read a key anew at the next request, even if a read is under way."""
        self._entries.pop(key, None)
        self._reading.pop(key, None)

    def forget_if(self, chosen: Callable[[K], bool]) -> None:
        """:meth:`forget` every key that is chosen."""
        for key in [key for key in (*self._entries, *self._reading) if chosen(key)]:
            self.forget(key)

    async def _read(self, key: K, read: Callable[[], Awaitable[V]], began: float) -> V:
        mine = asyncio.current_task()
        try:
            value = await read()
            if self._reading.get(key) is mine:
                self.put(key, value, began)
            return value
        finally:
            if self._reading.get(key) is mine:
                del self._reading[key]
