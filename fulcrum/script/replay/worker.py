"""The process of one side: loads a version, and answers batches of lines.

Started as ``python -m fulcrum.script.replay.worker FOLDER VERSION DEPLOYED SECONDS PROGRESS``. Frames on
standard input and output: four bytes of length, one of kind, the content. In: ``L`` lines, ``F`` the end
(epoch ms until when timers still fire, or nothing). Out: ``S`` loaded (a description of the code), ``E`` it
cannot be loaded, ``R`` for each ``L`` a list of what its lines came to, ``T`` all in all.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import mmap
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import BinaryIO

import msgspec

from fulcrum.script import seccomp, wire
from fulcrum.script.loading import Code, LoadError, load
from fulcrum.script.replay import answers, lines
from fulcrum.script.replay.side import Side
from fulcrum.script.running import Runner, TimeLimit

_HEAD = 5
_NO_NEW_PRIVILEGES = 38
# A version that hangs would hang at every event: after so many it is given up, with this code.
TOO_SLOW, MOST_SLOW = 75, 10


def send(stream: BinaryIO, kind: bytes, content: bytes) -> None:
    """Write a frame."""
    stream.write(len(content).to_bytes(4, "big") + kind + content)
    stream.flush()


def frames(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Read frames to the end of a stream; a last one that is not whole is none."""
    while True:
        head = stream.read(_HEAD)
        if len(head) < _HEAD:
            return
        length = int.from_bytes(head[:4], "big")
        content = stream.read(length)
        if len(content) < length:
            return
        yield head[4:], content


class _TimeGuard:
    """Ends a run that takes too long, by the alarm of this process; after some of them the process."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._slow = 0
        self._is_slow = False
        signal.signal(signal.SIGALRM, self._ring)

    def __call__(self) -> _TimeGuard:
        return self

    def __enter__(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, self._seconds, self._seconds)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if self._is_slow:
            self._is_slow = False
            self._slow += 1
            if self._slow >= MOST_SLOW:
                os._exit(TOO_SLOW)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        self._is_slow = True
        raise TimeLimit(f"one event took longer than {self._seconds:g} s")


def serve(code: Code, deployed: bool, seconds: float, progress: mmap.mmap, answer: BinaryIO) -> None:
    """Answer all that comes on standard input."""
    side = Side(Runner(code, interruptible=False), _TimeGuard(seconds), deployed=deployed)
    done = 0
    decode = lines.decoder.decode
    for kind, content in frames(sys.stdin.buffer):
        if kind == b"L":
            found = []
            for line in content.splitlines():
                # Where this process ends within a run, whoever started it learns by which line.
                progress[:8] = done.to_bytes(8, "big")
                done += 1
                made = side.take(decode(line))
                found.append(answers.encode_ran(made) if made else b"")
            send(answer, b"R", msgspec.msgpack.encode(found))
        else:
            made = side.finish(int(content) if content else None)
            send(answer, b"R", msgspec.msgpack.encode([answers.encode_ran(made)]))
            send(answer, b"T", msgspec.json.encode(side.total()))


def _hold() -> None:
    """As in the platform: what a script would do outside is refused. Where the system cannot, it is done.

    The script is that of whoever replays it, on his machine: this keeps a replay from sending, nobody out.
    """
    if seccomp.problem():
        return
    with contextlib.suppress(OSError):
        if not ctypes.CDLL(None, use_errno=True).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
            seccomp.restrict(network=False)


def main() -> None:
    """Load and serve."""
    folder, version, deployed, seconds, shared = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What code prints while it is loaded goes to nobody: standard output is for frames alone.
    answer = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _hold()
    try:
        code = load(Path(folder), int(version))
    except LoadError as error:
        send(answer, b"E", msgspec.json.encode([str(error), error.traceback]))
        return
    described = wire.Description(script_version=code.version, entries=list(code.entries.values()))
    send(answer, b"S", msgspec.json.encode(described))
    gc.freeze()
    # Structures of a replay have no cycles; what scripts make is collected now and then all the same.
    gc.set_threshold(20_000, 20, 50)
    progress = mmap.mmap(int(shared), 8)
    with contextlib.suppress(BrokenPipeError):
        serve(code, deployed == "1", float(seconds), progress, answer)


if __name__ == "__main__":
    main()
