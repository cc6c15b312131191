"""The lines of the file that the stack writes, followed as it grows, with an index of the ids in them.

In memory are the places of lines and their ids alone, of the latest ones, bounded; an entry is read from the
file when it is asked for. A file that was begun anew is read from its beginning.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

from shared.config import settings

# Fields whose values are looked up, not searched for.
INDEXED = frozenset({"jsonPayload.messageId", "jsonPayload.published", "jsonPayload.eventIds"})
MAX_LINES = 200_000
MAX_IDS = 1_000_000
_CHUNK = 1 << 20
_TRACE = "logging.googleapis.com/trace"


class _Line(NamedTuple):
    """Where a line stands: its number from the first one on, its place in the file, and its ids."""

    number: int
    start: int
    length: int
    ids: tuple[tuple[str, str], ...]


class Lines:
    """Follows one file. ``max_lines`` and ``max_ids``: so much is known at most, the latest."""

    def __init__(self, path: Path, max_lines: int = MAX_LINES, max_ids: int = MAX_IDS) -> None:
        self._path = path
        self._max_lines, self._max_ids = max_lines, max_ids
        self._file: IO[bytes] | None = None
        self._place = 0
        self._forget()

    def _forget(self) -> None:
        self._lines: deque[_Line] = deque()
        self._by_id: dict[tuple[str, str], list[int]] = {}
        self._ids = 0
        self._count = 0

    def forget(self) -> None:
        """Forget all lines that there are."""
        self.refresh()
        self._forget()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def refresh(self) -> None:
        """Take note of what was written since."""
        if not self._is_current():
            self.close()
            self._forget()
            try:
                self._file = open(self._path, "rb")  # noqa: SIM115 kept open, as it is followed
            except FileNotFoundError:
                return
            self._place = 0
        if self._file is None:
            return
        rest = b""
        self._file.seek(self._place)
        while chunk := self._file.read(_CHUNK):
            *whole, rest = (rest + chunk).split(b"\n")
            for raw in whole:
                self._note(raw, self._place)
                self._place += len(raw) + 1

    def _is_current(self) -> bool:
        if self._file is None:
            return False
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        ours = os.fstat(self._file.fileno())
        return there.st_ino == ours.st_ino and there.st_size >= self._place

    def _note(self, raw: bytes, start: int) -> None:
        try:
            payload = entry_of(raw)["jsonPayload"]
        except (ValueError, KeyError, TypeError):
            return  # no line of ours: it is not served, as Cloud Logging would keep it as text alone
        ids = tuple(dict.fromkeys(_ids(payload)))
        line = _Line(self._count, start, len(raw), ids)
        self._count += 1
        self._lines.append(line)
        self._ids += len(ids)
        for one in ids:
            self._by_id.setdefault(one, []).append(line.number)
        while len(self._lines) > self._max_lines or self._ids > self._max_ids:
            self._drop(self._lines.popleft())

    def _drop(self, line: _Line) -> None:
        self._ids -= len(line.ids)
        for one in line.ids:
            numbers = self._by_id[one]
            numbers.pop(0)
            if not numbers:
                del self._by_id[one]

    def entries(
        self, ids: Iterable[tuple[str, str]] | None
    ) -> Iterator[tuple[datetime, int, dict[str, Any]]]:
        """(timestamp, number, entry) of the lines with one of these (path, value) pairs; None: of all."""
        if self._file is None or not self._lines:
            return
        first = self._lines[0].number
        if ids is None:
            chosen: Iterable[int] = range(first, self._count)
        else:
            chosen = sorted({number for one in ids for number in self._by_id.get(one, ())})
        for number in chosen:
            line = self._lines[number - first]
            self._file.seek(line.start)
            entry = entry_of(self._file.read(line.length))
            yield datetime.fromisoformat(entry["timestamp"]), number, entry


def _ids(payload: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path in sorted(INDEXED):
        value = payload.get(path.partition(".")[2])
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                yield path, item.casefold()


def entry_of(raw: bytes) -> dict[str, Any]:
    """A LogEntry, as Cloud Logging makes it of a line that a function on Cloud Run prints.

    ValueError, KeyError or TypeError for what is no line of ours.
    """
    line = json.loads(raw)
    payload = dict(line)
    severity, time = payload.pop("severity"), payload.pop("time")
    trace = payload.pop(_TRACE, None)
    datetime.fromisoformat(time)
    project = settings().cloud_project
    labels = {"project_id": project, "service_name": payload["service"]}
    return {
        "logName": f"projects/{project}/logs/run.googleapis.com%2Fstderr",
        "resource": {"type": "cloud_run_revision", "labels": labels},
        "timestamp": time,
        "receiveTimestamp": time,
        "severity": severity,
        "jsonPayload": payload,
        **({"trace": trace} if trace else {}),
    }
