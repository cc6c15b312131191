"""How long what failed waits: the growth that Cloud Tasks and Cloud Scheduler share. Pure."""

from __future__ import annotations


def pause_ns(least: int, most: int, doublings: int, failures: int) -> int:
    """After so many failures: ``least``, doubled so many times, then grown by one step; at most ``most``."""
    doubled = min(failures - 1, doublings)
    pause: int = least * 2**doubled
    pause += (failures - 1 - doubled) * pause
    return min(pause, most)


def used_up(attempts: int, failures: int, longest_ns: int, age_ns: int) -> bool:
    """Whether nothing is tried any more: both limits are reached, of those that are set.

    ``attempts`` below 0: no limit; ``longest_ns`` 0: no limit.
    """
    out_of_tries = 0 <= attempts <= failures
    if not longest_ns:
        return out_of_tries
    return age_ns >= longest_ns and (attempts < 0 or out_of_tries)
