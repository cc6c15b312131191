"""Child processes of the local stack: started in a group of their own, ended for certain."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent


class StartError(RuntimeError):
    """A child process did not start; the message ends with what it printed."""


@dataclass
class Child:
    """A running child with its process group."""

    name: str
    process: subprocess.Popen[bytes]

    def alive(self) -> bool:
        """Whether the process itself still runs."""
        return self.process.poll() is None

    def terminate(self) -> None:
        """Ask the whole group to end."""
        _signal_group(self.process, signal.SIGTERM)

    def stop(self, grace: float = 3.0) -> None:
        """End the whole group: politely, then surely after ``grace`` seconds."""
        self.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(grace)
        self.kill()

    def kill(self) -> None:
        """SIGKILL the whole group and reap the child."""
        _signal_group(self.process, signal.SIGKILL)
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def _signal_group(process: subprocess.Popen[bytes], signum: int) -> None:
    try:
        os.killpg(process.pid, signum)
    except ProcessLookupError:
        return  # the whole group is gone already, which is what was asked for


def spawn(
    name: str,
    command: Sequence[str],
    env: Mapping[str, str] | None = None,
    stdout: int | IO[bytes] | None = subprocess.PIPE,
    stderr: int | IO[bytes] | None = None,
    cwd: Path = ROOT,
    stdin: int = subprocess.DEVNULL,
) -> Child:
    """Start a command in a session of its own, with ``env`` on top of this process's environment."""
    process = subprocess.Popen(
        list(command),
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
    return Child(name, process)


def read_ready_line(child: Child, timeout: float = 30.0) -> dict[str, Any]:
    """Wait for the one line of JSON that an emulator prints when it listens."""
    stream = child.process.stdout
    if stream is None:
        raise StartError(f"{child.name}: started without a pipe")
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        ready, _, _ = select.select([stream], [], [], 0.2)
        if not ready:
            continue
        line = stream.readline()
        if not line:
            raise StartError(f"{child.name}: ended with status {child.process.wait()} before it was ready")
        if line.startswith(b'{"ready"'):
            answer: dict[str, Any] = json.loads(line)
            return answer
    child.kill()
    raise StartError(f"{child.name}: not ready after {timeout:.0f} s")


def python(*args: str) -> list[str]:
    """A command that runs this interpreter."""
    return [sys.executable, *args]
