"""Queries: running a statement on DuckDB (on the worker thread), and the jobs that the REST API shows."""

from __future__ import annotations

import math
import re
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb
from sqlglot import exp

from emulators.bigquery.errors import ServiceError, invalid_query, unsupported_sql
from emulators.bigquery.schema import REST_NAMES
from emulators.bigquery.sql import dml
from emulators.bigquery.sql.partitions import Scan, size_query
from emulators.bigquery.sql.plan import Context, Planned, plan_query
from emulators.bigquery.sql.prepare import parsed
from emulators.bigquery.sql.script import assertion_of
from emulators.bigquery.store import transaction
from emulators.bigquery.values import INT64_MAX, INT64_MIN, cell

_MIB = 1024 * 1024
_MINIMUM_BILLED = 10 * _MIB
_KEPT_JOBS = 500
# Cells of results that are kept for paging, about 200 bytes each; the oldest results go first.
KEPT_CELLS = 1_000_000
_RESULT_TYPES = {
    "BIGINT": "INT64",
    "INTEGER": "INT64",
    "HUGEINT": "INT64",
    "DOUBLE": "FLOAT64",
    "VARCHAR": "STRING",
    "BOOLEAN": "BOOL",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "DATE": "DATE",
    "JSON": "JSON",
    "BLOB": "BYTES",
    "NULL": "INT64",
    '"NULL"': "INT64",
}
_STATEMENTS: dict[type[exp.Expr], str] = {
    exp.Insert: "INSERT",
    exp.Update: "UPDATE",
    exp.Delete: "DELETE",
    exp.Merge: "MERGE",
}
# DuckDB's errors that tell of the statement or its values; anything else is this emulator's fault.
_QUERY_ERRORS = (
    duckdb.InvalidInputException,
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.ConstraintException,
    # LIKE's pattern that ends in a backslash; what the rewriting gets wrong is a ParserException.
    duckdb.SyntaxException,
)


@dataclass(frozen=True)
class Result:
    """What a statement gave. ``rows`` are in the REST API's form."""

    statement: str
    schema: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    affected: int | None = None
    dml_stats: dict[str, str] = field(default_factory=dict)
    bytes_processed: int = 0
    bytes_billed: int = 0
    tables: tuple[str, ...] = ()


def run_statement(
    connection: duckdb.DuckDBPyConnection, sql: str, context: Context, maximum: int | None, dry_run: bool
) -> Result:
    """Run one query or DML statement; DDL is for the caller."""
    tree = parsed(sql)
    statement = _STATEMENTS.get(type(tree))
    if statement is None and not isinstance(tree, exp.Query):
        raise unsupported_sql(f"The statement {tree.key.upper()}")
    planned = plan_query(tree, context) if statement is None else dml.plan(tree, context)
    scans = planned.scans
    processed, billed = _bytes(connection, scans)
    if maximum is not None and billed > maximum:
        raise ServiceError(
            400,
            "bytesBilledLimitExceeded",
            f"Query exceeded limit for bytes billed: {maximum}. {billed} or higher required.",
        )
    measured: dict[str, Any] = {
        "bytes_processed": processed,
        "bytes_billed": 0 if dry_run else billed,
        "tables": tuple(sorted({scan.table.key for scan in scans})),
    }
    try:
        if isinstance(planned, Planned):
            return _query(connection, planned, dry_run, measured)
        if dry_run:
            return Result(planned.statement, **measured)
        affected, stats = dml.execute(connection, planned)
        return Result(planned.statement, affected=affected, dml_stats=stats, **measured)
    except _QUERY_ERRORS as error:
        raise invalid_query(_spoken(error)) from None
    except duckdb.BinderException as error:
        raise unsupported_sql(f"This statement ({_spoken(error)})") from error


def run_transaction(
    connection: duckdb.DuckDBPyConnection, statements: list[str], context: Context, maximum: int | None
) -> Result:
    """Run the statements of a transaction, all or none. As the job of a script, it tells no rows of DML."""
    results = []
    with transaction(connection):
        for statement in statements:
            assertion = assertion_of(statement)
            result = run_statement(
                connection, assertion[0] if assertion else statement, context, maximum, False
            )
            if assertion and result.schema[0]["type"] != "BOOLEAN":
                raise invalid_query("ASSERT expression should have type BOOL")
            if assertion and result.rows[0]["f"][0]["v"] != "true":
                raise invalid_query(assertion[1])
            results.append(result)
    return Result(
        "SCRIPT",
        bytes_processed=sum(result.bytes_processed for result in results),
        bytes_billed=sum(result.bytes_billed for result in results),
        tables=tuple(sorted({table for result in results for table in result.tables})),
    )


def _query(
    connection: duckdb.DuckDBPyConnection, planned: Planned, dry_run: bool, measured: dict[str, Any]
) -> Result:
    text = planned.sql()
    cursor = connection.execute(f"SELECT * FROM ({text}) LIMIT 0" if dry_run else text)  # noqa: S608 rewritten
    columns = [
        (name, *_result_type(str(kind)))
        for name, (_, kind, *_) in zip(planned.names, cursor.description or [], strict=True)
    ]
    schema = [
        {"name": name, "type": REST_NAMES[kind], "mode": "REPEATED" if repeated else "NULLABLE"}
        for name, kind, repeated in columns
    ]
    rows = [] if dry_run else [_row(columns, row) for row in cursor.fetchall()]
    return Result("SELECT", schema, rows, **measured)


def _result_type(name: str) -> tuple[str, bool]:
    repeated = name.endswith("[]")
    base = name.removesuffix("[]")
    if base.startswith("DECIMAL"):
        return "NUMERIC", repeated
    if base not in _RESULT_TYPES:
        raise unsupported_sql(f"A result of the type {name}")
    return _RESULT_TYPES[base], repeated


