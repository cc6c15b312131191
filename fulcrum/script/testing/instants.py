"""Instants as people read them: ISO 8601 in UTC, to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

_START = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def to_text(ms: int) -> str:
    """``2026-03-01T12:00:00Z``, with milliseconds where there are any."""
    when = _START + ms * _MS
    precision = "milliseconds" if ms % 1000 else "seconds"
    return when.isoformat(timespec=precision).replace("+00:00", "Z")


def to_ms(value: Any) -> int:
    """Epoch milliseconds of what stands in a file, a text or a number; ValueError if neither."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no instant: write it as 2026-03-01T12:00:00Z, or in epoch ms")
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is no instant: write it as 2026-03-01T12:00:00Z") from None
    if when.tzinfo is None:
        raise ValueError(f"{value!r} has no offset: write {when.isoformat()}Z if it is UTC")
    return (when - _START) // _MS
