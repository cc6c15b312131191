"""Publishing: one call for all requests that came while the last one was under way (``shared.gather``).

Each request is answered when its own events are confirmed; one that is given up takes nobody with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from shared.errors import Transient
from shared.gather import Gathering, Limits
from shared.log import listed, log
from shared.messages import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, VERSION

TOPIC = "default-processor"
# What a request waits at most, turn and tries included.
WITHIN_SECONDS = 10.0
# By messages and bytes, as Pub/Sub limits a call.
LIMITS = Limits(weight=1_000, size=8_000_000, patience=1.0)
# A line names its events where they are so few at most: one that no service stores is found by nothing else.
NAMED = 20

Message = tuple[bytes, Mapping[str, str]]
Publish = Callable[[str, Sequence[Message], float], Awaitable[list[str]]]


class _Part(msgspec.Struct, frozen=True):
    project_id: str
    events: list[bytes]
    trace: str | None
    deadline: float
    ids: Sequence[str]


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

    def __init__(self, publish: Publish, within: float = WITHIN_SECONDS, limits: Limits = LIMITS) -> None:
        self._publish = publish
        self._within = within
        self._gathering = Gathering(self._carry, limits)

    async def publish(
        self, project_id: str, events: list[bytes], trace: str | None = None, ids: Sequence[str] = ()
    ) -> None:
        """Return when Pub/Sub has confirmed all of ``events``; else raise Transient within 10 s.

        ``events`` are encoded messages of one project, ``ids`` their ids, for the log. After an error some
        may have been published.
        """
        size = sum(map(len, events)) + len(events) + 2
        messages = 1 + size // MAX_BATCH_BYTES + len(events) // MAX_BATCH_EVENTS
        part = _Part(project_id, events, trace, time.monotonic() + self._within, ids)
        await self._gathering.add(part, messages, size)

    async def _carry(self, parts: list[_Part]) -> None:
        by_project: dict[str, list[bytes]] = {}
        for part in parts:
            by_project.setdefault(part.project_id, []).extend(part.events)
        began = time.perf_counter()
        # One clock for all of a flight, set by who has waited longest. It ends the wait in the queue too: no
        # flight that is ahead of a request has a later deadline than the request.
        left = max(0.0, parts[0].deadline - time.monotonic())
        try:
            messages = [m for project, events in by_project.items() for m in pack(project, events)]
            async with asyncio.timeout(left):
                ids = await self._publish(TOPIC, messages, left)
        except Exception as error:
            reason = str(error) or f"no answer within {self._within:g} s"
            log("ERROR", "events not published", **_counts(parts, began), error=reason)
            raise Transient(f"publishing failed: {reason}") from error
        trace = parts[0].trace if len(parts) == 1 else None
        log(
            "INFO",
            "events published",
            trace=trace,
            **_counts(parts, began),
            published=listed(ids),
            **_named(parts),
        )


def _named(parts: list[_Part]) -> dict[str, list[str]]:
    """The ids of a few events, each behind its project: of many a line would cost more than their way."""
    if sum(len(part.events) for part in parts) > NAMED:
        return {}
    return {"eventIds": [f"{part.project_id}/{event_id}" for part in parts for event_id in part.ids]}


def _counts(parts: list[_Part], began: float) -> dict[str, Any]:
    return {
        "events": sum(len(part.events) for part in parts),
        "requests": len(parts),
        "ms": round((time.perf_counter() - began) * 1000, 1),
    }
