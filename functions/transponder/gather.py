"""Group commit: deliveries that come while others are being stored go together with the next ones.

An idle instance stores at once. While a cycle is under way, deliveries gather until it ends, until they are
worth a cycle of their own, or until it has taken too long. A device is never in two cycles at the same time,
so that an instance does not compete with itself for a document.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from functions.transponder import plan
from functions.transponder.decode import Arrival
from shared.messages import MAX_BATCH_EVENTS

MAX_CYCLES = 8
# So many events cost hardly less together with more.
WORTH_A_CYCLE = 100
# A cycle that takes longer than this, in seconds, no longer holds up the next one.
PATIENCE = 0.3

Store = Callable[[list[Arrival]], Awaitable[None]]


class _Waiting(msgspec.Struct, eq=False):
    arrivals: list[Arrival]
    devices: set[str]
    done: asyncio.Future[None]


class Gathering:
    """The storing side of one instance, on one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[_Waiting] = deque()
        self._busy: set[str] = set()
        self._cycles: set[asyncio.Task[None]] = set()
        self._started = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def store(self, arrivals: list[Arrival]) -> None:
        """Return when the arrivals' fates are settled; raises what storing them raised."""
        if not arrivals:
            return
        devices = {arrival.device for arrival in arrivals if plan.needs_state(arrival)}
        waiting = _Waiting(arrivals, devices, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._start()
        await waiting.done

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        while self._is_time(loop.time()) and (taken := self._take()):
            devices: set[str] = set().union(*(waiting.devices for waiting in taken))
            self._busy |= devices
            self._started = loop.time()
            cycle = loop.create_task(self._cycle(taken, devices))
            self._cycles.add(cycle)
            cycle.add_done_callback(self._end)
        if self._waiting and self._timer is None:
            self._timer = loop.call_later(PATIENCE, self._look_again)

    def _is_time(self, now: float) -> bool:
        if not self._waiting or len(self._cycles) >= MAX_CYCLES:
            return False
        return (
            not self._cycles
            or now - self._started >= PATIENCE
            or sum(len(waiting.arrivals) for waiting in self._waiting) >= WORTH_A_CYCLE
        )

    def _look_again(self) -> None:
        self._timer = None
        self._start()

    def _end(self, cycle: asyncio.Task[None]) -> None:
        self._cycles.discard(cycle)
        self._start()

    def _take(self) -> list[_Waiting]:
        """Those that may go now, in their order, as many as fit one cycle; nobody overtakes for a device."""
        taken: list[_Waiting] = []
        kept: deque[_Waiting] = deque()
        size = 0
        blocked = set(self._busy)
        while self._waiting:
            waiting = self._waiting.popleft()
            if waiting.done.done():
                continue  # who asked is gone; the message will come again
            fits = not taken or size + len(waiting.arrivals) <= MAX_BATCH_EVENTS
            if fits and blocked.isdisjoint(waiting.devices):
                taken.append(waiting)
                size += len(waiting.arrivals)
            else:
                kept.append(waiting)
                blocked |= waiting.devices
        self._waiting = kept
        return taken

    async def _cycle(self, taken: list[_Waiting], devices: set[str]) -> None:
        try:
            await self._store([arrival for waiting in taken for arrival in waiting.arrivals])
        except Exception as error:
            for waiting in taken:
                if not waiting.done.done():
                    waiting.done.set_exception(error)
        else:
            for waiting in taken:
                if not waiting.done.done():
                    waiting.done.set_result(None)
        finally:
            self._busy -= devices
