"""When a task that failed comes again: the queue's retry settings, with the service's defaults. Pure."""

from __future__ import annotations

from typing import Any

from emulators.kit import backoff

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
    """How long a task waits after so many failures."""
    least, most = int(config.min_backoff.ToNanoseconds()), int(config.max_backoff.ToNanoseconds())
    return backoff.pause_ns(least, most, int(config.max_doublings), failures)


def given_up(config: Any, failures: int, age_ns: int) -> bool:
    """Whether a task is tried no more: both limits are reached, of those that are set."""
    longest = int(config.max_retry_duration.ToNanoseconds())
    return backoff.used_up(int(config.max_attempts), failures, longest, age_ns)
