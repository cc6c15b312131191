"""Group commit: one publish for all requests that came while the last one was under way.

An idle instance publishes at once. While a publish is in flight, requests gather and go together with the
next. Each is answered when its own events are confirmed; one that is given up takes nobody with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from shared.errors import Transient
from shared.log import log
from shared.messages import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, VERSION

TOPIC = "default-processor"
# What a request waits at most, turn and tries included.
WITHIN_SECONDS = 10.0
# A publish that takes longer than this no longer holds up the next one.
PATIENCE_SECONDS = 1.0
MAX_IN_FLIGHT = 8
MAX_CALL_BYTES = 8_000_000
MAX_CALL_MESSAGES = 1_000

Message = tuple[bytes, Mapping[str, str]]
Publish = Callable[[str, Sequence[Message], float], Awaitable[list[str]]]


class _Waiting(msgspec.Struct, frozen=True, eq=False):
    project_id: str
    events: list[bytes]
    size: int
    trace: str | None
    done: asyncio.Future[None]


def pack(project_id: str, events: Sequence[bytes]) -> list[Message]:
    """Encoded events to messages: JSON arrays within the limits of a batch."""
    attributes = {"v": VERSION, "hops": "1", "projectId": project_id}
    messages: list[Message] = []
    start, size = 0, 2
    for index, event in enumerate(events):
        if index > start and (index - start >= MAX_BATCH_EVENTS or size + len(event) + 1 > MAX_BATCH_BYTES):
            messages.append((b"[" + b",".join(events[start:index]) + b"]", attributes))
            start, size = index, 2
        size += len(event) + 1
    messages.append((b"[" + b",".join(events[start:]) + b"]", attributes))
    return messages


class GroupCommit:
    """The publishing side of one instance, on one event loop."""

    def __init__(self, publish: Publish, within: float = WITHIN_SECONDS) -> None:
        self._publish = publish
        self._within = within
        self._queue: list[_Waiting] = []
        self._flights: set[asyncio.Task[None]] = set()
        self._started = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def publish(self, project_id: str, events: list[bytes], trace: str | None = None) -> None:
        """Return when Pub/Sub has confirmed all of ``events``; else raise Transient within 10 s.

        ``events`` are encoded messages of one project. After an error some may have been published.
        """
        loop = asyncio.get_running_loop()
        size = sum(map(len, events)) + len(events) + 2
        waiting = _Waiting(project_id, events, size, trace, loop.create_future())
        self._queue.append(waiting)
        self._take_off()
        try:
            async with asyncio.timeout(self._within):
                await waiting.done
        except TimeoutError:
            raise Transient(f"not published within {self._within:g} s") from None
        finally:
            # Whoever gives up before its turn is not published; afterwards nobody listens.
            waiting.done.cancel()

    def _take_off(self) -> None:
        """Start a flight if there is somebody waiting and none in the way."""
        if not self._queue or len(self._flights) >= MAX_IN_FLIGHT:
            return
        loop = asyncio.get_running_loop()
        if self._flights:
            left = self._started + PATIENCE_SECONDS - loop.time()
            if left > 0:
                if self._timer is None:
                    self._timer = loop.call_later(left, self._patience_over)
                return
        self._started = loop.time()
        flight = loop.create_task(self._fly())
        self._flights.add(flight)
        flight.add_done_callback(self._landed)

    def _patience_over(self) -> None:
        self._timer = None
        self._take_off()

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._take_off()

    def _board(self) -> list[_Waiting]:
        """Take from the queue what fits one call, leaving out whoever gave up."""
        boarded: list[_Waiting] = []
        size = taken = messages = 0
        for waiting in self._queue:
            count = 1 + waiting.size // MAX_BATCH_BYTES + len(waiting.events) // MAX_BATCH_EVENTS
            if boarded and (size + waiting.size > MAX_CALL_BYTES or messages + count > MAX_CALL_MESSAGES):
                break
            taken += 1
            if not waiting.done.done():
                boarded.append(waiting)
                size += waiting.size
                messages += count
        del self._queue[:taken]
        return boarded

    async def _fly(self) -> None:
        boarded = self._board()
        if not boarded:
            return
        by_project: dict[str, list[bytes]] = {}
        for waiting in boarded:
            by_project.setdefault(waiting.project_id, []).extend(waiting.events)
        began = time.perf_counter()
        try:
            messages = [m for project, events in by_project.items() for m in pack(project, events)]
            ids = await self._publish(TOPIC, messages, self._within)
        except Exception as error:
            for waiting in boarded:
                if not waiting.done.done():
                    waiting.done.set_exception(Transient(f"publishing failed: {error}"))
            log("ERROR", "events not published", **_counts(boarded, began), error=str(error))
            return
        for waiting in boarded:
            if not waiting.done.done():
                waiting.done.set_result(None)
        trace = boarded[0].trace if len(boarded) == 1 else None
        log("INFO", "events published", trace=trace, **_counts(boarded, began), messageIds=ids)


def _counts(boarded: list[_Waiting], began: float) -> dict[str, Any]:
    return {
        "events": sum(len(waiting.events) for waiting in boarded),
        "requests": len(boarded),
        "ms": round((time.perf_counter() - began) * 1000, 1),
    }
