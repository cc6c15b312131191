"""Python's garbage collector in a function that handles many events."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@cache
def relax() -> None:
    """Let the collector look less often, and never at what is loaded already. Once, at the first event.

    It walks every container that lives, to find cycles of which nearly none are made here: measured, it took
    a tenth of a function's CPU, and more the more devices a function remembered. What cycles there are
    (tracebacks, a connection that ended) wait a little longer to be freed.
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
