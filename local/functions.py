"""Functions as the cloud runs them: a process starts with the first request and ends when it is idle."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from local import children, ports
from local.logs import Log
from local.topology import Function

# A start that takes longer has hung.
_START_SECONDS = 60.0
# How long requests in flight get when a process is ended.
GRACE_SECONDS = 3.0


class Unavailable(Exception):
    """The function cannot take a request now; the message says why."""


class Instance:
    """One process of a function that listens."""

    def __init__(self, child: children.ChildProcess, port: ports.Reserved) -> None:
        self.child = child
        self.url = f"http://{ports.HOST}:{port.port}"
        self._port = port
        child.ended.add_done_callback(lambda _: port.release())


class FunctionRunner:
    """Starts, counts and ends the process of one function. ``environment`` is all that it gets to see."""

    def __init__(
        self, function: Function, environment: Mapping[str, str], log: Log, idle_seconds: float
    ) -> None:
        self.function = function
        self.starts = 0
        self.in_flight = 0
        self._environment = environment
        self._log = log
        self._idle_seconds = idle_seconds
        self._concurrent = asyncio.Semaphore(function.concurrency)
        self._instance: Instance | None = None
        self._starting: asyncio.Task[Instance] | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process that serves now."""
        return self._instance.child.pid if self._instance else None

    @property
    def state(self) -> str:
        """``cold``, ``starting`` or ``running``."""
        if self._starting is not None:
            return "starting"
        return "running" if self._instance else "cold"

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A place among the requests that the function takes at once; the others wait here."""
        async with self._concurrent:
            self.in_flight += 1
            if self._idle_timer is not None:
                self._idle_timer.cancel()
                self._idle_timer = None
            try:
                yield
            finally:
                self.in_flight -= 1
                self._arm_idle_timer()

    async def instance(self) -> Instance:
        """The process to send a request to, started if there is none; Unavailable if it does not start."""
        if self._instance is not None:
            return self._instance
        if self._closed:
            raise Unavailable(f"{self.function.name} is being stopped")
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(_note)
        # Shielded: others wait for the same start, whatever becomes of this request.
        return await asyncio.shield(self._starting)

    def gone(self, instance: Instance) -> None:
        """Note that nothing listens there any more, so that the next request starts anew."""
        if self._instance is instance:
            self._instance = None

    async def _start(self) -> Instance:
        name = self.function.name
        began = time.monotonic()
        port = ports.reserve()
        try:
            child = await self._spawn(port)
            ready = asyncio.create_task(ports.listening(port.port, _START_SECONDS))
            await asyncio.wait([ready, child.ended], return_when=asyncio.FIRST_COMPLETED)
            if not child.alive or not (ready.done() and ready.result()):
                ready.cancel()
                child.kill()
                status = await child.ended
                port.release()
                raise Unavailable(f"{name} did not start (status {status}): see its lines in the log")
        finally:
            self._starting = None
        instance = Instance(child, port)
        self.starts += 1
        self._instance = instance
        child.ended.add_done_callback(lambda task: self._ended(instance, task.result()))
        self._arm_idle_timer()
        self._log.say(f"{name} started in {(time.monotonic() - began) * 1000:.0f} ms (pid {child.pid})")
        return instance

    async def _spawn(self, port: ports.Reserved) -> children.ChildProcess:
        try:
            command = self._command(port.port)
            return await children.start(self.function.name, command, self._environment, self._log)
        except OSError as error:
            port.release()
            raise Unavailable(f"{self.function.name} cannot be started: {error}") from error

    def _command(self, port: int) -> list[str]:
        source = self.function.folder / "main.py"
        return [
            *_functions_framework(),
            *("--source", str(source), "--target", self.function.name),
            *("--host", ports.HOST, "--port", str(port)),
        ]

    def _ended(self, instance: Instance, status: int) -> None:
        if self._instance is instance:
            self._instance = None
            how = signal.Signals(-status).name if status < 0 else f"status {status}"
            self._log.say(f"{self.function.name} ended with {how}; the next request starts it again")

    def _arm_idle_timer(self) -> None:
        if self.in_flight or not self._idle_seconds or self._closed:
            return
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._idle_timer = asyncio.get_running_loop().call_later(self._idle_seconds, self._end_idle)

    def _end_idle(self) -> None:
        if self.in_flight or self._instance is None:
            return
        self._log.say(f"{self.function.name} was idle for {self._idle_seconds:g} s and ends")
        instance, self._instance = self._instance, None
        task = asyncio.create_task(self._end(instance))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, instance: Instance, grace: float = GRACE_SECONDS) -> None:
        await instance.child.stop(grace)

    def kill(self) -> bool:
        """SIGKILL the process group, as if the machine had died; false if none runs."""
        if self._instance is None:
            return False
        instance, self._instance = self._instance, None
        instance.child.kill()
        self._log.say(f"{self.function.name} was killed on request")
        return True

    async def stop(self, grace: float = GRACE_SECONDS) -> None:
        """End for good; requests in flight get ``grace`` seconds."""
        self._closed = True
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if self._starting is not None:
            await asyncio.wait([self._starting])
        instance, self._instance = self._instance, None
        if instance is not None:
            await self._end(instance, grace)
        if self._ending:
            await asyncio.wait(self._ending)


def _note(start: asyncio.Task[Instance]) -> None:
    """Look at a start's outcome, for the case that nobody waits for it any more; the log has the reason."""
    if not start.cancelled():
        start.exception()


def _functions_framework() -> list[str]:
    """The command beside this interpreter, as pip installs it."""
    beside = Path(sys.executable).with_name("functions-framework")
    if beside.exists():
        # By this interpreter: the script's first line names another one if the folder was moved.
        return [sys.executable, str(beside)]
    found = shutil.which("functions-framework")
    if found is None:
        raise Unavailable("functions-framework is not installed: pip install -r requirements.txt")
    return [found]
