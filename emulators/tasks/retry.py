"""When a task that failed comes again: the queue's retry settings, with the service's defaults. Pure."""

from __future__ import annotations

from typing import Any

_DEFAULT_ATTEMPTS = 100
_DEFAULT_MIN_NS = 100_000_000
_DEFAULT_MAX_NS = 3_600_000_000_000
_DEFAULT_DOUBLINGS = 16


def fill(config: Any) -> None:
    """Put the service's defaults where a queue's ``retry_config`` says nothing."""
    config.max_attempts = config.max_attempts or _DEFAULT_ATTEMPTS
    config.max_doublings = config.max_doublings or _DEFAULT_DOUBLINGS
    if not config.HasField("min_backoff"):
        config.min_backoff.FromNanoseconds(_DEFAULT_MIN_NS)
    if not config.HasField("max_backoff"):
        config.max_backoff.FromNanoseconds(_DEFAULT_MAX_NS)


def pause_ns(config: Any, failures: int) -> int:
    """How long a task waits after so many failures: doubled so many times, then the same step added."""
    least, most = int(config.min_backoff.ToNanoseconds()), int(config.max_backoff.ToNanoseconds())
    doublings = min(failures - 1, int(config.max_doublings))
    pause: int = least * 2**doublings
    pause += (failures - 1 - doublings) * pause
    return min(pause, most)


def given_up(config: Any, failures: int, age_ns: int) -> bool:
    """Whether a task is tried no more: both limits are reached, of those that are set."""
    attempts, limit = int(config.max_attempts), int(config.max_retry_duration.ToNanoseconds())
    out_of_tries = 0 < attempts <= failures
    if not limit:
        return out_of_tries
    out_of_time = age_ns >= limit
    return out_of_time if attempts < 0 else out_of_tries and out_of_time
