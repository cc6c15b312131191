"""What is written before a day of the history is deleted: shortened rows, definitions, baseline rows."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from fulcrum.core import fold, ids
from shared import clock, history, names, values
from shared.clients import bigquery, firestore
from shared.clients import history as client
from shared.config import settings
from shared.errors import Rejected
from shared.history import Row
from shared.history_query.expr import Parameters
from shared.retention import insert_sql, rules, split
from shared.retention.going_sql import Going, kept_rows

# BigQuery takes no streamed rows of partitions that are older than 1,825 days.
_PAST_MS = 1_820 * rules.DAY_MS
_PAGE = 5_000
_AT_ONCE = 2_000
# Rows of one INSERT; a row may have a megabyte, but seldom more than a few hundred bytes.
_INSERTED = 100
_SECONDS = 300.0
# Columns of a row, as they are read and as they were written.
_TIMES = frozenset(c["name"] for c in history.schema() if c["type"] == "TIMESTAMP")
_LISTS = frozenset(c["name"] for c in history.schema() if c["mode"] == "REPEATED")
_COLUMNS = tuple(c["name"] for c in history.schema())


class Done(NamedTuple):
    """How many rows were written, and the device up to which that is so; empty: for all of them."""

    written: int
    after: str


Cells = list[str | None]
# Device → when it was deleted, epoch ms.
Ends = Mapping[str, int]
Making = Callable[[Sequence[Cells], Ends], Iterator[Row]]


async def shorten(going: Going, day: int, after: str, now: int, deadline: float) -> Done:
    """Write what stays of the rows of which a part goes. They have the old rows' places, and are new rows."""
    parameters = Parameters()
    condition = going.rows(parameters, day, stays=True)
    columns = ", ".join(_shown(name) for name in _COLUMNS)
    sql = (
        f"SELECT {columns} FROM `{settings().bigquery_dataset}.{history.TABLE}` "  # noqa: S608 our own text
        f"WHERE {condition} AND device_id > {parameters.add(after, 'STRING')} ORDER BY device_id"
    )
    place = _COLUMNS.index("device_id")

    def made(rows: Sequence[Cells], ended: Ends) -> Iterator[Row]:
        now_us = clock.now_ms() * 1000
        for cells in rows:
            row = _row(cells)
            folded = history.folded({**row, "kind": "data", "historical": False})
            if folded is None:
                raise Rejected("history.row", f"a row of device {row['device_id']} cannot be read")
            _, stays = split.parts(going.scope(row.get("blueprint_id")), day, folded[1])
            yield split.shortened(row, stays, row.get("written", ()), now_us)

    return await _carry(going.project_id, sql, parameters, place, made, deadline)


async def define(going: Going, day: int, after: str, now: int, deadline: float) -> Done:
    """Write definitions of devices anew where history begins: of each device its newest of the day.

    Of a device that was deleted before then nothing is kept.
    """
    parameters = Parameters()
    columns = ", ".join(_shown(name) for name in _COLUMNS)
    rows = (
        f"SELECT * FROM `{settings().bigquery_dataset}.{history.TABLE}` "  # noqa: S608 our own text
        f"WHERE {going.rows(parameters, day)} AND kind = 'device' "
        f"AND device_id > {parameters.add(after, 'STRING')}"
        " QUALIFY ROW_NUMBER() OVER (PARTITION BY device_id "
        "ORDER BY LAX_INT64(JSON_QUERY(data, '$.version')) DESC, time DESC, stored_time) = 1"
    )
    sql = f"SELECT {columns} FROM ({rows}) ORDER BY device_id"  # noqa: S608 our own text
    place = _COLUMNS.index("device_id")

    def made(rows: Sequence[Cells], ended: Ends) -> Iterator[Row]:
        now_us = clock.now_ms() * 1000
        for cells in rows:
            row = _row(cells)
            since = max(going.scope(row.get("blueprint_id")).base.cutoff, now - _PAST_MS)
            if since <= ended.get(row["device_id"], since):
                yield {**row, "time": history.time_us(since), "stored_time": now_us}

    return await _carry(going.project_id, sql, parameters, place, made, deadline)


