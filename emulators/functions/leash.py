"""Ends the process groups that an emulator has started, should the emulator itself be killed.

A process of its own, which needs nothing but Python: its standard input is a pipe whose other end only the
emulator holds. ``+pid`` and ``-pid`` on a line say what has started and ended; when the pipe ends, by
whatever cause, the groups that are left are killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path


class Leash:
    """The emulator's end of it. The process starts with the first group."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def started(self, pid: int) -> None:
        """Hold a process group."""
        self._say(f"+{pid}\n")

    def ended(self, pid: int) -> None:
        """Let a process group go: its id may be another's soon."""
        self._say(f"-{pid}\n")

    def _say(self, line: str) -> None:
        if self._process is None:
            command = [sys.executable, "-S", str(Path(__file__).resolve())]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        if self._process.stdin is not None:
            # Without it there is less order at a violent end, and nothing else.
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()

    def close(self) -> None:
        """End it."""
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait()
            self._process = None


def main() -> None:
    """Hold groups until the pipe ends."""
    held: set[int] = set()
    for line in sys.stdin.buffer:
        pid = int(line[1:])
        if line[:1] == b"+":
            held.add(pid)
        else:
            held.discard(pid)
    for pid in held:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
