"""Child processes in groups of their own: nothing of this process's files reaches them.

Not by asyncio's own means: uvloop's hand a child copies of this process's output, which then does not end
with this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulators.functions.leash import Leash


class Child:
    """A running process. ``output``: what it says; ``ended``: its exit status (negative: the signal)."""

    def __init__(
        self, process: subprocess.Popen[bytes], output: asyncio.StreamReader, ended: asyncio.Future[int]
    ) -> None:
        self.pid = process.pid
        self.output = output
        self.ended = ended

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return not self.ended.done()

    def signal(self, signum: int) -> None:
        """Send a signal to the whole group, if there is any of it left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signum)

    def kill(self) -> None:
        """SIGKILL the whole group."""
        self.signal(signal.SIGKILL)


async def spawn(
    leash: Leash, command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Child:
    """Start a command in a group of its own; ``env``: all that it sees, this process's own without it."""
    process = subprocess.Popen(  # noqa: ASYNC220 it returns as soon as the program is started
        list(command),
        cwd=cwd,
        env=None if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    leash.started(process.pid)
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    threading.Thread(target=_wait, args=(process, loop, ended, leash), daemon=True).start()
    output = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(output), process.stdout)
    return Child(process, output, ended)


def _wait(
    process: subprocess.Popen[bytes],
    loop: asyncio.AbstractEventLoop,
    ended: asyncio.Future[int],
    leash: Leash,
) -> None:
    status = process.wait()

    def tell() -> None:
        # What it has started must not outlive it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        leash.ended(process.pid)
        if not ended.done():
            ended.set_result(status)

    # The loop may have ended before the process.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(tell)
