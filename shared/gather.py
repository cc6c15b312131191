"""Group commit: what comes while work is under way gathers, and goes together with the next.

An idle instance goes at once, with all that came in the same turn of its loop. While a flight is under way,
loads gather until it lands, until they are worth a flight of their own, or until it has taken too long.
Whoever was just answered may well come again, so after a landing the next flight waits a short moment. Where
somebody waits for the answer, that ends early, once as many are there as the last flight had and left behind;
where nobody does, the moment is spent on fewer flights. A load that is given up before
its flight does not go; afterwards it takes nobody with it. What a load claims is never on two flights at the
same time.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Set
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")
_NOTHING: frozenset[str] = frozenset()
# uvloop counts time in milliseconds and may come one early: to wait for the rest of it would be to spin.
_TICK = 0.001


class Limits(msgspec.Struct, frozen=True):
    """How flights are made up.

    ``weight`` and ``size``: at most so much on one flight; a single larger load has one to itself.
    ``flights``: at most so many at a time. ``worth``: so much weight does not wait for others. In seconds:
    ``patience``: a flight that takes longer no longer holds up the next; ``pause``: the moment after a
    landing, which ends ``early`` if as many wait as before.
    """

    weight: int
    size: int = 1 << 62
    flights: int = 8
    worth: float = math.inf
    patience: float = 0.3
    pause: float = 0.005
    early: bool = True


class _Waiting(msgspec.Struct, Generic[T], frozen=True, eq=False):
    load: T
    weight: int
    size: int
    claims: Set[str]
    done: asyncio.Future[None]


class Gathering(Generic[T]):
    """The gathering side of one instance, on one event loop. ``carry`` carries out a flight's loads."""

    def __init__(self, carry: Callable[[list[T]], Awaitable[None]], limits: Limits) -> None:
        self._carry = carry
        self._limits = limits
        self._waiting: deque[_Waiting[T]] = deque()
        self._weight = 0
        self._claimed: set[str] = set()
        # With how many loads each has.
        self._flights: dict[asyncio.Task[None], int] = {}
        self._started = self._landed_at = -math.inf
        self._expected = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_looking = False

    async def add(self, load: T, weight: int = 1, size: int = 0, claims: Set[str] = _NOTHING) -> None:
        """Return when the load has been carried out; raises what carrying out its flight raised."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append(_Waiting(load, weight, size, claims, done))
        self._weight += weight
        if not self._is_looking:
            self._is_looking = True
            loop.call_soon(self._go)
        try:
            await done
        finally:
            # Whoever gives up before its turn does not go; afterwards nobody listens.
            done.cancel()

    def _go(self) -> None:
        """Start the flights whose time has come; look again when that of the next one does."""
        self._is_looking = False
        loop = asyncio.get_running_loop()
        while self._waiting:
            wait = self._time_left(loop.time())
            if wait > _TICK:
                if self._timer is None and wait < math.inf:
                    self._timer = loop.call_later(wait, self._look_again)
                return
            taken = self._take()
            if not taken:
                return  # everything that waits is claimed by a flight, whose landing lets it go
            self._started = loop.time()
            claims: set[str] = set().union(*(waiting.claims for waiting in taken))
            self._claimed |= claims
            flight = loop.create_task(self._fly(taken, claims))
            self._flights[flight] = len(taken)
            flight.add_done_callback(self._landed)

    def _time_left(self, now: float) -> float:
        """Seconds until the next flight may start."""
        limits = self._limits
        if len(self._flights) >= limits.flights:
            return math.inf
        if self._weight >= limits.worth:
            return 0.0
        if self._flights:
            return self._started + limits.patience - now
        if limits.early and len(self._waiting) >= self._expected:
            return 0.0
        return self._landed_at + limits.pause - now

    def _look_again(self) -> None:
        self._timer = None
        self._go()

    def _take(self) -> list[_Waiting[T]]:
        """Those that may go now, in their order, as many as fit one flight; nobody overtakes for a claim."""
        limits = self._limits
        taken: list[_Waiting[T]] = []
        kept: deque[_Waiting[T]] = deque()
        weight = size = 0
        blocked = set(self._claimed)
        while self._waiting:
            waiting = self._waiting.popleft()
            if waiting.done.done():
                self._weight -= waiting.weight
                continue
            if taken and (weight + waiting.weight > limits.weight or size + waiting.size > limits.size):
                self._waiting.appendleft(waiting)
                break
            if blocked.isdisjoint(waiting.claims):
                taken.append(waiting)
                weight += waiting.weight
                size += waiting.size
            else:
                kept.append(waiting)
                blocked |= waiting.claims
        self._weight -= weight
        kept.extend(self._waiting)
        self._waiting = kept
        return taken

    async def _fly(self, taken: list[_Waiting[T]], claims: set[str]) -> None:
        try:
            await self._carry([waiting.load for waiting in taken])
        except Exception as error:
            for waiting in taken:
                if not waiting.done.done():
                    waiting.done.set_exception(error)
        else:
            for waiting in taken:
                if not waiting.done.done():
                    waiting.done.set_result(None)
        finally:
            self._claimed -= claims

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._expected = self._flights.pop(flight) + len(self._waiting)
        self._landed_at = asyncio.get_running_loop().time()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._go()
