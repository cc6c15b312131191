"""Times that scripts give: the same hold as for what devices send. Pure, epoch ms."""

from __future__ import annotations

AHEAD_MS = 300_000
EARLIEST_MS = 946_684_800_000
# The history takes rows of the last 1,825 days; Pub/Sub may hold a message for seven of them.
MAX_AGE_MS = (1_825 - 7) * 86_400_000


def problem_of_time(time: int, received: int) -> str:
    """What is wrong with the time of an event received at ``received``; empty if nothing is."""
    after, before = AHEAD_MS // 60_000, MAX_AGE_MS // 86_400_000
    if time > received + AHEAD_MS:
        return f"time {time} is more than {after} minutes after the event was received ({received})"
    if time < EARLIEST_MS:
        return f"time {time} is before the year 2000: times are in epoch milliseconds"
    if time < received - MAX_AGE_MS:
        return f"time {time} is more than {before} days before the event was received ({received})"
    return ""
