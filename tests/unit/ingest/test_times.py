"""When an event happened: the sender's time, unless it cannot be true."""

from __future__ import annotations

from typing import Any

import pytest

from functions.ingest import times

NOW = 1_792_655_730_000


@pytest.mark.parametrize(
    ("raw", "ms"),
    [
        (1_792_655_000_123, 1_792_655_000_123),
        (1_792_655_000_123.4, 1_792_655_000_123),
        ("2026-10-22T06:15:30.250Z", 1_792_649_730_250),
        ("2026-10-22T08:15:30.250+02:00", 1_792_649_730_250),
        ("2026-10-22T06:15:30.250", 1_792_649_730_250),
        ("2026-10-22 06:15:30", 1_792_649_730_000),
        ("20261022T061530Z", 1_792_649_730_000),
        ("2026-10-22", 1_792_627_200_000),
        (NOW + 300_000, NOW + 300_000),
        (946_684_800_000, 946_684_800_000),
    ],
)
def test_a_time_that_can_be_true_is_kept(raw: Any, ms: int) -> None:
    assert times.settle(raw, NOW) == ms


@pytest.mark.parametrize(
    "raw",
    [
        "yesterday",
        "",
        "1792655000123",
        "2026-13-01",
        "2026-10-22T25:00:00Z",
        "9" * 10_000,
        NOW + 300_001,
        NOW // 1000,
        0,
        -1,
        946_684_799_999,
        1e300,
        -1e300,
        True,
        {},
        [],
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "1999-12-31T23:59:59Z",
    ],
)
def test_any_other_is_replaced_by_the_received_time(raw: Any) -> None:
    assert times.settle(raw, NOW) == NOW


def test_history_takes_events_of_1818_days() -> None:
    limit = 1818 * 86_400_000
    assert not times.is_too_old(NOW - limit, NOW)
    assert times.is_too_old(NOW - limit - 1, NOW)
