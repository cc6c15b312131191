"""SQL over the runs of a script: what people read of them. Pure; no text of a caller's reaches the SQL.

Repeats are dropped first: of rows with one ``run_key`` and version the latest stored counts. So conditions
on what a run came to stand outside of the subquery that drops them. A run of another version is no repeat:
what failed in one and was sent again to the next is told of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.clients.bigquery import Parameter
from shared.script_runs import TABLE

Level = Literal["info", "error"]
By = Literal["version", "device"]
# As many rows at most has an answer of metrics.
MAX_GROUPS = 10_000
# Columns of an item of the logs, in the order of the SQL's result.
LOG_COLUMNS = (
    *("run_key", "started", "version", "entry", "device_id", "event_id", "event_time", "message_id"),
    *("call_id", "status", "repeated", "result", "effect_count", "logs", "failure_kind", "failure_type"),
    *("failure_message", "traceback", "cpu_us", "wall_us"),
)
FAILURES = ("exception", "timeout", "memory", "exit", "output", "result", "effects", "load")


@dataclass(frozen=True)
class Wanted:
    """Which runs of which script, started from ``since`` until before ``until`` (epoch ms).

    ``readable``: of these devices alone; None: of all, and of none.
    """

    project_id: str
    script_id: str
    since: int
    until: int
    version: int | None = None
    device: str | None = None
    event: str | None = None
    entry: str | None = None
    status: str | None = None
    level: Level | None = None
    readable: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Statement:
    """A query with its parameters."""

    sql: str
    parameters: tuple[Parameter, ...]


def devices(dataset: str, wanted: Wanted, limit: int) -> Statement:
    """The ids of the devices that runs were for, ``limit`` at most."""
    rows, parameters = _distinct(dataset, wanted, ("device_id",))
    sql = f"SELECT DISTINCT device_id FROM ({rows}) WHERE device_id IS NOT NULL LIMIT {limit}"  # noqa: S608
    return Statement(sql, parameters)


def logs(dataset: str, wanted: Wanted) -> Statement:
    """The runs with what they logged, the latest first."""
    rows, parameters = _distinct(dataset, wanted, LOG_COLUMNS)
    columns = ", ".join(_text(name) for name in LOG_COLUMNS)
    kept, further = _kept(wanted)
    sql = f"SELECT {columns} FROM ({rows}){kept} ORDER BY started DESC, run_key DESC"  # noqa: S608 our own text
    return Statement(sql, (*parameters, *further))


def metrics(dataset: str, wanted: Wanted, by: By | None, interval: int | None) -> Statement:
    """Counts and times of groups: ``who``, ``bucket`` (epoch ms; -1: of all the time), then the figures."""
    used = ("started", "version", "device_id", "status", "failure_kind", "cpu_us", "wall_us", "effect_count")
    rows, parameters = _distinct(dataset, wanted, used)
    kept, further = _kept(wanted)
    who, buckets, more = _groups(by, interval)
    figures = [
        "COUNT(*) AS runs",
        "COUNTIF(status = 'done') AS done",
        "COUNTIF(status = 'unmet') AS unmet",
        "COUNTIF(status = 'failed') AS failed",
        *(f"COUNTIF(failure_kind = '{kind}') AS failed_{kind}" for kind in FAILURES),
        *(
            f"APPROX_QUANTILES({column}, 100)[OFFSET({percent})] AS {column}_{percent}"
            for column in ("wall_us", "cpu_us")
            for percent in (50, 95)
        ),
        "SUM(cpu_us) AS cpu_us_sum",
        "SUM(effect_count) AS effect_sum",
    ]
    sql = (
        f"SELECT who, bucket, {', '.join(figures)} FROM ("  # noqa: S608 our own text
        f"SELECT {who} AS who, {buckets} AS buckets, status, failure_kind, cpu_us, wall_us, effect_count "
        f"FROM ({rows}){kept}), UNNEST(buckets) AS bucket "
        f"GROUP BY who, bucket ORDER BY bucket, runs DESC, who LIMIT {MAX_GROUPS + 1}"
    )
    return Statement(sql, (*parameters, *further, *more))


def effects(dataset: str, wanted: Wanted, by: By | None, interval: int | None) -> Statement:
    """How many effects of each kind: ``who``, ``bucket``, ``kind``, how many."""
    used = ("started", "version", "device_id", "status", "effects", "effect_count")
    rows, parameters = _distinct(dataset, wanted, used)
    kept, further = _kept(wanted, "effect_count > 0")
    who, buckets, more = _groups(by, interval)
    sql = (
        f"SELECT who, bucket, JSON_VALUE(effect, '$.type') AS kind, COUNT(*) AS number FROM ("  # noqa: S608
        f"SELECT {who} AS who, {buckets} AS buckets, JSON_QUERY_ARRAY(effects) AS listed "
        f"FROM ({rows}){kept}), UNNEST(buckets) AS bucket, UNNEST(listed) AS effect "
        f"GROUP BY who, bucket, kind ORDER BY bucket, who, kind LIMIT {8 * MAX_GROUPS}"
    )
    return Statement(sql, (*parameters, *further, *more))


def _text(name: str) -> str:
    if name in ("started", "event_time"):
        return f"UNIX_MILLIS({name}) AS {name}_ms"
    return f"TO_JSON_STRING({name}) AS {name}_json" if name == "logs" else name


def _groups(by: By | None, interval: int | None) -> tuple[str, str, tuple[Parameter, ...]]:
    who = {"version": "CAST(version AS STRING)", "device": "IFNULL(device_id, '')", None: "''"}[by]
    if interval is None:
        return who, "[-1]", ()
    start = "UNIX_MILLIS(started) - MOD(UNIX_MILLIS(started), @interval)"
    return who, f"[-1, {start}]", (("interval", "INT64", interval),)


def _distinct(dataset: str, wanted: Wanted, used: tuple[str, ...]) -> tuple[str, tuple[Parameter, ...]]:
    """The subquery of the runs without repeats. What it filters by is the same in all repeats of a run."""
    parameters: list[Parameter] = [
        ("project", "STRING", wanted.project_id),
        ("script", "STRING", wanted.script_id),
        ("since", "TIMESTAMP", wanted.since),
        ("until", "TIMESTAMP", wanted.until),
    ]
    conditions = "project_id = @project AND script_id = @script AND started >= @since AND started < @until"
    for column, name, value in (
        ("device_id", "device", wanted.device),
        ("event_id", "event", wanted.event),
        ("entry", "entry", wanted.entry),
    ):
        if value is not None:
            conditions += f" AND {column} = @{name}"
            parameters.append((name, "STRING", value))
    if wanted.version is not None:
        conditions += " AND version = @version"
        parameters.append(("version", "INT64", wanted.version))
    if wanted.readable is not None:
        conditions += " AND device_id IN UNNEST(@readable)"
        parameters.append(("readable", "ARRAY<STRING>", list(wanted.readable)))
    sql = (
        f"SELECT {', '.join(used)} FROM `{dataset}.{TABLE}` WHERE {conditions} "  # noqa: S608 our own text
        "QUALIFY ROW_NUMBER() OVER (PARTITION BY run_key, version ORDER BY stored_time DESC) = 1"
    )
    return sql, tuple(parameters)


def _kept(wanted: Wanted, *more: str) -> tuple[str, tuple[Parameter, ...]]:
    conditions, parameters = [*more], list[Parameter]()
    if wanted.status is not None:
        conditions.append("status = @status")
        parameters.append(("status", "STRING", wanted.status))
    if wanted.level == "info":
        conditions.append("(status = 'failed' OR ARRAY_LENGTH(JSON_QUERY_ARRAY(logs)) > 0)")
    if wanted.level == "error":
        lines = "UNNEST(JSON_QUERY_ARRAY(logs)) AS line"
        told = f"EXISTS(SELECT 1 FROM {lines} WHERE JSON_VALUE(line, '$.level') = 'error')"  # noqa: S608
        conditions.append(f"(status = 'failed' OR {told})")
    return (f" WHERE {' AND '.join(conditions)}" if conditions else ""), tuple(parameters)
