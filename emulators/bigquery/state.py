"""The catalog: datasets, tables and table functions, and the rules for changing them. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from emulators.bigquery.errors import ServiceError, duplicate, invalid, not_found, unsupported
from emulators.bigquery.schema import columns_from_json, merged
from emulators.bigquery.tables import Table, settings_of, with_settings

_DATASET_ID = re.compile(r"[A-Za-z0-9_]{1,1024}")
_TABLE_ID = re.compile(r"[\w\- ]{1,1024}")
_DATASET_KEYS = {
    "description",
    "friendlyName",
    "labels",
    "location",
    "access",
    "maxTimeTravelHours",
    "storageBillingModel",
}
_TABLE_KEYS = {
    "description",
    "friendlyName",
    "labels",
    "schema",
    "timePartitioning",
    "requirePartitionFilter",
    "clustering",
}
_IGNORED_KEYS = {
    # What the service itself fills in, and clients send back with the rest of a resource.
    *("kind", "etag", "id", "selfLink", "creationTime", "lastModifiedTime", "type", "location"),
    *("datasetReference", "tableReference", "routineReference", "numRows", "numBytes", "isCaseInsensitive"),
    *("numLongTermBytes", "numActiveLogicalBytes", "numTotalLogicalBytes", "streamingBuffer"),
    *("numPhysicalBytes", "numPartitions", "numTimeTravelPhysicalBytes"),
}


@dataclass(frozen=True)
class TableFunction:
    """A table function: ``body`` is one SELECT, ``arguments`` are (name, type) pairs."""

    project: str
    dataset: str
    name: str
    arguments: tuple[tuple[str, str], ...]
    body: str
    created_ms: int = 0

    @property
    def key(self) -> str:
        """``project.dataset.name``."""
        return f"{self.project}.{self.dataset}.{self.name}"


class Catalog:
    """All that exists, by key."""

    def __init__(self) -> None:
        self.datasets: dict[str, dict[str, Any]] = {}
        self.tables: dict[str, Table] = {}
        self.functions: dict[str, TableFunction] = {}

    def clear(self) -> None:
        """Forget everything."""
        self.datasets.clear()
        self.tables.clear()
        self.functions.clear()

    def dataset(self, project: str, dataset: str) -> dict[str, Any]:
        """A dataset's resource, or 404."""
        found = self.datasets.get(f"{project}.{dataset}")
        if found is None:
            raise not_found("Dataset", f"{project}:{dataset}")
        return found

    def table(self, project: str, dataset: str, name: str) -> Table:
        """A table, or 404."""
        self.dataset(project, dataset)
        found = self.tables.get(f"{project}.{dataset}.{name}")
        if found is None:
            raise not_found("Table", f"{project}:{dataset}.{name}")
        return found

    def function(self, project: str, dataset: str, name: str) -> TableFunction:
        """A table function, or 404."""
        self.dataset(project, dataset)
        found = self.functions.get(f"{project}.{dataset}.{name}")
        if found is None:
            raise not_found("Routine", f"{project}:{dataset}.{name}")
        return found

    def tables_of(self, project: str, dataset: str) -> Iterator[Table]:
        """The tables of a dataset, by name."""
        prefix = f"{project}.{dataset}."
        return (self.tables[key] for key in sorted(self.tables) if key.startswith(prefix))

    def functions_of(self, project: str, dataset: str) -> Iterator[TableFunction]:
        """The table functions of a dataset, by name."""
        prefix = f"{project}.{dataset}."
        return (self.functions[key] for key in sorted(self.functions) if key.startswith(prefix))

    def new_dataset(self, project: str, body: dict[str, Any], now_ms: int) -> dict[str, Any]:
        """The resource of a dataset that may be created."""
        dataset = (body.get("datasetReference") or {}).get("datasetId") or ""
        if not _DATASET_ID.fullmatch(dataset):
            raise invalid(
                f'Invalid dataset ID "{dataset}". Dataset IDs must be alphanumeric (plus underscores) '
                "and must be at most 1024 characters long."
            )
        if f"{project}.{dataset}" in self.datasets:
            raise duplicate("Dataset", f"{project}:{dataset}")
        _only(body, _DATASET_KEYS, "dataset")
        return {
            "kind": "bigquery#dataset",
            "id": f"{project}:{dataset}",
            "datasetReference": {"projectId": project, "datasetId": dataset},
            "location": "US",
            **{key: value for key, value in body.items() if key in _DATASET_KEYS and value is not None},
            "creationTime": str(now_ms),
            "lastModifiedTime": str(now_ms),
        }

    def patched_dataset(self, old: dict[str, Any], body: dict[str, Any], now_ms: int) -> dict[str, Any]:
        """The resource after a patch."""
        _only(body, _DATASET_KEYS, "dataset")
        if body.get("location") not in (None, old["location"]):
            raise invalid("Cannot change the location of a dataset")
        return patched(old, body, _DATASET_KEYS, now_ms)

    def new_table(self, project: str, dataset: str, body: dict[str, Any], uid: str, now_ms: int) -> Table:
        """A table that may be created."""
        self.dataset(project, dataset)
        name = (body.get("tableReference") or {}).get("tableId") or ""
        if not _TABLE_ID.fullmatch(name):
            raise invalid(
                f'Invalid table ID "{name}". Table IDs must be alphanumeric (plus underscores) '
                "and must be at most 1024 characters long."
            )
        key = f"{project}.{dataset}.{name}"
        if key in self.tables:
            raise duplicate("Table", f"{project}:{dataset}.{name}")
        _only(body, _TABLE_KEYS, "table")
        columns = columns_from_json(body.get("schema"))
        if not columns:
            raise unsupported("A table without a schema")
        table = Table(project, dataset, name, uid, columns, created_ms=now_ms, modified_ms=now_ms)
        return with_settings(table, body)

    def patched_table(self, table: Table, body: dict[str, Any], now_ms: int, full: bool) -> Table:
        """The table after a patch, or after an update (``full``), which takes what is left out as cleared."""
        _only(body, _TABLE_KEYS, "table")
        columns = table.columns
        if body.get("schema"):
            columns = merged(columns, columns_from_json(body["schema"]), table.spoken)
        current = {} if full else settings_of(table)
        given = {key: value for key, value in body.items() if key in _TABLE_KEYS and key != "schema"}
        if "labels" in given and "labels" in current:
            given["labels"] = merged_labels(current["labels"], given["labels"])
        bare = replace(
            table,
            columns=columns,
            partitioning=None,
            require_filter=False,
            clustering=(),
            extra={},
            modified_ms=now_ms,
        )
        changed = with_settings(bare, {**current, **given})
        old, new = table.partitioning, changed.partitioning
        if (old and (old.column, old.granularity)) != (new and (new.column, new.granularity)):
            raise invalid(f"Cannot change partitioning spec for a partitioned table {table.spoken}")
        return changed


