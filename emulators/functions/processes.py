"""Processes of functions: one functions-framework each, in a group and a clean environment of its own."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulators.functions import children
from emulators.functions.children import Child
from emulators.functions.leash import Leash
from emulators.kit.serve import HOST

# A start that takes longer has hung.
START_SECONDS = 60.0
_GRACE_SECONDS = 2.0
_TAIL_LINES = 60
_MAX_LINE = 2_000


class StartError(Exception):
    """A process that did not listen; the text is the end of what it said."""

    def __init__(self, port: int, tail: str) -> None:
        super().__init__(tail)
        self.port = port


class Process:
    """A functions-framework process that listens at ``url``."""

    def __init__(self, name: str, child: Child, port: int, holder: socket.socket, home: str) -> None:
        self.url = f"http://{HOST}:{port}"
        self.pid = child.pid
        self.in_flight = 0
        self.tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._name = name
        self._child = child
        self._holder = holder
        self._home = home
        self._reader = asyncio.create_task(self._follow())
        self.ended = asyncio.create_task(self._wait())

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._child.alive

    async def _wait(self) -> int:
        status = await asyncio.shield(self._child.ended)
        self._holder.close()
        shutil.rmtree(self._home, ignore_errors=True)
        await self._reader
        return status

    async def _follow(self) -> None:
        rest = b""
        while part := await self._child.output.read(65536):
            *lines, rest = (rest + part).split(b"\n")
            self._say(lines)
            if len(rest) > _MAX_LINE:
                self._say([rest])
                rest = b""
        self._say([rest] if rest else [])

    def _say(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            text = line[:_MAX_LINE].decode(errors="replace").rstrip()
            self.tail.append(text)
            sys.stdout.write(f"{self._name}: {text}\n")
        sys.stdout.flush()

    def kill(self) -> None:
        """SIGKILL the whole group."""
        self._child.kill()

    async def stop(self) -> None:
        """SIGTERM, and soon after SIGKILL."""
        self._child.signal(signal.SIGTERM)
        await asyncio.wait([self.ended], timeout=_GRACE_SECONDS)
        self.kill()
        await self.ended


async def start(
    leash: Leash, name: str, python: str, folder: Path, target: str, env: Mapping[str, str]
) -> Process:
    """Start the function ``target`` of ``folder`` and wait until it listens; StartError if it does not.

    ``env`` is all that it sees beside ``PORT`` and ``HOME``, which is empty, its own, and goes with it.
    """
    holder = _reserve()
    port: int = holder.getsockname()[1]
    if sys.platform != "linux":
        holder.close()
    # -P: as in the cloud, the working directory is not on the path.
    command = [python, "-P", "-m", "functions_framework", "--source", "main.py", "--target", target]
    command += ["--host", HOST, "--port", str(port)]
    home = tempfile.mkdtemp(prefix="fn-")
    try:
        variables = {**env, "HOME": home, "PORT": str(port)}
        child = await children.spawn(leash, command, cwd=folder, env=variables)
    except OSError as error:
        holder.close()
        shutil.rmtree(home, ignore_errors=True)
        raise StartError(port, str(error)) from error
    process = Process(name, child, port, holder, home)
    listens = asyncio.create_task(_listening(port))
    try:
        await asyncio.wait([listens, process.ended], return_when=asyncio.FIRST_COMPLETED)
        if listens.done() and listens.result() and process.alive:
            return process
    except asyncio.CancelledError:
        process.kill()
        raise
    finally:
        listens.cancel()
    process.kill()
    await process.ended
    raise StartError(port, "\n".join(process.tail))


async def _listening(port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return True
    return False


def _reserve() -> socket.socket:
    # On Linux, bound without listening it keeps the port from others, while a server with SO_REUSEADDR may
    # bind it.
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((HOST, 0))
    return holder
