"""Python's garbage collector in a function: seldom of use, when it starts and when it handles many events."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


def relax() -> None:
    """Let the collector look less often, and never at what is loaded already.

    It walks every container that lives, to find cycles of which nearly none are made here. Measured, it took
    a twentieth of a cold start, where modules are imported, and a tenth of a function's CPU, more the more
    devices a function remembered. Called when a function's process begins, and again at the first event, by
    when all is imported. What cycles there are (tracebacks, a connection that ended) wait a little longer to
    be freed.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@contextmanager
def paused() -> Iterator[None]:
    """Keep the collector away while modules are imported and applications built: none of that is garbage.

    Measured, looking for some takes a twelfth of the API's cold start. What was made is not looked at again.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
