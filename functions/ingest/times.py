"""When an event happened: the sender's time where it can be true, else the time of receipt.

A time is a number of epoch milliseconds or an ISO 8601 text (without offset: UTC).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

# A clock that is further ahead is wrong; one that shows a time before 2000 never was set.
MAX_AHEAD_MS = 5 * 60 * 1000
CLOCK_UNSET_MS = 946_684_800_000
# BigQuery streams into partitions of the last 1,825 days and refuses older rows. Pub/Sub may hold an
# event for seven days before it gets there.
BIGQUERY_DAYS = 1_825
MAX_AGE_MS = (BIGQUERY_DAYS - 7) * 86_400_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def to_ms(raw: Any) -> int | None:
    """Epoch milliseconds of a time as sent; None if it is no time."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    if isinstance(raw, float):
        return round(raw)
    if isinstance(raw, str) and len(raw) <= 64:
        try:
            instant = datetime.fromisoformat(raw)
        except ValueError:
            return None
        return ((instant if instant.tzinfo else instant.replace(tzinfo=UTC)) - _EPOCH) // _MS
    return None


def settle(raw: Any, received_ms: int, otherwise: int | None = None) -> int:
    """The time that counts for a time as sent: itself where it can be true, else ``otherwise``.

    That is the received time if it is not given.
    """
    ms = to_ms(raw)
    if ms is None or ms < CLOCK_UNSET_MS or ms > received_ms + MAX_AHEAD_MS:
        return received_ms if otherwise is None else otherwise
    return ms


def is_too_old(ms: int, received_ms: int) -> bool:
    """Whether history can no longer take an event of that time."""
    return ms < received_ms - MAX_AGE_MS