async def keep(going: Going, day: int, after: str, now: int, deadline: float) -> Done:
    """Write what the state rests on, of what goes with the day: the latest write of each path, a baseline."""
    sql, given = kept_rows(going, settings().bigquery_dataset, day, after)

    def made(rows: Sequence[Cells], ended: Ends) -> Iterator[Row]:
        now_us = clock.now_ms() * 1000
        # What is known of a device was known of it under a system and a blueprint.
        known: dict[tuple[str, str, str], fold.Registers] = {}
        for device_id, system_id, blueprint_id, ms, us, event_id, data, cleared in rows:
            if ms is None or device_id is None:
                continue
            row = {
                "kind": "data",
                "historical": False,
                "time": int(ms) * 1000,
                "event_id": event_id,
                "data": data,
                "cleared": cleared.split(",") if cleared else (),
            }
            folded = history.folded(row)
            if folded is None:
                continue
            scope = going.scope(blueprint_id or None)
            goes, _ = split.parts(scope, int(us or 0) // 1000, folded[1])
            registers = known.setdefault((device_id, system_id or "", blueprint_id or ""), {})
            fold.fold(registers, [(folded[0], goes)])
        for (device_id, system_id, blueprint_id), registers in known.items():
            columns = {"system_id": system_id, "blueprint_id": blueprint_id}
            scope = going.scope(blueprint_id or None)
            yield from split.baseline_rows(
                *(going.project_id, device_id, columns, registers, scope, now - _PAST_MS, now_us),
                ended=ended.get(device_id),
            )

    return await _carry(going.project_id, sql, given, 0, made, deadline)


async def _ends(project_id: str, device_ids: Iterable[str]) -> Ends:
    """When those of the devices that are deleted were."""
    named = {names.deletion(project_id, "device", device_id): device_id for device_id in device_ids}
    found = await firestore.batch_get(named, ["time"])
    return {named[name]: int(values.from_fields(one.fields)["time"]) for name, one in found.items()}


async def _carry(project_id: str, sql: str, given: Any, place: int, made: Making, deadline: float) -> Done:
    """Write what ``made`` makes of the rows of whole devices, which come in order; until the time is up."""
    written = 0
    waiting: list[Cells] = []
    parameters = given.all() if isinstance(given, Parameters) else given
    async for rows in _pages(sql, parameters):
        waiting += rows
        last = waiting[-1][place]
        # The last device may go on in the next page.
        whole = next((n for n, row in enumerate(waiting) if row[place] == last), 0)
        if whole < _AT_ONCE:
            continue
        written += await _write(project_id, waiting[:whole], place, made)
        after, waiting = str(waiting[whole - 1][place]), waiting[whole:]
        if time.monotonic() >= deadline:
            return Done(written, after)
    return Done(written + await _write(project_id, waiting, place, made), "")


async def _write(project_id: str, rows: Sequence[Cells], place: int, made: Making) -> int:
    ended = await _ends(project_id, {str(cells[place]) for cells in rows})
    return await _append(list(made(rows, ended)))


async def _append(rows: list[Row]) -> int:
    """Write rows: those that BigQuery takes no more as a stream by statements."""
    limit = history.time_us(max(0, clock.now_ms() - _PAST_MS))
    young = [row for row in rows if row["time"] >= limit]
    refused = await client.append(history.encode_all(young), within=60.0) if young else {}
    if refused:
        raise Rejected("history.refused", f"a row was refused: {next(iter(refused.values()))}")
    old = [row for row in rows if row["time"] < limit]
    for start in range(0, len(old), _INSERTED):
        sql, given = insert_sql.insert(settings().bigquery_dataset, old[start : start + _INSERTED])
        await bigquery.change(sql, given, f"fulcrum_{ids.new_id()}", _SECONDS)
    return len(rows)


async def _pages(sql: str, parameters: Any) -> AsyncIterator[list[Cells]]:
    job = await bigquery.start(sql, parameters, f"fulcrum_{ids.new_id()}", 2**62, _SECONDS)
    async for page in bigquery.pages(job, _PAGE, _SECONDS):
        if page.rows:
            yield page.rows


def _shown(name: str) -> str:
    if name in _TIMES:
        return f"UNIX_MICROS({name}) AS {name}"
    return f"ARRAY_TO_STRING({name}, ',') AS {name}" if name in _LISTS else name


def _row(cells: Cells) -> Row:
    """A row as it was written, from the cells of a query that shows its columns."""
    row: Row = {}
    for name, cell in zip(_COLUMNS, cells, strict=True):
        if cell is None or (name in _LISTS and not cell):
            continue
        if name in _TIMES:
            row[name] = int(cell)
        elif name in _LISTS:
            row[name] = cell.split(",")
        elif name == "historical":
            row[name] = cell == "true"
        else:
            row[name] = cell
    return row
