"""The one timer of an emulator: sleeps on the (movable) clock until the next thing is due."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Protocol

from shared import clock


class Ticking(Protocol):
    """State in which things come due. It calls ``on_due`` with the instant (ns) of whatever is due sooner."""

    on_due: Callable[[int], None]

    def tick(self, now_ns: int) -> int | None:
        """Do what is due; the instant (ns) at which something is due next."""
        ...


class Timer:
    """Calls ``tick`` when something is due."""

    def __init__(self, state: Ticking) -> None:
        self._state = state
        self._next: int | None = None
        self._sooner = asyncio.Event()
        state.on_due = self._on_due

    def _on_due(self, due_ns: int) -> None:
        if self._next is None or due_ns < self._next:
            self._next = due_ns
            self._sooner.set()

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            self._sooner.clear()
            due = self._next
            if due is None:
                await self._sooner.wait()
                continue
            if clock.now_ns() < due:
                await self._sleep_until(due)
                continue
            self._next = None
            following = self._state.tick(clock.now_ns())
            if following is not None:
                self._on_due(following)

    def ended(self, task: asyncio.Task[None]) -> None:
        """End the process if the timer has failed: without it nothing would ever be redelivered."""
        if not task.cancelled() and task.exception() is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "the timer has failed", "exception": task.exception(), "task": task}
            )
            signal.raise_signal(signal.SIGTERM)

    async def _sleep_until(self, due: int) -> None:
        sleeping = asyncio.ensure_future(clock.sleep_until_ns(due))
        sooner = asyncio.ensure_future(self._sooner.wait())
        try:
            await asyncio.wait((sleeping, sooner), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            sooner.cancel()
