"""Serving: each function's process starts with its first request, and ends when it is idle, hangs or dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from emulators.functions import names, processes
from emulators.functions.builds import Build
from emulators.functions.leash import Leash
from emulators.functions.processes import Process

# What Cloud Functions sets where nothing is said.
DEFAULT_TIMEOUT = 60
_ANSWER_LIMIT = 32 * 1024 * 1024


class Hung(Exception):
    """A function gave no answer in its time; its process is ended."""


class Broken(Exception):
    """A process that ended, or did not start, before it answered."""


class Serving:
    """The process of one function. ``function`` and ``build`` are what is in traffic."""

    def __init__(
        self,
        function: Any,
        build: Build,
        leash: Leash,
        mark: Mapping[str, str],
        session: aiohttp.ClientSession,
        idle: float,
    ) -> None:
        self.function = function
        self._build = build
        self._leash = leash
        self._mark = mark
        self._session = session
        self._idle = idle
        self._process: Process | None = None
        self._starting: asyncio.Task[Process] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._places = asyncio.Semaphore(function.service_config.max_instance_request_concurrency or 1)
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def timeout(self) -> int:
        """Seconds that a request may take."""
        return int(self.function.service_config.timeout_seconds) or DEFAULT_TIMEOUT

    async def start(self) -> None:
        """Start a process now; :class:`processes.StartError` if it does not listen."""
        await self._ready()

    async def call(
        self, method: str, path: str, headers: Any, body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Pass a request on: (status, headers, body). Hung or Broken where there is no answer."""
        try:
            # A start has a limit of its own.
            await self._ready()
            async with asyncio.timeout(self.timeout), self._places:
                process = await self._ready()
                async with self._busy(process):
                    return await self._exchange(process, method, path, headers, body)
        except TimeoutError:
            # It may loop for ever: nobody gets an answer from it again.
            hung, self._process = self._process, None
            if hung is not None:
                hung.kill()
                await hung.ended
            raise Hung(f"no answer within {self.timeout} s") from None
        except (processes.StartError, aiohttp.ClientError) as error:
            raise Broken(f"{type(error).__name__}: {error}") from error

    async def _exchange(
        self, process: Process, method: str, path: str, headers: Any, body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        async with self._session.request(
            method, process.url + path, headers=headers, data=body or None, allow_redirects=False
        ) as answer:
            content = await answer.content.read(_ANSWER_LIMIT + 1)
            while len(content) <= _ANSWER_LIMIT and (more := await answer.content.read(_ANSWER_LIMIT)):
                content += more
            if len(content) > _ANSWER_LIMIT:
                raise aiohttp.ClientPayloadError(f"the answer is over {_ANSWER_LIMIT} bytes")
            kind = answer.headers.get("Content-Type", "application/octet-stream")
            return answer.status, {"Content-Type": kind}, content

    @asynccontextmanager
    async def _busy(self, process: Process) -> AsyncIterator[None]:
        self._cancel_timer()
        process.in_flight += 1
        try:
            yield
        finally:
            process.in_flight -= 1
            self._arm()

    async def _ready(self) -> Process:
        if self._process is not None and self._process.alive:
            return self._process
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(_note)
        # Shielded: others wait for the same start, whatever becomes of this request.
        return await asyncio.shield(self._starting)

    async def _start(self) -> Process:
        function = self.function
        name = names.parts(function.name, "functions")[1]
        try:
            self._process = await processes.start(
                self._leash,
                name,
                self._build.python,
                self._build.folder,
                function.build_config.entry_point,
                self._environment(),
            )
        finally:
            self._starting = None
        self._arm()
        return self._process

    def _environment(self) -> dict[str, str]:
        """What Cloud Functions gives, the function's own variables, and the mark of what started it all."""
        function = self.function
        name = names.parts(function.name, "functions")[1]
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            **dict(function.service_config.environment_variables),
            "FUNCTION_TARGET": function.build_config.entry_point,
            "FUNCTION_SIGNATURE_TYPE": "http",
            "K_SERVICE": name,
            "K_CONFIGURATION": name,
            "K_REVISION": function.service_config.revision,
            **self._mark,
        }

    def _arm(self) -> None:
        self._cancel_timer()
        if self._idle and self._process is not None and not self._process.in_flight:
            self._timer = asyncio.get_running_loop().call_later(self._idle, self._end_idle)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_idle(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._spawn(process.stop)

    def _spawn(self, work: Callable[[], Any]) -> None:
        task = asyncio.create_task(work())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def retire(self) -> None:
        """End it once what is in flight has its answer: another revision has the traffic."""
        self._cancel_timer()
        process, self._process = self._process, None
        if process is not None:
            waited = 0.0
            while process.in_flight and process.alive and waited < self.timeout:
                await asyncio.sleep(0.05)
                waited += 0.05
            await process.stop()

    async def close(self) -> None:
        """End it at once."""
        self._cancel_timer()
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait([self._starting])
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await process.ended
        if self._ending:
            await asyncio.wait(self._ending)

    @property
    def pid(self) -> int | None:
        """The process that serves now; None for one that is cold."""
        return self._process.pid if self._process is not None and self._process.alive else None


def _note(start: asyncio.Task[Process]) -> None:
    """Look at a start's outcome, for the case that nobody waits for it any more."""
    if not start.cancelled():
        start.exception()
