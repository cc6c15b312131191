"""Durable records for an emulator with ``--data``: what is acknowledged outlives a SIGKILL.

SQLite in WAL mode hands each commit to the operating system before it returns, which is enough to
outlive the process (not a power cut). Without a folder nothing is written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path


class Records:
    """A small map of ``(kind, key) → bytes``, written through."""

    def __init__(self, path: Path | None) -> None:
        self._db: sqlite3.Connection | None = None
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS records (kind TEXT, key TEXT, value BLOB, "
            "PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )

    @property
    def durable(self) -> bool:
        """Whether anything is written at all: callers may skip the encoding where not."""
        return self._db is not None

    def write(
        self,
        puts: Iterable[tuple[str, str, bytes]] = (),
        deletes: Iterable[tuple[str, str]] = (),
    ) -> None:
        """Apply puts and deletes in one transaction."""
        if self._db is None:
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", puts)
            self._db.executemany("DELETE FROM records WHERE kind = ? AND key = ?", deletes)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def read(self, kind: str) -> Iterator[tuple[str, bytes]]:
        """All records of a kind, by key."""
        if self._db is None:
            return
        rows = self._db.execute("SELECT key, value FROM records WHERE kind = ? ORDER BY key", (kind,))
        yield from rows

    def clear(self) -> None:
        """Forget everything."""
        if self._db is not None:
            self._db.execute("DELETE FROM records")

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()
            self._db = None
