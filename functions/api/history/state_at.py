"""The state of devices at a past instant, folded from their rows exactly as it is folded when they come in.

From the newest complete snapshot before the instant, if there is one, else from the first row on. A state
is what is known of an instant today: rows that came in after the snapshot of a time that they lie before are
read as well, up to 30 days back. What came in later than that counts from the next snapshot on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fulcrum.core import fold, ids
from functions.api.history import costs, problems
from shared import clock, device_rows, history
from shared.clients import bigquery
from shared.config import settings
from shared.errors import Rejected

MAX_DEVICES = 1_000
_PAGE_ROWS = 5_000
_DAY_MS = 86_400_000
# A snapshot's registers were read within the day before its instant.
_READING_MS = _DAY_MS
# How far before a snapshot late rows are looked for: each day more is a day more to be read and paid.
_LATE_MS = 30 * _DAY_MS


@dataclass
class State:
    """A device's state: nested ``data``, and the time of the latest write in it (epoch ms), None for none."""

    registers: fold.Registers = field(default_factory=dict)

    @property
    def data(self) -> dict[str, Any]:
        """The nested data."""
        return fold.derive(self.registers)

    @property
    def last_event_time(self) -> int | None:
        """When the latest write that counts happened, epoch ms."""
        return max((stamp[0] for stamp, _ in self.registers.values()), default=None)


async def state_at(
    project_id: str, device_ids: Sequence[str], at: int, blueprint_ids: Sequence[str] = ()
) -> dict[str, State]:
    """The state of each of the devices at an instant (epoch ms), of all of them, empty for one without rows.

    At most 1,000 devices a call. ``blueprint_ids``: all of their blueprints, where they are known, so that
    BigQuery reads no others. ApiError 503, 504, or 400 ``history.tooExpensive``.
    """
    if len(device_ids) > MAX_DEVICES:
        raise ValueError(f"{len(device_ids)} devices: at most {MAX_DEVICES} in one call")
    states = {device_id: State() for device_id in device_ids}
    if not states:
        return states
    snapshot = await _snapshot(project_id, at)
    dataset = settings().bigquery_dataset
    sql, parameters = rows_query(dataset, project_id, sorted(states), at, snapshot, blueprint_ids)
    async for rows in _rows(sql, parameters, _PAGE_ROWS):
        _fold(states, rows)
    return states


def rows_query(
    dataset: str,
    project_id: str,
    device_ids: Sequence[str],
    at: int,
    snapshot: int | None,
    blueprint_ids: Sequence[str] = (),
) -> tuple[str, list[bigquery.Parameter]]:
    """SQL and parameters of the rows that a state is folded from; ``snapshot`` is the instant of one."""
    parameters: list[bigquery.Parameter] = [
        ("project", "STRING", project_id),
        ("devices", "ARRAY<STRING>", list(device_ids)),
        ("at", "TIMESTAMP", at),
    ]
    whose = "project_id = @project AND device_id IN UNNEST(@devices)"
    columns = "device_id, UNIX_MICROS(time) AS us, event_id, data, ARRAY_TO_STRING(cleared, ',') AS cleared"
    rows = (
        f"SELECT {columns}, kind, original_time FROM `{dataset}.{history.TABLE}` "  # noqa: S608 our own text
        f"WHERE {whose} AND time <= @at AND kind IN ('data', 'baseline') AND NOT historical"
    )
    if blueprint_ids:
        parameters.append(("blueprints", "ARRAY<STRING>", sorted(set(blueprint_ids))))
        rows += " AND blueprint_id IN UNNEST(@blueprints)"
    if snapshot is None:
        return rows, parameters
    parameters += [
        ("snapshot", "TIMESTAMP", snapshot),
        ("read", "TIMESTAMP", snapshot - _READING_MS),
        ("since", "TIMESTAMP", max(0, snapshot - _LATE_MS)),
    ]
    kept = (
        f"SELECT {columns}, 'data' AS kind, CAST(NULL AS STRING) AS original_time "  # noqa: S608 the same
        f"FROM `{dataset}.{device_rows.SNAPSHOTS}` "
        f"WHERE {whose} AND snapshot_time = @snapshot AND kind = 'state'"
    )
    since = " AND time >= @since AND (time > @snapshot OR stored_time > @read)"
    return f"{rows}{since} UNION ALL {kept}", parameters


def _fold(states: Mapping[str, State], rows: Sequence[Sequence[str | None]]) -> None:
    gathered: dict[str, list[tuple[fold.Stamp, fold.Settled]]] = {}
    for device_id, micros, event_id, data, cleared, kind, original_time in rows:
        row = {
            "kind": kind,
            "historical": False,
            "time": int(micros or 0),
            "event_id": event_id,
            "original_time": original_time,
            "data": data,
            "cleared": cleared.split(",") if cleared else (),
        }
        if device_id is not None and (event := history.folded(row)) is not None:
            gathered.setdefault(device_id, []).append(event)
    for device_id, events in gathered.items():
        fold.fold(states[device_id].registers, events)


async def _snapshot(project_id: str, at: int) -> int | None:
    """The instant of the newest complete snapshot at or before ``at``, epoch ms."""
    sql, parameters = device_rows.newest_snapshot(settings().bigquery_dataset, project_id, at, clock.now_ms())
    found = [row[0] async for rows in _rows(sql, parameters, 1) for row in rows]
    return int(found[0]) if found and found[0] is not None else None


async def _rows(
    sql: str, parameters: Sequence[bigquery.Parameter], size: int
) -> AsyncIterator[list[list[str | None]]]:
    """All rows of a query, a page at a time.

    A job that is not done within the call that started it says only with its result what it would read.
    """
    limit = costs.max_bytes()
    try:
        with problems.told():
            job = await bigquery.start(sql, parameters, f"fulcrum_{ids.new_id()}", limit, costs.SECONDS)
            async for page in bigquery.pages(job, size, costs.SECONDS):
                yield page.rows
    except Rejected as error:
        with problems.told():
            would_read = await bigquery.estimate(sql, parameters)
        advice = "Ask for fewer devices, or for an instant that a daily snapshot stands before."
        raise problems.too_expensive(would_read, limit, advice) from error
