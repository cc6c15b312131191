"""Timers that scripts set, in simulated time. Pure.

A timer that runs once after a delay or at an instant, and one that repeats, fire when they would have; others
(cron, sun) are counted alone.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

from fulcrum.core import ids
from fulcrum.script.wire import SetTimer


class Due(NamedTuple):
    """A timer that fires. ``own``: what the script calls it; ``timer_id``: what it is called outside."""

    at: int
    timer_id: str
    own: str
    device_id: str | None
    effect: SetTimer


def timer_id(script_id: str, device_id: str | None, own: str) -> str:
    """The id of a script's timer: what a script calls it is its own, for each device."""
    return ids.digest("timer", script_id, device_id or "", own)


class Timers:
    """The timers of one side."""

    def __init__(self, script_id: str) -> None:
        self._script_id = script_id
        self._generations: dict[str, int] = {}
        self._heap: list[tuple[int, int, int, Due]] = []
        self._count = 0

    def knows(self, identity: str) -> bool:
        """Whether the script has set or cancelled this timer here."""
        return identity in self._generations

    def set(self, effect: SetTimer, device_id: str | None, now: int) -> bool:
        """Set a timer, or set it anew; whether it will fire here."""
        identity = timer_id(self._script_id, device_id, effect.id)
        generation = self._next(identity)
        at = _first(effect, now)
        if at is None or effect.action is not None:
            return False
        self._push(Due(at, identity, effect.id, effect.device_id, effect), generation)
        return True

    def cancel(self, own: str, device_id: str | None) -> None:
        """Cancel a timer."""
        self._next(timer_id(self._script_id, device_id, own))

    def pop(self, until: int) -> Due | None:
        """The next timer that is due, at ``until`` or before; a repeating one is armed anew."""
        while self._heap and self._heap[0][0] <= until:
            _, _, generation, due = heapq.heappop(self._heap)
            if self._generations.get(due.timer_id) != generation:
                continue
            timer = due.effect.timer
            if timer.get("type") == "repeating":
                self._push(due._replace(at=due.at + int(timer["delay"])), generation)
            return due
        return None

    def _next(self, identity: str) -> int:
        generation = self._generations.get(identity, 0) + 1
        self._generations[identity] = generation
        if len(self._heap) > 1_000 and len(self._heap) > 2 * len(self._generations):
            # What was set anew ever again leaves its old times behind.
            self._heap = [item for item in self._heap if self._generations[item[3].timer_id] == item[2]]
            heapq.heapify(self._heap)
        return generation

    def _push(self, due: Due, generation: int) -> None:
        self._count += 1
        heapq.heappush(self._heap, (due.at, self._count, generation, due))


def _first(effect: SetTimer, now: int) -> int | None:
    """When a timer fires first; None where that is not worked out here."""
    timer = effect.timer
    delay, when = timer.get("delay"), timer.get("when")
    if timer.get("type") == "once":
        if isinstance(when, int):
            return max(when, now)
        return now + delay if isinstance(delay, int) else None
    if timer.get("type") == "repeating" and isinstance(delay, int) and delay > 0:
        return now if timer.get("runImmediately") else now + delay
    return None
