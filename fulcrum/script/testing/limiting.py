"""How long an event may run in a test: as long as on the platform, so that an endless loop is told as one."""

from __future__ import annotations

import faulthandler
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fulcrum.script.running import TimeLimit

# A loop that catches what ends it, or that is in C, takes the whole process with it so much later.
_GRACE = 2.0
_DEBUGGERS = ("pydevd", "debugpy")


class Limit:
    """Ends what runs for too long. ``stderr``: the descriptor that gets the stack of what will not end.

    The first step needs signals (no Windows) and the main thread; the second one needs neither.
    """

    def __init__(self, stderr: int | None) -> None:
        self._stderr = stderr
        self._lifted = False

    def lift(self) -> None:
        """None any more: somebody looks at what runs with a debugger."""
        self._lifted = True
        faulthandler.cancel_dump_traceback_later()
        if _has_signals():
            signal.setitimer(signal.ITIMER_REAL, 0)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Raise TimeLimit in what runs within once so many seconds are over."""
        if self._lifted or any(name in sys.modules for name in _DEBUGGERS):
            yield
            return
        if self._stderr is not None:
            faulthandler.dump_traceback_later(seconds + _GRACE, exit=True, file=self._stderr)
        try:
            if _has_signals():
                with _alarm(seconds):
                    yield
            else:
                yield
        finally:
            faulthandler.cancel_dump_traceback_later()


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def strike(signum: int, frame: FrameType | None) -> None:
        raise TimeLimit(f"it ran for more than {seconds:g} s, which is what the platform gives one event")

    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, strike)
    # Another's alarm, such as that of pytest-timeout, goes on afterwards.
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if handler is None else handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - began), 0.001), interval)


def _has_signals() -> bool:
    return hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
