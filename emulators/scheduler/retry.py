"""When a job runs, and when an attempt that failed comes again: with the service's defaults. Pure."""

from __future__ import annotations

from typing import Any

from emulators.kit import backoff
from emulators.scheduler import errors
from shared import timer_times
from shared.errors import Rejected

_DEFAULT_MIN_NS = 5_000_000_000
_DEFAULT_MAX_NS = 3_600_000_000_000
_DEFAULT_DOUBLINGS = 5
_MS = 1_000_000


def fill(config: Any) -> None:
    """Put the service's defaults where a job's ``retry_config`` says nothing; INVALID_ARGUMENT."""
    if not 0 <= config.retry_count <= 5:
        raise errors.invalid("RetryConfig.retry_count must be between 0 and 5.")
    config.max_doublings = config.max_doublings or _DEFAULT_DOUBLINGS
    if not config.HasField("min_backoff_duration"):
        config.min_backoff_duration.FromNanoseconds(_DEFAULT_MIN_NS)
    if not config.HasField("max_backoff_duration"):
        config.max_backoff_duration.FromNanoseconds(_DEFAULT_MAX_NS)


def again_ns(config: Any, failures: int, age_ns: int) -> int | None:
    """How long after so many failures an attempt is made again; None: never."""
    longest = int(config.max_retry_duration.ToNanoseconds())
    # The first attempt is no retry.
    if not config.retry_count and not longest:
        return None
    if backoff.used_up(int(config.retry_count), failures - 1, longest, age_ns):
        return None
    least = int(config.min_backoff_duration.ToNanoseconds())
    most = int(config.max_backoff_duration.ToNanoseconds())
    return backoff.pause_ns(least, most, int(config.max_doublings), failures)


def following_ns(cron: str, zone: str, after_ns: int) -> int | None:
    """When a cron expression comes next in a time zone; INVALID_ARGUMENT for what is none, None for never."""
    timezone = "UTC" if zone.lower() in ("", "utc", "etc/utc") else zone
    try:
        when = timer_times.parse({"type": "scheduled", "cron": cron, "timezone": timezone})
    except Rejected as error:
        raise errors.invalid(f"Schedule or time zone is invalid: {error.message}") from None
    after = after_ns // _MS
    at = timer_times.following(when, after, after)
    return None if at is None else at * _MS
