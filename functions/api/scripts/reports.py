"""Logs and metrics of a script: asked of the history, a page or a table at a time."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from typing import Any

import msgspec

from fulcrum.core import ids
from functions.api.history import costs, cursors, problems
from functions.api.needs import Call
from functions.api.replay.selection import MAX_DEVICES, PERMISSION, readable
from functions.api.scripts import runs_sql
from functions.api.scripts.runs_sql import LOG_COLUMNS, MAX_GROUPS, By, Statement, Wanted
from shared.clients import bigquery
from shared.config import settings
from shared.errors import ApiError, Rejected
from shared.model.script_reports import (
    RunFailure,
    RunLine,
    ScriptFigures,
    ScriptMetrics,
    ScriptRun,
    ScriptRuns,
    Times,
)

_MAX_BUCKETS = 1_000
_ADVICE = "Ask for less time; since and until say which."
Cells = Sequence[str | None]


async def logs(call: Call, wanted: Wanted, per_page: int, cursor: str | None) -> ScriptRuns:
    """A page of runs, the latest first, of devices that the caller may read.

    A next page asks nothing anew: a cursor leads through the result.
    """
    at = cursors.decode(cursor) if cursor else None
    if at is not None:
        # The window of the first page: an end that is left out is now.
        wanted = dataclasses.replace(wanted, since=at.start, until=at.end)
    wanted = await _readable(call, wanted)
    statement = runs_sql.logs(settings().bigquery_dataset, wanted)
    if at is None:
        nonce = cursors.new_nonce()
        job = await _start(statement, _job_id(statement, nonce))
        page = await _first(statement, job, per_page)
    else:
        nonce = at.nonce
        job = bigquery.Job(_job_id(statement, nonce), at.location)
        with problems.read_on():
            page = await bigquery.page(job, per_page, costs.SECONDS, at.token)
    following = None
    if page.token:
        following = cursors.encode(
            cursors.Cursor(nonce, wanted.since, wanted.until, page.token, job.location)
        )
    items = [_run(row) for row in page.rows]
    return ScriptRuns(count=len(items), per_page=per_page, next=following, items=items)


async def metrics(call: Call, wanted: Wanted, by: By | None, interval: int | None) -> ScriptMetrics:
    """The figures of runs of devices that the caller may read.

    In all, by version or device, and by time if an interval (ms) is given.
    """
    if interval is not None and (wanted.until - wanted.since) / interval > _MAX_BUCKETS:
        raise ApiError(
            400,
            "script.tooManyBuckets",
            f"interval: more than {_MAX_BUCKETS} buckets of {interval} ms",
            "ask for less time, or longer buckets",
        )
    wanted = await _readable(call, wanted)
    dataset = settings().bigquery_dataset
    statements = [
        runs_sql.metrics(dataset, wanted, None, None),
        runs_sql.metrics(dataset, wanted, by, interval),
        runs_sql.effects(dataset, wanted, by, interval),
    ]
    # Without groups and buckets the second would say the same as the first.
    if by is None and interval is None:
        del statements[1]
    answers = await asyncio.gather(*map(_rows, statements))
    effects: dict[tuple[str | None, str | None], dict[str, int]] = {}
    for who, bucket, kind, number in answers[-1]:
        effects.setdefault((who, bucket), {})[str(kind)] = int(number or 0)
    grouped = [_figures(row, by, effects.get((row[0], row[1]), {})) for row in answers[-2]]
    total = _total(answers[0], effects)
    return ScriptMetrics(
        since=wanted.since,
        until=wanted.until,
        interval=interval,
        total=total,
        groups=[one for one in grouped if one.start is None] if by else [],
        buckets=[one for one in grouped if one.start is not None],
    )


async def _readable(call: Call, wanted: Wanted) -> Wanted:
    """The same of the devices alone that the caller may read; ApiError 403 for who may read none."""
    if call.principal.readable(PERMISSION).everything:
        return wanted
    if not call.principal.anywhere(PERMISSION):
        call.require(PERMISSION)
    rows = await _rows(runs_sql.devices(settings().bigquery_dataset, wanted, MAX_DEVICES + 1))
    if len(rows) > MAX_DEVICES:
        raise ApiError(
            400, "script.tooManyDevices", f"it ran for more than {MAX_DEVICES} devices", "ask for less time"
        )
    held = await readable(call, [str(row[0]) for row in rows])
    return dataclasses.replace(wanted, readable=tuple(sorted(one.id for one in held)))


def _job_id(statement: Statement, nonce: str) -> str:
    """The id of the job that runs a query: a digest of all that it asks, so no cursor leads elsewhere."""
    parts = [part for name, kind, value in statement.parameters for part in (name, kind, repr(value))]
    return f"fulcrum_{ids.digest(nonce, statement.sql, *parts)}"


async def _start(statement: Statement, job_id: str) -> bigquery.Job:
    try:
        with problems.told():
            return await bigquery.start(
                statement.sql, statement.parameters, job_id, costs.max_bytes(), costs.SECONDS
            )
    except Rejected as error:
        raise await _expensive(statement) from error


async def _first(statement: Statement, job: bigquery.Job, size: int) -> bigquery.Page:
    """The first page of a job; here too the limit of bytes may turn out to be too low."""
    try:
        with problems.told():
            return await bigquery.page(job, size, costs.SECONDS)
    except Rejected as error:
        raise await _expensive(statement) from error


async def _expensive(statement: Statement) -> ApiError:
    with problems.told():
        would_read = await bigquery.estimate(statement.sql, statement.parameters)
    return problems.too_expensive(would_read, costs.max_bytes(), _ADVICE)


async def _rows(statement: Statement) -> list[list[str | None]]:
    """All rows of a result; ApiError 400 for more than an answer has."""
    job = await _start(statement, _job_id(statement, cursors.new_nonce()))
    page = await _first(statement, job, MAX_GROUPS)
    rows = page.rows
    while page.token:
        with problems.told():
            page = await bigquery.page(job, MAX_GROUPS, costs.SECONDS, page.token)
        rows += page.rows
        if len(rows) > 9 * MAX_GROUPS:
            break
    if sum(1 for row in rows if len(row) > 4) > MAX_GROUPS:
        raise ApiError(
            400,
            "script.tooManyGroups",
            f"more than {MAX_GROUPS} figures",
            "ask for one device, for less time, or for longer buckets",
        )
    return rows


def _run(cells: Cells) -> ScriptRun:
    row = dict(zip(LOG_COLUMNS, cells, strict=True))
    failure = None
    if row["failure_kind"] is not None:
        failure = RunFailure(
            kind=row["failure_kind"],
            type=row["failure_type"] or None,
            message=row["failure_message"] or None,
            traceback=row["traceback"] or None,
        )
    return ScriptRun(
        run_key=str(row["run_key"]),
        time=_whole(row["started"]),
        version=_whole(row["version"]),
        entry=str(row["entry"]),
        device_id=row["device_id"],
        event_id=row["event_id"],
        event_time=None if row["event_time"] is None else _whole(row["event_time"]),
        message_id=row["message_id"],
        call_id=row["call_id"],
        status=str(row["status"]),
        repeated=row["repeated"] == "true",
        result=row["result"],
        effects=_whole(row["effect_count"]),
        lines=_lines(row["logs"]),
        failure=failure,
        cpu_us=_whole(row["cpu_us"]),
        wall_us=_whole(row["wall_us"]),
    )


def _lines(text: str | None) -> list[RunLine]:
    found: Any = msgspec.json.decode(text) if text else None
    return [RunLine.model_validate(line) for line in found or ()]


def _figures(cells: Cells, by: By | None, effects: dict[str, int]) -> ScriptFigures:
    who, bucket, runs, done, unmet, failed, *rest = cells
    kinds, (wall_50, wall_95, cpu_50, cpu_95, cpu_sum, _) = rest[:-6], rest[-6:]
    failures = {kind: _whole(n) for kind, n in zip(runs_sql.FAILURES, kinds, strict=True) if _whole(n)}
    return ScriptFigures(
        version=_whole(who) if by == "version" else None,
        device_id=(who or None) if by == "device" else None,
        start=None if bucket == "-1" else _whole(bucket),
        runs=_whole(runs),
        done=_whole(done),
        unmet=_whole(unmet),
        failed=_whole(failed),
        failures=failures,
        wall_us=None if wall_50 is None else Times(p50=_whole(wall_50), p95=_whole(wall_95)),
        cpu_us=None if cpu_50 is None else Times(p50=_whole(cpu_50), p95=_whole(cpu_95)),
        cpu_us_sum=_whole(cpu_sum),
        effects=effects,
    )


def _total(
    rows: Sequence[Cells], effects: dict[tuple[str | None, str | None], dict[str, int]]
) -> ScriptFigures:
    every: dict[str, int] = {}
    for (_, bucket), kinds in effects.items():
        for kind, number in kinds.items() if bucket == "-1" else ():
            every[kind] = every.get(kind, 0) + number
    if not rows:
        return ScriptFigures(runs=0, done=0, unmet=0, failed=0, failures={}, effects={})
    return _figures(rows[0], None, dict(sorted(every.items())))


def _whole(cell: str | None) -> int:
    return int(float(cell)) if cell and "." in cell else int(cell or 0)
