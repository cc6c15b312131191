"""What Cloud Scheduler does: posts to functions when a cron expression says so, on the stack's clock.

As the service does, an instant that passed while nothing ran is not made up for, nor one that a moved clock
has leapt over. Where a function fails, the next instant is the next try.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from cronsim import CronSim

from local.logs import Log
from local.topology import Schedule
from shared import clock

# How long a moved clock may go unnoticed, in seconds.
_SLICE = 0.1


class Schedules:
    """All schedules of a stack. ``url`` gives the address of a function's pushes."""

    def __init__(
        self, schedules: Iterable[Schedule], url: Callable[[str], str], clock_file: Path | None, log: Log
    ) -> None:
        self._schedules = tuple(schedules)
        self._url = url
        self._clock_file = clock_file
        self._log = log
        self._running: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin, one task each."""
        for schedule in self._schedules:
            self._running.add(asyncio.create_task(self._run(schedule)))

    async def stop(self) -> None:
        """End; requests under way are given up."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._running.clear()

    def now(self) -> float:
        """Seconds since the epoch by the stack's clock."""
        offset = clock.offset_in(self._clock_file) if self._clock_file else 0
        return time.time() + offset / 1e9

    async def _run(self, schedule: Schedule) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
            while True:
                due = following(schedule.cron, self.now())
                while (left := due - self.now()) > 0:  # noqa: ASYNC110 another process moves the clock
                    await asyncio.sleep(min(left, _SLICE))
                await self._post(session, schedule)

    async def _post(self, session: aiohttp.ClientSession, schedule: Schedule) -> None:
        body = json.dumps(dict(schedule.message)).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "Google-Cloud-Scheduler"}
        try:
            async with session.post(self._url(schedule.function), data=body, headers=headers) as answer:
                if answer.status >= 400:
                    self._log.say(f"schedule {schedule.name}: {schedule.function} answered {answer.status}")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._log.say(f"schedule {schedule.name}: {type(error).__name__}: {error}")


def following(cron: str, now: float) -> float:
    """The next instant after ``now`` that a cron expression names, in UTC; seconds since the epoch."""
    return next(CronSim(cron, datetime.fromtimestamp(now, UTC))).timestamp()