def merged_labels(old: dict[str, Any], new: dict[str, Any] | None) -> dict[str, Any]:
    """Labels after a patch: null removes one."""
    return {key: value for key, value in {**old, **(new or {})}.items() if value is not None}


def patched(old: dict[str, Any], body: dict[str, Any], keys: set[str], now_ms: int) -> dict[str, Any]:
    """A resource after a patch of ``keys``: null clears, labels merge."""
    new = dict(old)
    for key in keys & body.keys():
        if key == "labels":
            new[key] = merged_labels(old.get("labels", {}), body[key])
        elif body[key] is None:
            new.pop(key, None)
        else:
            new[key] = body[key]
    new["lastModifiedTime"] = str(now_ms)
    return new


def _only(body: dict[str, Any], keys: set[str], kind: str) -> None:
    for key, value in body.items():
        if key not in keys and key not in _IGNORED_KEYS and value not in (None, False, "", [], {}):
            raise unsupported(f"Property {key!r} of a {kind}")


def dataset_in_use(catalog: Catalog, project: str, dataset: str) -> ServiceError | None:
    """Why a dataset cannot be deleted without ``deleteContents``."""
    if any(catalog.tables_of(project, dataset)) or any(catalog.functions_of(project, dataset)):
        return ServiceError(400, "resourceInUse", f"Dataset {project}:{dataset} is still in use")
    return None
