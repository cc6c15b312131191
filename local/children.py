"""Processes that the stack's event loop looks after: their output is logged, their group ends with them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.logs import Log
from local.processes import ROOT


class ChildProcess:
    """A running process in a session of its own."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, reader: asyncio.Task[None]) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process
        self._reader = reader
        self.ended: asyncio.Task[int] = asyncio.create_task(self._wait())

    @property
    def alive(self) -> bool:
        """Whether the process itself still runs."""
        return self._process.returncode is None

    async def _wait(self) -> int:
        status = await self._process.wait()
        # Its workers must not outlive it: uvicorn's do not notice that their master was killed.
        self.signal(signal.SIGKILL)
        await self._reader
        return status

    def signal(self, signum: int) -> None:
        """Send a signal to the whole group, if there is any of it left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signum)

    def kill(self) -> None:
        """SIGKILL the whole group."""
        self.signal(signal.SIGKILL)

    async def stop(self, grace: float) -> int:
        """SIGTERM, and SIGKILL after ``grace`` seconds; the exit status (negative: the signal)."""
        self.signal(signal.SIGTERM)
        await asyncio.wait([self.ended], timeout=grace)
        self.kill()
        return await self.ended


async def start(
    name: str,
    command: Sequence[str],
    env: Mapping[str, str],
    log: Log,
    take: Callable[[str], bool] | None = None,
    cwd: Path = ROOT,
) -> ChildProcess:
    """Start a command with exactly ``env``; its output goes to the log, but for lines that ``take`` keeps."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    if process.stdout is None:
        raise RuntimeError(f"{name}: started without a pipe")
    reader = asyncio.create_task(log.follow(name, process.stdout, take))
    return ChildProcess(name, process, reader)
