"""Arming: a Cloud Task for each firing that is due soon, so that it comes at its instant.

A timer that fires within :data:`WINDOW` is armed when it is set, when it has fired, and by the sweep. The
task's name follows from the firing: making it a second time is refused, which is as good. One that is overdue
(its task was given up) is armed again every ten minutes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence

import msgspec

from fulcrum.core import ids
from functions.scheduler import store, timers
from functions.scheduler.timers import Timer
from shared import clock, names
from shared.clients import tasks
from shared.config import settings

QUEUE = "timers"
# The sweep comes every minute; one that is late or fails is made good by the next two.
WINDOW = 180_000
_AGAIN = 600_000
_AT_ONCE = 20
_SWEEP_SECONDS = 40.0


class FireTimer(msgspec.Struct, frozen=True, rename="camel", tag="fireTimer", tag_field="type"):
    """The body of a task: which firing of which timer, and what that ends with."""

    project_id: str
    timer_id: str
    stamp: timers.Stamp
    fire_time: int
    device_id: str | None = None
    managed: bool = False


async def arm(found: Iterable[Timer]) -> int:
    """Arm those that fire soon; how many were not armed before. Transient where one may not be."""
    now = clock.now_ms()
    soon = [timer for timer in found if timer.fire_time is not None and timer.fire_time <= now + WINDOW]
    armed = 0
    for some in store.chunks(soon, _AT_ONCE):
        armed += sum(await asyncio.gather(*(tasks.create(QUEUE, task(timer, now)) for timer in some)))
    return armed


def task(timer: Timer, now: int) -> tasks.Task:
    """The task of a timer's next firing."""
    due = timer.fire_time or 0
    again = max(0, now - due) // _AGAIN
    firing = FireTimer(timer.project_id, timer.timer_id, timer.stamp, due, timer.device_id, timer.managed)
    task_id = ids.digest("arm", timers.fire_id(timer, due), str(again))
    return tasks.Task(task_id, settings().text("TASKS_TARGET", ""), msgspec.json.encode(firing), due)


async def sweep() -> tuple[int, int]:
    """Arm what fires within the window: (timers seen, timers that were not armed before).

    Ends after 40 s; what is left is the next sweep's, the earliest first.
    """
    until, ends = clock.now_ms() + WINDOW, time.monotonic() + _SWEEP_SECONDS
    seen = armed = 0
    after: tuple[int, str] | None = None
    while time.monotonic() < ends:
        page: Sequence[Timer] = await store.due(until, after)
        armed += await arm(page)
        seen += len(page)
        if len(page) < store.PAGE:
            break
        last = page[-1]
        after = (last.fire_time or 0, names.running_timer(last.project_id, last.timer_id))
    return seen, armed
