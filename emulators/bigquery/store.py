"""Where the rows are: DuckDB behind one worker thread, with a write-behind for appends.

An append is checked by its caller and then only put into a list (and, with ``--data``, into the
journal): DuckDB takes a batch of 1,000 rows for the price of 40 single ones. The list is written to
DuckDB before anything reads. A flush commits the rows together with the journal's position, so that
after a SIGKILL each journalled row is there once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import msgspec

from emulators.bigquery.schema import Column
from emulators.bigquery.sql.macros import MACROS
from emulators.kit.records import Records

T = TypeVar("T")
Row = Sequence[Any]

# The hidden column of every table: when ``tabledata.insertAll`` wrote the row; NULL for other ways.
STREAMED = "__fulcrum_streamed"
_FLUSH_ROWS = 20_000
_INSERT_ROWS = 5_000
_JOURNAL = "append"


@dataclass(frozen=True)
class Batch:
    """Rows on their way to a table; ``rows`` are tuples of carried values in the order of ``columns``."""

    table: str
    columns: tuple[Column, ...]
    rows: Sequence[Row]
    streamed_us: int | None = None
    sequence: int = 0


class Store:
    """DuckDB, its worker thread, and the appends that have not reached it yet."""

    def __init__(self, data: Path | None) -> None:
        self._path = data
        self._worker = ThreadPoolExecutor(1, "duckdb")
        self._pending: list[Batch] = []
        self._pending_rows = 0
        self._sequence = 0
        self._flushing: asyncio.Task[None] | None = None
        self._journal = Records(data / "appends.sqlite" if data else None)
        self._connection: duckdb.DuckDBPyConnection | None = None

    async def open(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Open or create the database; returns the catalog's entries (kind, key, value)."""
        return await self._submit(self._open)

    def _open(self) -> list[tuple[str, str, dict[str, Any]]]:
        if self._path:
            self._path.mkdir(parents=True, exist_ok=True)
        database = str(self._path / "tables.duckdb") if self._path else ":memory:"
        connection = duckdb.connect(database, config={"threads": 2})
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("CREATE TABLE IF NOT EXISTS catalog (kind VARCHAR, key VARCHAR, value VARCHAR)")
        connection.execute("CREATE TABLE IF NOT EXISTS flushed (sequence BIGINT)")
        for macro in MACROS:
            connection.execute(macro)
        self._connection = connection
        rows = connection.execute("SELECT kind, key, value FROM catalog ORDER BY ALL").fetchall()
        return [(kind, key, msgspec.json.decode(value)) for kind, key, value in rows]

    async def replay(self, columns_of: Callable[[str, list[str]], tuple[Column, ...] | None]) -> None:
        """Take up the journal: rows that were acknowledged and never reached DuckDB.

        ``columns_of`` gives the columns of a table by their names, None if the table is gone.
        """
        done = await self._submit(self._flushed)
        stale: list[tuple[str, str]] = []
        for key, value in list(self._journal.read(_JOURNAL)):
            self._sequence = int(key)
            table, names, streamed_us, rows = msgspec.msgpack.decode(value)
            columns = columns_of(table, names)
            if self._sequence <= done or columns is None:
                stale.append((_JOURNAL, key))
                continue
            self._push(Batch(table, columns, rows, streamed_us, self._sequence))
        self._sequence = max(self._sequence, done)
        self._journal.write(deletes=stale)

    def _flushed(self) -> int:
        (done,) = self._database().execute("SELECT coalesce(max(sequence), 0) FROM flushed").fetchall()[0]
        return int(done)

    def append(self, table: str, columns: tuple[Column, ...], rows: Sequence[Row], us: int | None) -> None:
        """Take checked rows. When this returns they may be acknowledged."""
        self._sequence += 1
        if self._journal.durable:
            entry = msgspec.msgpack.encode((table, [column.name for column in columns], us, rows))
            self._journal.write([(_JOURNAL, f"{self._sequence:016d}", entry)])
        self._push(Batch(table, columns, rows, us, self._sequence))

    def _push(self, batch: Batch) -> None:
        self._pending.append(batch)
        self._pending_rows += len(batch.rows)

    async def relieve(self) -> None:
        """Flush when much is pending, so that memory stays bounded; waits only when far behind."""
        if self._pending_rows < _FLUSH_ROWS:
            return
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self.run(lambda _: None))
        if self._pending_rows > 4 * _FLUSH_ROWS:
            await asyncio.shield(self._flushing)

    async def run(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Flush, then do ``work`` on the worker thread; all work is done one after the other."""
        batches, self._pending, self._pending_rows = self._pending, [], 0
        if batches:
            try:
                await self._submit(lambda: self._flush(batches))
            except BaseException:
                self._pending[:0] = batches
                self._pending_rows += sum(len(batch.rows) for batch in batches)
                raise
            self._journal.write(deletes=[(_JOURNAL, f"{batch.sequence:016d}") for batch in batches])
        return await self._submit(lambda: work(self._database()))

    def _flush(self, batches: list[Batch]) -> None:
        connection = self._database()
        groups: dict[tuple[str, tuple[Column, ...], int | None], list[Row]] = {}
        for batch in batches:
            groups.setdefault((batch.table, batch.columns, batch.streamed_us), []).extend(batch.rows)
        known = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        with transaction(connection):
            for (table, columns, streamed_us), rows in groups.items():
                if table in known:
                    _insert(connection, table, columns, streamed_us, rows)
            connection.execute("DELETE FROM flushed")
            connection.execute("INSERT INTO flushed VALUES (?)", [batches[-1].sequence])

    def _database(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise RuntimeError("the store is not open")
        return self._connection

    async def _submit(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    async def reset(self) -> None:
        """Forget all rows and the catalog."""
        self._pending, self._pending_rows = [], 0
        self._journal.clear()

        def drop(connection: duckdb.DuckDBPyConnection) -> None:
            connection.execute("DELETE FROM catalog")
            names = connection.execute(
                "SELECT table_name FROM duckdb_tables() WHERE table_name NOT IN ('catalog', 'flushed')"
            ).fetchall()
            for (name,) in names:
                connection.execute(f'DROP TABLE "{name}"')

        await self.run(drop)

    async def close(self) -> None:
        """Write what is pending and close the files."""
        await self.run(lambda connection: connection.close())
        self._worker.shutdown()
        self._journal.close()


def _insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: tuple[Column, ...],
    streamed_us: int | None,
    rows: list[Row],
) -> None:
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = ", ".join(column.stored(f"c{index}") for index, column in enumerate(columns))
    lists = ", ".join(f"unnest(?::{column.carried_type}[]) c{index}" for index, column in enumerate(columns))
    stamp = "NULL" if streamed_us is None else f"make_timestamp({int(streamed_us)})::TIMESTAMPTZ"
    statement = (
        f'INSERT INTO "{table}" ({names}, {STREAMED}) '  # noqa: S608 names are checked, values are bound
        f"SELECT {values}, {stamp} FROM (SELECT {lists})"
    )
    for start in range(0, len(rows), _INSERT_ROWS):
        part = rows[start : start + _INSERT_ROWS]
        connection.execute(statement, list(map(list, zip(*part, strict=True))))


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing."""
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def save_entry(connection: duckdb.DuckDBPyConnection, kind: str, key: str, value: dict[str, Any]) -> None:
    """Write one entry of the catalog."""
    connection.execute("DELETE FROM catalog WHERE kind = ? AND key = ?", [kind, key])
    connection.execute(
        "INSERT INTO catalog VALUES (?, ?, ?)", [kind, key, msgspec.json.encode(value).decode()]
    )


def delete_entry(connection: duckdb.DuckDBPyConnection, kind: str, key: str) -> None:
    """Remove one entry of the catalog."""
    connection.execute("DELETE FROM catalog WHERE kind = ? AND key = ?", [kind, key])
