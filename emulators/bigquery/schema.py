"""Columns: the types of BigQuery, how they are stored, and the JSON form of a table's schema."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from emulators.bigquery.errors import ServiceError, invalid, unsupported

# Every spelling that the API takes, to the name in GoogleSQL.
SQL_NAMES = {
    "STRING": "STRING",
    "INTEGER": "INT64",
    "INT64": "INT64",
    "FLOAT": "FLOAT64",
    "FLOAT64": "FLOAT64",
    "BOOLEAN": "BOOL",
    "BOOL": "BOOL",
    "TIMESTAMP": "TIMESTAMP",
    "DATE": "DATE",
    "JSON": "JSON",
    "BYTES": "BYTES",
    "NUMERIC": "NUMERIC",
}
# The name that the REST API answers with, whatever spelling came in.
REST_NAMES = {
    "STRING": "STRING",
    "INT64": "INTEGER",
    "FLOAT64": "FLOAT",
    "BOOL": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMP",
    "DATE": "DATE",
    "JSON": "JSON",
    "BYTES": "BYTES",
    "NUMERIC": "NUMERIC",
}
DUCKDB_TYPES = {
    "STRING": "VARCHAR",
    "INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "BOOL": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMPTZ",
    "DATE": "DATE",
    "JSON": "JSON",
    "BYTES": "BLOB",
    "NUMERIC": "DECIMAL(38,9)",
}
# How a value travels from the writer to DuckDB (and through the journal, hence JSON-safe): the DuckDB
# type of the parameter, and the expression that makes the stored value of it.
_CARRIED = {
    "STRING": ("VARCHAR", "{0}"),
    "INT64": ("BIGINT", "{0}"),
    "FLOAT64": ("DOUBLE", "{0}"),
    "BOOL": ("BOOLEAN", "{0}"),
    "TIMESTAMP": ("BIGINT", "make_timestamp({0})::TIMESTAMPTZ"),
    "DATE": ("INTEGER", "(DATE '1970-01-01' + {0})"),
    "JSON": ("VARCHAR", "{0}::JSON"),
    "BYTES": ("VARCHAR", "from_base64({0})"),
    "NUMERIC": ("VARCHAR", "{0}::DECIMAL(38,9)"),
}
_MODES = ("NULLABLE", "REQUIRED", "REPEATED")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,299}")
_RESERVED = ("_TABLE_", "_FILE_", "_PARTITION", "_ROW_TIMESTAMP", "__ROOT__", "_COLIDENTIFIER")
_FIELD_KEYS = {"name", "type", "mode", "description", "policyTags", "fields"}


@dataclass(frozen=True)
class Column:
    """One column. ``type`` is GoogleSQL's name of the element's type."""

    name: str
    type: str
    mode: str = "NULLABLE"
    description: str | None = None

    @property
    def duckdb_type(self) -> str:
        """The type of the stored column."""
        return DUCKDB_TYPES[self.type] + ("[]" if self.mode == "REPEATED" else "")

    @property
    def sql_type(self) -> str:
        """GoogleSQL's type, as SQLGlot's schema wants it."""
        return f"ARRAY<{self.type}>" if self.mode == "REPEATED" else self.type

    @property
    def carried_type(self) -> str:
        """The DuckDB type of the parameter that carries values of this column."""
        return _CARRIED[self.type][0] + ("[]" if self.mode == "REPEATED" else "")

    def stored(self, expression: str) -> str:
        """The SQL that turns a carried value into a stored one."""
        form = _CARRIED[self.type][1]
        if self.mode != "REPEATED":
            return form.format(expression)
        if form == "{0}":
            return expression
        return f"list_transform({expression}, lambda x: {form.format('x')})"

    def to_json(self) -> dict[str, Any]:
        """The TableFieldSchema that the REST API answers."""
        field: dict[str, Any] = {"name": self.name, "type": REST_NAMES[self.type], "mode": self.mode}
        if self.description is not None:
            field["description"] = self.description
        return field


def columns_from_json(schema: dict[str, Any] | None) -> tuple[Column, ...]:
    """Read a TableSchema; what BigQuery refuses is refused, what the emulator lacks is named."""
    fields = (schema or {}).get("fields") or []
    columns = tuple(_column(field) for field in fields)
    seen: set[str] = set()
    for column in columns:
        if column.name.lower() in seen:
            raise invalid(f"Duplicate field name in the schema: {column.name}")
        seen.add(column.name.lower())
    return columns


def _column(field: dict[str, Any]) -> Column:
    name = field.get("name") or ""
    if not _NAME.fullmatch(name):
        raise invalid(
            f'Invalid field name "{name}". Fields must contain only letters, numbers, and underscores, '
            "start with a letter or underscore, and be at most 300 characters long."
        )
    if name.upper().startswith(_RESERVED):
        raise invalid(f'Invalid field name "{name}". The prefix is reserved')
    for key in field:
        if key not in _FIELD_KEYS and field[key] not in (None, [], {}):
            raise unsupported(f"Property {key!r} of column {name!r}")
    kind = str(field.get("type") or "").upper()
    mode = str(field.get("mode") or "NULLABLE").upper()
    if field.get("fields") or kind in ("RECORD", "STRUCT"):
        raise unsupported(f"Type RECORD of column {name!r}")
    if kind not in SQL_NAMES:
        raise unsupported(f"Type {kind or 'without a name'} of column {name!r}")
    if mode not in _MODES:
        raise invalid(f"Invalid mode {mode!r} of field {name}")
    return Column(name, SQL_NAMES[kind], mode, field.get("description"))


def merged(old: tuple[Column, ...], new: tuple[Column, ...], table: str) -> tuple[Column, ...]:
    """The schema after a patch: columns may be added and REQUIRED relaxed, nothing else."""
    by_name = {column.name.lower(): column for column in new}
    for column in old:
        given = by_name.get(column.name.lower())
        if given is None:
            raise _mismatch(table, f"Field {column.name} is missing in new schema")
        if given.type != column.type:
            raise _mismatch(table, f"Field {column.name} has changed type from {column.type} to {given.type}")
        if given.mode != column.mode and (column.mode, given.mode) != ("REQUIRED", "NULLABLE"):
            raise _mismatch(table, f"Field {column.name} has changed mode from {column.mode} to {given.mode}")
    known = {column.name.lower(): column for column in old}
    for column in new:
        if column.name.lower() not in known and column.mode == "REQUIRED":
            raise _mismatch(
                table, f"Cannot add required fields to an existing schema. (field: {column.name})"
            )
    kept = [
        replace(column, mode=(given := by_name[column.name.lower()]).mode, description=given.description)
        for column in old
    ]
    return (*kept, *(column for column in new if column.name.lower() not in known))


def _mismatch(table: str, what: str) -> ServiceError:
    return invalid(f"Provided Schema does not match Table {table}. {what}")
