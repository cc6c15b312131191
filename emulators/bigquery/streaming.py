"""``tabledata``: rows put in by ``insertAll``, and rows listed without a query."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import duckdb

from emulators.bigquery.errors import invalid, unsupported
from emulators.bigquery.limits import Bounds, bounds
from emulators.bigquery.store import Store
from emulators.bigquery.tables import Table
from emulators.bigquery.values import BadValue, carried, cell

# BigQuery remembers an insertId for at least a minute.
_REMEMBERED_US = 60 * 1_000_000
_KEPT = 100_000
_MAX_ROWS = 50_000


class InsertIds:
    """The insertIds of the last minute, by table."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], int] = OrderedDict()

    def is_new(self, table: str, insert_id: str | None, now_us: int) -> bool:
        """Whether a row is to be written; remembers its id."""
        if not insert_id:
            return True
        while self._seen and (
            len(self._seen) > _KEPT or next(iter(self._seen.values())) < now_us - _REMEMBERED_US
        ):
            self._seen.popitem(last=False)
        if (table, insert_id) in self._seen:
            return False
        self._seen[table, insert_id] = now_us
        return True


def insert_all(
    store: Store, ids: InsertIds, table: Table, body: dict[str, Any], now_us: int
) -> list[dict[str, Any]]:
    """Write the good rows, or none if one is bad and ``skipInvalidRows`` is not set; returns insertErrors."""
    if body.get("templateSuffix"):
        raise unsupported("templateSuffix")
    rows = body.get("rows") or []
    if not rows:
        raise invalid("No rows present in the request.")
    if len(rows) > _MAX_ROWS:
        raise invalid(f"Too many rows present in the request, limit: {_MAX_ROWS} row count: {len(rows)}.")
    limits = bounds(table, now_us)
    lenient = bool(body.get("ignoreUnknownValues"))
    good: list[tuple[str | None, tuple[Any, ...]]] = []
    errors: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        made, problem = _row(table, row.get("json"), lenient, limits)
        if problem is not None:
            errors.append({"index": index, "errors": [problem]})
        elif made is not None:
            good.append((row.get("insertId"), made))
    if errors and not body.get("skipInvalidRows"):
        bad = {error["index"] for error in errors}
        stopped = {"reason": "stopped", "location": "", "debugInfo": "", "message": ""}
        errors += [{"index": index, "errors": [stopped]} for index in range(len(rows)) if index not in bad]
        return errors
    fresh = [made for insert_id, made in good if ids.is_new(table.uid, insert_id, now_us)]
    if fresh:
        store.append(table.uid, table.columns, fresh, now_us)
    return errors


def _row(
    table: Table, given: Any, lenient: bool, limits: Bounds | None
) -> tuple[tuple[Any, ...] | None, dict[str, Any] | None]:
    if not isinstance(given, dict):
        return None, _problem("", "Request is missing the row's json")
    by_name = {str(name).lower(): value for name, value in given.items()}
    if not lenient:
        for name in given:
            if table.column(str(name)) is None:
                return None, _problem(str(name), f"no such field: {name}.")
    row = []
    for column in table.columns:
        try:
            row.append(carried(column, by_name.get(column.name.lower())))
        except BadValue as error:
            message = str(error)
            if message == "Missing required field":
                message = f"Missing required field: {column.name}."
            return None, _problem(column.name, message)
    if limits is not None and (refusal := limits.refusal(row[limits.index])):
        return None, _problem(table.columns[limits.index].name, refusal)
    return tuple(row), None


def _problem(location: str, message: str) -> dict[str, Any]:
    return {"reason": "invalid", "location": location, "debugInfo": "", "message": message}


async def list_rows(
    store: Store, table: Table, start: int, size: int, selected: list[str] | None
) -> tuple[list[dict[str, Any]], int]:
    """A page of a table's rows in no promised order, and the number of all."""
    columns = list(table.columns)
    if selected is not None:
        wanted = {name.lower() for name in selected}
        columns = [column for column in columns if column.name.lower() in wanted]
        if len(columns) != len(wanted):
            raise invalid(f"Unknown field in selectedFields: {', '.join(selected)}")
    names = ", ".join(f'"{column.name}"' for column in columns)

    def read(connection: duckdb.DuckDBPyConnection) -> tuple[list[dict[str, Any]], int]:
        (total,) = connection.execute(f'SELECT count(*) FROM "{table.uid}"').fetchall()[0]  # noqa: S608 own names
        found = connection.execute(
            f'SELECT {names} FROM "{table.uid}" ORDER BY rowid LIMIT {size} OFFSET {start}'  # noqa: S608 own names
        ).fetchall()
        rows = []
        for values in found:
            cells = []
            for column, value in zip(columns, values, strict=True):
                if column.mode == "REPEATED":
                    cells.append({"v": [{"v": cell(column.type, item)} for item in value or []]})
                else:
                    cells.append({"v": cell(column.type, value)})
            rows.append({"f": cells})
        return rows, int(total)

    return await store.run(read)
