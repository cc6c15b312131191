"""The structured lines of functions: kept in a file as Cloud Logging would keep them, and made readable.

Functions log here as they do in the cloud, a JSON object a line. ``log.jsonl`` in the stack's folder has
these lines as they came; the stand-in of Cloud Logging serves them from there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import IO

from shared.log import readable

NAME = "log.jsonl"
MAX_BYTES = 64 * 1024 * 1024
# How a line of ours begins.
_HEAD = '{"severity":'
_OWN = ("severity", "time", "message", "service")


class StructuredLog:
    """Writes to ``path``, which begins anew with each stack and when it has ``max_bytes``."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._file: IO[bytes] | None = None

    def open(self) -> None:
        """Begin anew. A new file each time: whoever follows the old one notices."""
        self.close()
        self.path.unlink(missing_ok=True)
        self._file = open(self.path, "wb")  # noqa: SIM115 kept open as long as the stack runs

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def take(self, lines: Iterable[str]) -> list[str]:
        """Keep what is structured of some lines; returns all of them as people read them."""
        shown, kept = [], []
        for line in lines:
            text = _readable(line)
            if text is not None:
                kept.append(line)
            shown.append(line if text is None else text)
        if kept and self._file is not None:
            if self._file.tell() > self._max_bytes:
                self.open()
            self._file.write("".join(f"{line}\n" for line in kept).encode())
            self._file.flush()
        return shown


def _readable(line: str) -> str | None:
    """The line for people; None for what is no structured line."""
    if not line.startswith(_HEAD):
        return None
    try:
        entry = json.loads(line)
        severity, time, message, service = (entry[key] for key in _OWN)
        fields = {key: value for key, value in entry.items() if key not in _OWN and "/" not in key}
        return readable(datetime.fromisoformat(time), severity, service, message, fields)
    except (ValueError, KeyError, TypeError):
        return None
