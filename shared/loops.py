"""What the deliveries of one instance of a function share: made at the first one, on its event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from shared import collector

Parts = TypeVar("Parts")


class PerLoop(Generic[Parts]):
    """What ``make`` makes at the first call, and anew where another event loop runs by then."""

    def __init__(self, make: Callable[[], Parts]) -> None:
        self._make = make
        self._held: tuple[asyncio.AbstractEventLoop, Parts] | None = None

    def __call__(self) -> Parts:
        """The parts of the event loop that runs now."""
        loop = asyncio.get_running_loop()
        if self._held is None or self._held[0] is not loop:
            collector.relax()
            self._held = loop, self._make()
        return self._held[1]

    def clear(self) -> None:
        """Forget the parts, so that the next call makes new ones."""
        self._held = None
