"""Dispatch: an HTTP request for each task that is due, with the service's headers."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from emulators.kit.faults import Faults, InjectedFault
from emulators.kit.requests import METHODS, Caller
from emulators.tasks.state import Tasks

_OWN = ("x-cloudtasks-", "x-google-")


class Dispatcher:
    """Sends the requests of tasks, and tells the state what came of them."""

    def __init__(self, tasks: Tasks, faults: Faults, caller: Caller) -> None:
        self._tasks = tasks
        self._caller = caller
        self._faults = faults
        self._flights: set[asyncio.Task[None]] = set()
        tasks.dispatch = self._start

    def _start(self, task: Any) -> None:
        flight = asyncio.get_running_loop().create_task(self._fly(task))
        self._flights.add(flight)
        flight.add_done_callback(self._flights.discard)

    async def _fly(self, task: Any) -> None:
        dispatched = self._tasks.now_ns()
        status: int | None = None
        try:
            await self._faults.before("Dispatch")
            status = await self._send(task)
            self._faults.after("Dispatch")
        except (aiohttp.ClientError, OSError, TimeoutError, InjectedFault):
            status = None  # nobody listens, too late, the connection broke: a failed attempt like any other
        self._tasks.answered(task.name, status, dispatched)

    async def _send(self, task: Any) -> int:
        request = task.http_request
        seconds = task.dispatch_deadline.ToNanoseconds() / 1e9
        method = METHODS[request.http_method]
        return await self._caller.status(method, request.url, request.body, headers(task), seconds)

    async def close(self) -> None:
        """End all requests."""
        for flight in tuple(self._flights):
            flight.cancel()
        await asyncio.gather(*self._flights, return_exceptions=True)
        await self._caller.close()


def headers(task: Any) -> dict[str, str]:
    """The headers of a dispatch: the task's own, and the service's over them."""
    own = {
        key: value
        for key, value in task.http_request.headers.items()
        if not key.lower().startswith(_OWN) and key.lower() not in ("host", "content-length")
    }
    kept = {"User-Agent": "Google-Cloud-Tasks", **own}
    if task.http_request.body and not any(key.lower() == "content-type" for key in own):
        kept["Content-Type"] = "application/octet-stream"
    queue, _, short = task.name.partition("/tasks/")
    kept |= {
        "X-CloudTasks-QueueName": queue.rpartition("/")[2],
        "X-CloudTasks-TaskName": short,
        "X-CloudTasks-TaskRetryCount": str(task.dispatch_count),
        "X-CloudTasks-TaskExecutionCount": str(task.response_count),
        "X-CloudTasks-TaskETA": f"{task.schedule_time.ToNanoseconds() / 1e9:.6f}",
    }
    if task.last_attempt.response_status.message:
        kept["X-CloudTasks-TaskPreviousResponse"] = task.last_attempt.response_status.message.rpartition(" ")[
            2
        ]
    return kept
