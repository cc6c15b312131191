"""A table and what may be set on it: partitioning, clustering, labels. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from emulators.bigquery.errors import invalid, unsupported
from emulators.bigquery.schema import Column

GRANULARITIES = ("HOUR", "DAY", "MONTH", "YEAR")


@dataclass(frozen=True)
class Partitioning:
    """Time partitioning by a column. ``expiration_ms`` is None for never."""

    column: str
    granularity: str
    expiration_ms: int | None = None


@dataclass(frozen=True)
class Table:
    """One table. ``uid`` is the name of the stored table, never used twice."""

    project: str
    dataset: str
    name: str
    uid: str
    columns: tuple[Column, ...]
    partitioning: Partitioning | None = None
    require_filter: bool = False
    clustering: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    created_ms: int = 0
    modified_ms: int = 0

    @property
    def key(self) -> str:
        """``project.dataset.table``."""
        return f"{self.project}.{self.dataset}.{self.name}"

    @property
    def spoken(self) -> str:
        """The name as the service's messages spell it."""
        return f"{self.project}:{self.dataset}.{self.name}"

    def column(self, name: str) -> Column | None:
        """A column by its name in any case."""
        return next((column for column in self.columns if column.name.lower() == name.lower()), None)


def with_settings(table: Table, body: dict[str, Any]) -> Table:
    """The table with the partitioning, clustering and labels that a resource asks for, or a refusal."""
    partitioning, require = _partitioning(table, body)
    clustering = tuple((body.get("clustering") or {}).get("fields") or ())
    for name in clustering:
        column = table.column(name)
        if column is None:
            raise invalid(f"The field specified for clustering cannot be found in the schema: {name}")
        if column.mode == "REPEATED" or column.type in ("FLOAT64", "JSON", "BYTES"):
            raise invalid(f"Clustering is not supported on {name}, a column of type {column.sql_type}")
    if len(clustering) > 4:
        raise invalid("A table can be clustered by at most 4 columns")
    extra = {key: body[key] for key in ("description", "friendlyName", "labels") if body.get(key) is not None}
    return replace(
        table, partitioning=partitioning, require_filter=require, clustering=clustering, extra=extra
    )


def _partitioning(table: Table, body: dict[str, Any]) -> tuple[Partitioning | None, bool]:
    given = body.get("timePartitioning")
    require = body.get("requirePartitionFilter")
    if require is None:
        require = (given or {}).get("requirePartitionFilter")
    require = bool(require)
    if not given:
        if require:
            raise invalid("Require partition filter can only be set on a partitioned table")
        return None, False
    for key in given:
        if key not in ("type", "field", "expirationMs", "requirePartitionFilter"):
            raise unsupported(f"timePartitioning.{key}")
    granularity = given.get("type") or "DAY"
    if granularity not in GRANULARITIES:
        raise invalid(f"Invalid partitioning type {granularity!r}")
    if not given.get("field"):
        raise unsupported("Ingestion-time partitioning (timePartitioning without a field)")
    column = table.column(given["field"])
    if column is None:
        raise invalid(f"The field specified for partitioning cannot be found in the schema: {given['field']}")
    if column.type not in ("TIMESTAMP", "DATE") or column.mode == "REPEATED":
        raise invalid(
            "The field specified for partitioning must be a top-level TIMESTAMP, DATE or DATETIME column"
        )
    if column.type == "DATE" and granularity == "HOUR":
        raise invalid("HOUR partitioning needs a TIMESTAMP column")
    expiration = given.get("expirationMs")
    return Partitioning(column.name, granularity, int(expiration) if expiration else None), require


def settings_of(table: Table) -> dict[str, Any]:
    """What of a table can be changed later, in the API's form; the schema aside."""
    body: dict[str, Any] = dict(table.extra)
    if table.partitioning:
        body["timePartitioning"] = {
            "type": table.partitioning.granularity,
            "field": table.partitioning.column,
        }
        if table.partitioning.expiration_ms:
            body["timePartitioning"]["expirationMs"] = str(table.partitioning.expiration_ms)
        if table.require_filter:
            body["timePartitioning"]["requirePartitionFilter"] = True
            body["requirePartitionFilter"] = True
    if table.clustering:
        body["clustering"] = {"fields": list(table.clustering)}
    return body
