"""What is wrong with a script's text: compiled, never run, in a process of its own.

A compiler can be made to use all memory, or to crash, by text alone; it must not take the API with it.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from fulcrum.core import ids
from fulcrum.core.script_files import MAIN
from shared.errors import ApiError
from shared.model.script import MAX_CODE_BYTES

_SECONDS = 20.0
_MOST_TOLD = 5
_MEMORY_BYTES = 1_000_000_000
# Where the package stands that knows what a script is; nothing else of this process is there.
_ROOT = str(Path(ids.__file__).resolve().parents[2])
_PROGRAM = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({_MEMORY_BYTES}, {_MEMORY_BYTES}))
sys.path.insert(0, {_ROOT!r})
from fulcrum.script.static_check import main
main()
"""


class Problem(msgspec.Struct, frozen=True):
    """Something that is wrong, or worth a look."""

    file: str
    line: int | None
    message: str


class Entry(msgspec.Struct, frozen=True):
    """A function that can be run, and what it needs as far as the text says."""

    name: str
    needs: dict[str, bool | list[str]]


class Import(msgspec.Struct, frozen=True):
    """A module from elsewhere: neither of Python itself nor of the script."""

    module: str
    file: str
    line: int | None
    message: str


class Inspected(msgspec.Struct, frozen=True):
    """What the text of a script's files says; with ``problems`` it cannot run."""

    entries: list[Entry] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    imports: list[Import] = []


async def check(code: str, files: Mapping[str, str] | None = None) -> None:
    """ApiError 400 ``script.code`` for a text that is too long, no Python, or has nothing that can be run."""
    data = code.encode(errors="replace")
    if len(data) > MAX_CODE_BYTES:
        raise _invalid(f"it has {len(data)} bytes; at most {MAX_CODE_BYTES}")
    found = await inspected({MAIN: data.decode(), **(files or {})})
    if found.problems:
        raise _invalid("; ".join(map(said, found.problems[:_MOST_TOLD])))


async def inspected(files: Mapping[str, str]) -> Inspected:
    """What the text of a script's files says, by their paths; one of them is main.py."""
    # In a thread, so that it does not depend on how the event loop at hand watches its subprocesses.
    return await asyncio.to_thread(_inspected, msgspec.json.encode(files))


def said(problem: Problem) -> str:
    """A problem in one line."""
    place = problem.file if problem.line is None else f"{problem.file}, line {problem.line}"
    return f"{place}: {problem.message}"


def _inspected(data: bytes) -> Inspected:
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return _failed("it takes too long to compile")
    if done.returncode:
        return _failed("it cannot be compiled")
    return msgspec.json.decode(done.stdout, type=Inspected)


def _failed(message: str) -> Inspected:
    return Inspected(problems=[Problem(MAIN, None, message)])


def _invalid(message: str) -> ApiError:
    return ApiError(400, "script.code", f"the script: {message}", "correct the script; it was not saved")
