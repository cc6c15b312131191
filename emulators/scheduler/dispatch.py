"""Dispatch: an HTTP request for each attempt of a job, with the service's headers."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any

import aiohttp
import grpc

from emulators.kit.faults import Faults, InjectedFault
from emulators.kit.requests import METHODS, Caller
from emulators.scheduler.state import Execution, Jobs

_OWN = ("x-cloudscheduler", "x-google-", "x-appengine-")
_OWN_NAMES = ("host", "content-length", "user-agent")
_Code = grpc.StatusCode
_UNKNOWN = _Code.UNKNOWN.value[0]
_UNAVAILABLE = _Code.UNAVAILABLE.value[0]
_TOO_LATE = _Code.DEADLINE_EXCEEDED.value[0]
# HTTP status → canonical code, as google.rpc.Code gives the pairs.
_CODES = {
    400: _Code.INVALID_ARGUMENT,
    401: _Code.UNAUTHENTICATED,
    403: _Code.PERMISSION_DENIED,
    404: _Code.NOT_FOUND,
    409: _Code.ABORTED,
    429: _Code.RESOURCE_EXHAUSTED,
    499: _Code.CANCELLED,
    500: _Code.INTERNAL,
    501: _Code.UNIMPLEMENTED,
    503: _Code.UNAVAILABLE,
    504: _Code.DEADLINE_EXCEEDED,
}


class Dispatcher:
    """Sends the requests of jobs, tells the state what came of them, and standard error what failed."""

    def __init__(self, jobs: Jobs, faults: Faults, caller: Caller) -> None:
        self._jobs = jobs
        self._faults = faults
        self._caller = caller
        self._flights: set[asyncio.Task[None]] = set()
        jobs.dispatch = self._start

    def _start(self, job: Any, execution: Execution) -> None:
        flight = asyncio.get_running_loop().create_task(self._fly(job, execution))
        self._flights.add(flight)
        flight.add_done_callback(self._flights.discard)

    async def _fly(self, job: Any, execution: Execution) -> None:
        attempted = self._jobs.now_ns()
        code, message = await self._attempt(job, execution)
        if code:
            short = job.name.rpartition("/")[2]
            sys.stderr.write(f"job {short}: {job.http_target.uri}: {message}\n")
        self._jobs.answered(job.name, execution, code, message, attempted)

    async def _attempt(self, job: Any, execution: Execution) -> tuple[int, str]:
        """A canonical status code and what is to be said of it."""
        target = job.http_target
        method, seconds = METHODS[target.http_method], job.attempt_deadline.ToNanoseconds() / 1e9
        try:
            await self._faults.before("Dispatch")
            status = await self._caller.status(
                method, target.uri, target.body, headers(job, execution), seconds
            )
            self._faults.after("Dispatch")
        except TimeoutError:
            return _TOO_LATE, f"no answer within {seconds:g} s"
        except (aiohttp.ClientError, OSError, InjectedFault) as error:
            return _UNAVAILABLE, f"no answer: {error}"
        if 200 <= status < 300:
            return 0, ""
        code = _CODES[status].value[0] if status in _CODES else _UNKNOWN
        return int(code), f"HTTP status {status}"

    async def close(self) -> None:
        """End all requests."""
        for flight in tuple(self._flights):
            flight.cancel()
        await asyncio.gather(*self._flights, return_exceptions=True)
        await self._caller.close()


def headers(job: Any, execution: Execution) -> dict[str, str]:
    """The headers of an attempt: the job's own, and the service's over them."""
    target = job.http_target
    kept = {
        key: value
        for key, value in target.headers.items()
        if not key.lower().startswith(_OWN) and key.lower() not in _OWN_NAMES
    }
    if target.body and not any(key.lower() == "content-type" for key in kept):
        kept["Content-Type"] = "application/octet-stream"
    due = datetime.fromtimestamp(execution.due // 1_000_000_000, UTC)
    return {
        **kept,
        "User-Agent": "Google-Cloud-Scheduler",
        "X-CloudScheduler": "true",
        "X-CloudScheduler-JobName": job.name.rpartition("/")[2],
        "X-CloudScheduler-ScheduleTime": due.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
