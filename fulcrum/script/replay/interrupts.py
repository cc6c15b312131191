"""Ctrl-C where it does no harm: between two batches, not amidst what goes between processes."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, TypeVar

T = TypeVar("T")


class Interrupts:
    """While it is entered, the first interrupt is raised by :meth:`reading` alone, a second one at once.

    Only where the main thread enters it; elsewhere nothing changes.
    """

    def __init__(self) -> None:
        self._asked = False
        self._reads = False
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ring)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def reading(self, items: Iterator[T]) -> T | None:
        """The next item, None at the end; KeyboardInterrupt where one was asked for."""
        if self._asked:
            raise KeyboardInterrupt
        self._reads = True
        try:
            return next(items, None)
        finally:
            self._reads = False

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if self._reads or self._asked:
            self._asked = True
            raise KeyboardInterrupt
        self._asked = True