def _row(columns: list[tuple[str, str, bool]], row: tuple[Any, ...]) -> dict[str, Any]:
    cells = []
    for (_, kind, repeated), value in zip(columns, row, strict=True):
        if repeated:
            items = value or []
            if any(item is None for item in items):
                raise invalid_query("Array cannot have a null element; error in writing field")
            for item in items:
                _check_range(kind, item)
            cells.append({"v": [{"v": cell(kind, item)} for item in items]})
            continue
        _check_range(kind, value)
        if kind == "INT64" and value is not None and not INT64_MIN <= value <= INT64_MAX:
            raise invalid_query("int64 overflow")
        cells.append({"v": cell(kind, value)})
    return {"f": cells}


def _check_range(kind: str, value: Any) -> None:
    """Refuse what BigQuery would not have come to; DuckDB gives times out of Python's range as text."""
    if kind == "FLOAT64" and value is not None and not math.isfinite(value):
        raise unsupported_sql("A result that is NaN or infinite")
    if kind in ("TIMESTAMP", "DATE") and (
        isinstance(value, str) or (value is not None and not 1 <= value.year <= 9999)
    ):
        raise invalid_query(f"{kind} is out of range")


def _bytes(connection: duckdb.DuckDBPyConnection, scans: list[Scan]) -> tuple[int, int]:
    processed = sum(connection.execute(size_query(scan)).fetchall()[0][0] for scan in scans if scan.columns)
    if processed == 0:
        return 0, 0
    tables = len({scan.table.key for scan in scans if scan.columns})
    rounded = -(-processed // _MIB) * _MIB
    return processed, max(rounded, _MINIMUM_BILLED * tables)


def _spoken(error: Exception) -> str:
    text = str(error).split("\n", 1)[0]
    return re.sub(r"^(Invalid Input|Conversion|Out of Range|Binder|Constraint) Error: ", "", text)


@dataclass
class Job:
    """One query job. Its caller waits for its end; others may ask for it meanwhile (``ended_ms`` is 0)."""

    project: str
    id: str
    configuration: dict[str, Any]
    created_ms: int
    ended_ms: int
    result: Result | None = None
    error: ServiceError | None = None
    forgotten: bool = False

    def forget_rows(self) -> None:
        """Let go of a result's rows; the job itself is still known."""
        if self.result is not None and self.result.rows:
            self.result = replace(self.result, rows=[])
            self.forgotten = True

    def reference(self) -> dict[str, str]:
        """The JobReference."""
        return {"projectId": self.project, "jobId": self.id, "location": "US"}

    def resource(self) -> dict[str, Any]:
        """The Job resource."""
        status: dict[str, Any] = {"state": "DONE" if self.ended_ms else "RUNNING"}
        if self.error is not None:
            status["errorResult"] = self.error.proto()
            status["errors"] = [self.error.proto()]
        body: dict[str, Any] = {
            "kind": "bigquery#job",
            "id": f"{self.project}:US.{self.id}",
            "jobReference": self.reference(),
            "configuration": self.configuration,
            "status": status,
            "statistics": {
                "creationTime": str(self.created_ms),
                "startTime": str(self.created_ms),
                **({"endTime": str(self.ended_ms)} if self.ended_ms else {}),
            },
        }
        if self.result is not None:
            body["statistics"]["totalBytesProcessed"] = str(self.result.bytes_processed)
            body["statistics"]["query"] = query_statistics(self.result)
        return body


def query_statistics(result: Result) -> dict[str, Any]:
    """The JobStatistics2 of a result."""
    statistics: dict[str, Any] = {
        "statementType": result.statement,
        "totalBytesProcessed": str(result.bytes_processed),
        "totalBytesBilled": str(result.bytes_billed),
        "cacheHit": False,
        "schema": {"fields": result.schema},
        "referencedTables": [
            dict(zip(("projectId", "datasetId", "tableId"), key.split("."), strict=False))
            for key in result.tables
        ],
    }
    if result.affected is not None:
        statistics["numDmlAffectedRows"] = str(result.affected)
        statistics["dmlStats"] = result.dml_stats
    return statistics


class Jobs:
    """The jobs of late, with their results."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[tuple[str, str], Job] = OrderedDict()
        self._with_rows: deque[Job] = deque()
        self._cells = 0

    def add(self, job: Job) -> None:
        """Keep a job; the oldest are forgotten."""
        self._jobs[job.project, job.id] = job
        while len(self._jobs) > _KEPT_JOBS:
            self._jobs.popitem(last=False)

    def finished(self, job: Job) -> None:
        """Count the rows of a job that has ended; rows of the oldest jobs make room for them."""
        if job.result is None or not job.result.rows:
            return
        self._with_rows.append(job)
        self._cells += _cells(job)
        while self._cells > KEPT_CELLS and len(self._with_rows) > 1:
            oldest = self._with_rows.popleft()
            self._cells -= _cells(oldest)
            oldest.forget_rows()

    def get(self, project: str, job: str) -> Job | None:
        """A job by its id."""
        return self._jobs.get((project, job))

    def of(self, project: str) -> list[Job]:
        """The jobs of a project, newest first."""
        return [job for (owner, _), job in reversed(self._jobs.items()) if owner == project]

    def clear(self) -> None:
        """Forget all."""
        self._jobs.clear()
        self._with_rows.clear()
        self._cells = 0


def _cells(job: Job) -> int:
    return len(job.result.rows) * len(job.result.schema) if job.result is not None else 0
