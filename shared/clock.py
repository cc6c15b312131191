"""The one clock. In the cloud it is the system's; a local stack may move it, for every process at once.

A local stack names a file of eight bytes in ``FULCRUM_CLOCK_FILE``: a signed little-endian offset in
nanoseconds, mapped into memory by each process. Reading it costs no system call.
"""

from __future__ import annotations

import asyncio
import struct
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from shared.config import settings

_OFFSET = struct.Struct("<q")
# How long a sleeper may go without looking whether the clock was moved, in seconds.
_SLICE = 0.05


@cache
def _mapped(path: str) -> Any:
    if not path:
        return None
    # Only a local stack pays for it.
    import mmap

    with open(path, "r+b") as file:
        return mmap.mmap(file.fileno(), _OFFSET.size, access=mmap.ACCESS_READ)


def monotonic() -> float:
    """Seconds that never run backwards and follow a local stack's clock forward."""
    return time.monotonic() + offset_ns() / 1e9


def offset_ns() -> int:
    """How far the local stack's clock is ahead of the system's, in nanoseconds."""
    view = _mapped(settings().clock_file)
    return 0 if view is None else int(_OFFSET.unpack_from(view)[0])


def now_ns() -> int:
    """Nanoseconds since the epoch."""
    return time.time_ns() + offset_ns()


def now_ms() -> int:
    """Milliseconds since the epoch, as times stand in messages."""
    return now_ns() // 1_000_000


def now() -> datetime:
    """The present instant, UTC-aware."""
    return from_ms(now_ms())


def from_ms(ms: int) -> datetime:
    """Epoch milliseconds to a UTC-aware datetime."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def to_ms(instant: datetime) -> int:
    """A UTC-aware datetime to epoch milliseconds."""
    return round(instant.timestamp() * 1000)


async def sleep(seconds: float) -> None:
    """Sleep for ``seconds`` of this clock: a clock that is moved forward wakes the sleeper."""
    await sleep_until_ns(now_ns() + int(seconds * 1e9))


async def sleep_until_ns(deadline_ns: int) -> None:
    """Sleep until this clock shows ``deadline_ns``."""
    movable = bool(settings().clock_file)
    while (left := (deadline_ns - now_ns()) / 1e9) > 0:  # noqa: ASYNC110 another process moves it
        await asyncio.sleep(min(left, _SLICE) if movable else left)


def offset_in(path: Path) -> int:
    """How far the clock of a local stack is ahead, in nanoseconds, for who starts it."""
    return int(_OFFSET.unpack(path.read_bytes())[0])


def create(path: Path) -> None:
    """Make the file of a movable clock, showing the system's time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_OFFSET.pack(0))


def advance(path: Path, seconds: float) -> None:
    """Move the clock of a local stack forward by ``seconds``."""
    with open(path, "r+b") as file:
        (offset,) = _OFFSET.unpack(file.read(_OFFSET.size))
        file.seek(0)
        file.write(_OFFSET.pack(offset + int(seconds * 1e9)))
