"""Rows of the history by INSERT: BigQuery streams none into partitions that are older than 1,825 days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared import history
from shared.history import Row
from shared.history_query.expr import Parameter, Parameters

_COLUMNS = history.schema()


def insert(dataset: str, rows: Sequence[Row]) -> tuple[str, tuple[Parameter, ...]]:
    """The statement that writes rows; a few hundred at most, as its parameters have 10 MB."""
    parameters = Parameters()
    made = [
        "(" + ", ".join(_value(column, row.get(column["name"]), parameters) for column in _COLUMNS) + ")"
        for row in rows
    ]
    names = ", ".join(column["name"] for column in _COLUMNS)
    sql = f"INSERT INTO `{dataset}.{history.TABLE}` ({names}) VALUES {', '.join(made)}"  # noqa: S608 our own
    return sql, parameters.all()


def _value(column: dict[str, str], value: Any, parameters: Parameters) -> str:
    kind = column["type"]
    if column["mode"] == "REPEATED":
        return parameters.strings(list(value or ()))
    if value is None:
        return "NULL"
    if kind == "TIMESTAMP":
        return f"TIMESTAMP_MICROS({parameters.add(value, 'INT64')})"
    if kind == "BOOL":
        return "TRUE" if value else "FALSE"
    text = parameters.add(value, "STRING")
    return f"PARSE_JSON({text})" if kind == "JSON" else text
