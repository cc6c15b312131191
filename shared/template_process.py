"""Filling templates in a process beside this one, which is ended where one of them takes too much.

A template may loop for hours or ask for all memory. So the process that fills them has a limit of memory, and
each request one of processor time; one that does not keep to it all the same is killed, and the next request
starts another. It gets a template and its context and nothing else of this process: no setting, no secret.

:func:`fill` and :func:`inspect` are for callers, :func:`serve` is what the process does.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import math
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from typing import IO, Any, NoReturn

import msgspec

from shared.errors import Rejected, Transient

CPU_SECONDS = 1.0
MEMORY_BYTES = 256_000_000
# Far more than the processor time: a machine may have much else to do.
SECONDS = 20.0
_GRACE_SECONDS = 2.0
_START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from shared.template_process import serve
serve()
"""


class Part(msgspec.Struct, frozen=True):
    """A template: of HTML, or of plain text."""

    source: str
    html: bool = False


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a part: the message begins with the line where that is known."""

    part: str
    message: str


class Filled(msgspec.Struct, frozen=True):
    """The parts that could be filled, by name, and what is wrong with the others."""

    texts: dict[str, str] = {}
    problems: list[Problem] = []
    # What the parts take from the context, sorted.
    names: list[str] = []


class _Request(msgspec.Struct, frozen=True):
    parts: dict[str, Part]
    context: dict[str, Any] | None
    seconds: float


async def fill(parts: Mapping[str, Part], context: Mapping[str, Any]) -> dict[str, str]:
    """All parts, filled from a context. Rejected (``template.invalid``) where one cannot be; Transient where
    no process can be started."""
    filled = await _ask(_Request(dict(parts), dict(context), CPU_SECONDS))
    for problem in filled.problems:
        raise Rejected("template.invalid", f"{problem.part}: {problem.message}")
    return filled.texts


async def preview(parts: Mapping[str, Part], context: Mapping[str, Any]) -> Filled:
    """Each part filled from a context, or what is wrong with it."""
    return await _ask(_Request(dict(parts), dict(context), CPU_SECONDS))


async def inspect(parts: Mapping[str, Part]) -> Filled:
    """What the parts take from a context, and what is wrong with them whatever that is; no texts."""
    return await _ask(_Request(dict(parts), None, CPU_SECONDS))


async def _ask(request: _Request) -> Filled:
    try:
        data = msgspec.json.encode(request)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Rejected("template.invalid", f"the context is no JSON: {error}") from None
    answer = await asyncio.get_running_loop().run_in_executor(_thread(), _process.ask, data)
    if isinstance(answer, bytes):
        return msgspec.json.decode(answer, type=Filled)
    return Filled(problems=[Problem(name, answer) for name in request.parts])


@cache
def _thread() -> ThreadPoolExecutor:
    # Its own: whoever waits for his turn, perhaps behind one that loops, takes no thread that others need.
    return ThreadPoolExecutor(1, thread_name_prefix="templates")


class _Process:
    """The process that fills, one for this one; whoever asks it waits for his turn."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def ask(self, request: bytes) -> bytes | str:
        """The answer to a request; a text where the process had to be ended over it, or ended itself."""
        with self._turn:
            # It may have been ended from outside, and so may the second one: that is the request's doing.
            for last in (False, True):
                try:
                    return self._exchange(request)
                except TimeoutError:
                    self._kill()
                    return "it takes too long to fill"
                except EOFError:
                    if self.end() == -signal.SIGXCPU:
                        return "it takes too long to fill"
                    if last:
                        return "it takes more memory than there is for it, or crashes what fills it"
                except OSError as error:
                    self._kill()
                    raise Transient(f"no process to fill templates: {error}") from error
        raise Transient("no process to fill templates")

    def _exchange(self, request: bytes) -> bytes:
        if self._child is None:
            self._child = _start()
            try:
                _read_line(_file(self._child.stdout), time.monotonic() + SECONDS)
            except (EOFError, TimeoutError):
                # No request's doing: it has had none.
                raise OSError("it does not start") from None
        try:
            _write(_file(self._child.stdin), request + b"\n")
        except BrokenPipeError:
            raise EOFError from None
        return _read_line(_file(self._child.stdout), time.monotonic() + SECONDS)

    def _kill(self) -> None:
        if self._child is not None:
            self._child.kill()
        self.end()

    def end(self) -> int | None:
        """End the process, if there is one; its status as :class:`subprocess.Popen` has it."""
        child, self._child = self._child, None
        if child is None:
            return None
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        try:
            # One that has closed its side is about to be gone by itself.
            return child.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        # Not what is in the folder where this is started, nor in somebody's home.
        [sys.executable, "-s", "-P", "-B", "-c", _START, json.dumps(sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env={},
        start_new_session=True,
    )


def _file(pipe: IO[bytes] | None) -> int:
    if pipe is None:
        raise OSError("it has no pipes")
    return pipe.fileno()


def _write(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]


def _read_line(file: int, until: float) -> bytes:
    found = bytearray()
    while not found.endswith(b"\n"):
        ready, _, _ = select.select([file], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            raise TimeoutError
        part = os.read(file, 1 << 16)
        if not part:
            raise EOFError
        found += part
    return bytes(found)


_process = _Process()
atexit.register(_process.end)


# In the process


class _TooLong(BaseException):
    """The processor time of a request is over. No ``except Exception`` of a library's takes it."""


def serve() -> None:
    """Answer requests, one a line, until there are no more."""
    import resource

    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_CORE, 0)
    signal.signal(signal.SIGPROF, _stop)
    sys.stdout.buffer.write(b"\n")
    sys.stdout.buffer.flush()
    for line in sys.stdin.buffer:
        request = msgspec.json.decode(line, type=_Request)
        # Where the interpreter does not come to look at its signals, this ends the process.
        _limit(resource.RLIMIT_CPU, math.ceil(time.process_time() + 2 * request.seconds))
        answer, ends = _answered(request)
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()
        if ends:
            # What is left of a full memory is no place to go on in.
            return


def _limit(what: int, most: int) -> None:
    import resource

    _, hard = resource.getrlimit(what)
    # Not every system has all of them: what is left is the time until the process is killed.
    with suppress(ValueError, OSError):
        resource.setrlimit(what, (most, hard))


def _stop(number: int, frame: Any) -> NoReturn:
    raise _TooLong


def _answered(request: _Request) -> tuple[Filled, bool]:
    from shared import templating

    texts: dict[str, str] = {}
    problems: list[Problem] = []
    names: set[str] = set()
    ends = False
    for name, part in request.parts.items():
        try:
            # Again and again: what is raised the first time may be lost where nobody can catch it.
            signal.setitimer(signal.ITIMER_PROF, request.seconds / len(request.parts), 0.1)
            try:
                names.update(templating.names(part.source, part.html))
                if request.context is not None:
                    texts[name] = templating.fill(part.source, request.context, part.html)
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
        except Rejected as error:
            problems.append(Problem(name, error.message))
        except _TooLong:
            texts.pop(name, None)
            problems.append(Problem(name, "it takes too long to fill"))
        except MemoryError:
            texts.clear()
            problems.append(Problem(name, "it takes too much memory"))
            ends = True
            break
    return Filled(texts, problems, sorted(names)), ends
