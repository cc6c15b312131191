"""The processes of a replay's sides, seen from the one that reads the input.

A process of its own for each version: what a script does to its process it does to its own side. Both work
at the same time, which is what uses two cores; what goes between is batches, never single events.
"""

from __future__ import annotations

import mmap
import os
import queue
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import msgspec

from fulcrum.script.replay.answers import Totals
from fulcrum.script.replay.worker import MOST_SLOW, TOO_SLOW, frames, send
from fulcrum.script.wire import Description

# So many batches may wait for their answers: a slow side stops the reading.
AHEAD = 8
_START_SECONDS = 60.0


class SideFailed(Exception):
    """A side that cannot go on. ``line``: by which line of events (from 0), where that is known."""

    def __init__(self, label: str, message: str, traceback: str = "", line: int | None = None) -> None:
        super().__init__(f"{label}: {message}")
        self.label, self.message, self.traceback, self.line = label, message, traceback, line


class Process:
    """A side's process. ``label``: how people know it."""

    def __init__(self, folder: Path, version: int, label: str, *, deployed: bool, seconds: float) -> None:
        self.label = label
        self.entries: Description | None = None
        self._seconds = seconds
        descriptor = os.memfd_create("progress") if hasattr(os, "memfd_create") else _temporary()
        os.ftruncate(descriptor, 8)
        self._progress = mmap.mmap(descriptor, 8)
        command = [sys.executable, "-m", "fulcrum.script.replay.worker", str(folder), str(version)]
        command += ["1" if deployed else "0", str(seconds), str(descriptor)]
        # Fulcrum's own packages are found as this process finds them, wherever it was started.
        paths = os.pathsep.join(path for path in sys.path if path)
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # As in the platform: a script sees no environment, and no secret that stands in one.
            env={"PATH": os.defpath, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC"},
            pass_fds=(descriptor,),
        )
        os.close(descriptor)
        self._answers: queue.Queue[tuple[bytes, bytes] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        stream = self._child.stdout
        if stream is not None:
            for frame in frames(stream):  # type: ignore[arg-type]  # a pipe that reads bytes
                self._answers.put(frame)
        self._answers.put(None)

    def started(self) -> Description:
        """Wait until the code is loaded; SideFailed where it cannot be."""
        kind, content = self._next(_START_SECONDS)
        if kind == b"E":
            message, traceback = msgspec.json.decode(content)
            raise SideFailed(self.label, message, traceback)
        self.entries = msgspec.json.decode(content, type=Description)
        return self.entries

    def give(self, batch: bytes) -> None:
        """Give lines."""
        self._send(b"L", batch)

    def end(self, until: int | None) -> None:
        """Say that there are no more; timers fire until ``until`` (epoch ms), if that is given."""
        self._send(b"F", b"" if until is None else str(until).encode())

    def answer(self) -> list[bytes]:
        """Wait for the answer to the next batch."""
        found: list[bytes] = msgspec.msgpack.decode(self._next()[1], type=list[bytes])
        return found

    def totals(self) -> Totals:
        """Wait for what it came to in all."""
        return msgspec.json.decode(self._next()[1], type=Totals)

    def rest(self) -> Totals:
        """What it came to, whatever answers are still on their way; nothing if it is gone."""
        try:
            self.end(None)
            while (found := self._next())[0] != b"T":
                continue
        except SideFailed:
            return Totals()
        return msgspec.json.decode(found[1], type=Totals)

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._child.kill()
        self._child.wait()
        self._reader.join()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    # What was not sent is of no use to anybody.
                    continue
        self._progress.close()

    def _send(self, kind: bytes, content: bytes) -> None:
        stream: Any = self._child.stdin
        try:
            send(stream, kind, content)
        except (BrokenPipeError, OSError):
            raise self._gone() from None

    def _next(self, seconds: float | None = None) -> tuple[bytes, bytes]:
        try:
            found = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise SideFailed(self.label, f"it was not loaded within {seconds:g} s") from None
        if found is None:
            raise self._gone()
        return found

    def _gone(self) -> SideFailed:
        code = self._child.wait()
        line = int.from_bytes(self._progress[:8], "big")
        if code == TOO_SLOW:
            return SideFailed(
                self.label, f"{MOST_SLOW} events took longer than {self._seconds:g} s", line=line
            )
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        return SideFailed(self.label, f"the script ended its process {how}", line=line)


def _temporary() -> int:
    handle, name = tempfile.mkstemp()
    os.unlink(name)
    return handle
