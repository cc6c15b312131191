"""Token buckets: bursts, pay-off, networks and devices apart, bounded memory."""

from __future__ import annotations

import pytest

from functions.ingest.limits import Bucket, Limits, Rates
from shared.errors import ApiError


def take(limits: Limits, now: float, count: int = 1, device: str = "a", network: str = "n") -> bool:
    try:
        limits.take(network, Rates(10, 2), [("serial", device)] * count, now)
    except ApiError:
        return False
    return True


def test_a_device_sends_its_rate_and_no_more() -> None:
    limits = Limits()
    assert [take(limits, 100.0) for _ in range(3)] == [True, True, False]
    assert not take(limits, 100.4)
    assert take(limits, 100.5)
    assert [take(limits, 200.0) for _ in range(3)] == [True, True, False]


def test_the_refusal_says_how_long_to_wait() -> None:
    limits = Limits()
    limits.take("n", Rates(10, 0.5), [("serial", "a")], 100.0)
    with pytest.raises(ApiError) as caught:
        limits.take("n", Rates(10, 0.5), [("serial", "a")], 100.1)
    error = caught.value
    assert (error.status, error.error, error.retry_after) == (429, "rate.exceeded", 2)


def test_devices_share_the_network_s_rate() -> None:
    limits = Limits()
    sent = [take(limits, 100.0, device=f"d{n}") for n in range(11)]
    assert sent == [True] * 10 + [False]
    assert take(limits, 100.0, device="d10", network="other")


def test_what_is_refused_costs_nothing() -> None:
    limits = Limits()
    assert take(limits, 100.0, 2, "a")
    for _ in range(50):
        assert not take(limits, 100.0, 2, "a")
    assert [take(limits, 100.0, 1, f"b{n}") for n in range(9)] == [True] * 8 + [False]


def test_a_large_request_passes_a_full_bucket_and_is_paid_off() -> None:
    limits = Limits()
    assert take(limits, 100.0, 9)
    assert not take(limits, 103.0)
    assert take(limits, 104.0)


def test_a_changed_rate_counts_at_once_and_zero_is_no_limit() -> None:
    limits = Limits()
    assert not all(take(limits, 1.0) for _ in range(3))
    for _ in range(1000):
        limits.take("n", Rates(0, 0), [("serial", "a")], 1.0)


def test_memory_is_bounded() -> None:
    limits = Limits(size=100)
    for n in range(1000):
        limits.take(f"n{n}", Rates(10, 10), [("serial", "a")], 1.0)
    assert len(limits) <= 100


def test_a_clock_that_stands_still_or_runs_back_gives_nothing() -> None:
    bucket = Bucket(1, 1)
    bucket.spend(1, 50.0)
    assert bucket.wait(50.0) == pytest.approx(1.0)
    assert bucket.wait(40.0) == pytest.approx(1.0)
