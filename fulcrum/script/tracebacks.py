"""Tracebacks as a script's author wants to read them: the frames of his own files, and no others."""

from __future__ import annotations

import traceback
from pathlib import Path

MAX_TRACEBACK = 6_000
MAX_MESSAGE = 1_000


def script_traceback(error: BaseException, folder: Path) -> str:
    """The traceback of an error with the frames of ``folder`` alone, files by their names in it."""
    try:
        found = traceback.TracebackException(type(error), error, error.__traceback__, compact=True)
        _own(found, str(folder) + "/", set())
        return _shortened("".join(found.format()))
    except Exception as failed:
        # An exception's own methods may fail in any way.
        return f"{type(error).__name__} (its traceback cannot be shown: {type(failed).__name__})"


def message_of(error: BaseException) -> str:
    """An exception's text."""
    try:
        text = str(error)
    except Exception as failed:
        text = f"(its text cannot be read: {type(failed).__name__})"
    return _sendable(text if len(text) <= MAX_MESSAGE else text[:MAX_MESSAGE] + "...")


def _own(found: traceback.TracebackException, prefix: str, seen: set[int]) -> None:
    if id(found) in seen:
        return
    seen.add(id(found))
    found.stack = traceback.StackSummary.from_list(
        [
            traceback.FrameSummary(
                frame.filename.removeprefix(prefix),
                frame.lineno,
                frame.name,
                line=frame.line,
                lookup_line=False,
            )
            for frame in found.stack
            if frame.filename.startswith(prefix)
        ]
    )
    # A SyntaxError names its file once more.
    filename = getattr(found, "filename", None)
    if isinstance(filename, str):
        found.filename = filename.removeprefix(prefix)
    for other in (found.__cause__, found.__context__, *(getattr(found, "exceptions", None) or ())):
        if other is not None:
            _own(other, prefix, seen)


def _sendable(text: str) -> str:
    """Text without lone surrogates, which no message can hold."""
    return text.encode("utf-8", "replace").decode()


def _shortened(text: str) -> str:
    text = _sendable(text)
    if len(text) <= MAX_TRACEBACK:
        return text
    # What failed stands at the end, where it began at the start.
    head, tail = MAX_TRACEBACK // 4, MAX_TRACEBACK * 3 // 4
    return f"{text[:head]}\n  ...\n{text[-tail:]}"
