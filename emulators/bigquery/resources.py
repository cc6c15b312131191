"""Tables and table functions as the REST API shows them, and as the catalog's entries keep them."""

from __future__ import annotations

from typing import Any

from emulators.bigquery.errors import ServiceError, invalid, unsupported
from emulators.bigquery.schema import SQL_NAMES, columns_from_json
from emulators.bigquery.state import TableFunction
from emulators.bigquery.tables import Partitioning, Table, settings_of


def table_resource(table: Table, rows: int | None = None) -> dict[str, Any]:
    """The Table resource. Without ``rows`` it is the short form that lists give."""
    body: dict[str, Any] = {
        "kind": "bigquery#table",
        "id": table.spoken,
        "tableReference": {"projectId": table.project, "datasetId": table.dataset, "tableId": table.name},
        "type": "TABLE",
        "creationTime": str(table.created_ms),
        **settings_of(table),
    }
    if rows is not None:
        body["schema"] = {"fields": [column.to_json() for column in table.columns]}
        body["lastModifiedTime"] = str(table.modified_ms)
        body["location"] = "US"
        body["numRows"] = str(rows)
    return body


def table_to_entry(table: Table) -> dict[str, Any]:
    """What the catalog keeps of a table."""
    part = table.partitioning
    return {
        "name": [table.project, table.dataset, table.name],
        "uid": table.uid,
        "fields": [column.to_json() for column in table.columns],
        "partitioning": [part.column, part.granularity, part.expiration_ms] if part else None,
        "require_filter": table.require_filter,
        "clustering": list(table.clustering),
        "extra": table.extra,
        "times": [table.created_ms, table.modified_ms],
    }


def table_from_entry(entry: dict[str, Any]) -> Table:
    """The reverse."""
    project, dataset, name = entry["name"]
    return Table(
        project,
        dataset,
        name,
        uid=entry["uid"],
        columns=columns_from_json({"fields": entry["fields"]}),
        partitioning=Partitioning(*entry["partitioning"]) if entry["partitioning"] else None,
        require_filter=entry["require_filter"],
        clustering=tuple(entry["clustering"]),
        extra=entry["extra"],
        created_ms=entry["times"][0],
        modified_ms=entry["times"][1],
    )


def function_resource(function: TableFunction) -> dict[str, Any]:
    """The Routine resource."""
    return {
        "routineReference": {
            "projectId": function.project,
            "datasetId": function.dataset,
            "routineId": function.name,
        },
        "routineType": "TABLE_VALUED_FUNCTION",
        "language": "SQL",
        "arguments": [{"name": name, "dataType": {"typeKind": kind}} for name, kind in function.arguments],
        "definitionBody": function.body,
        "creationTime": str(function.created_ms),
        "lastModifiedTime": str(function.created_ms),
    }


def function_from_json(project: str, dataset: str, body: dict[str, Any], now_ms: int) -> TableFunction:
    """Read a Routine that is to be created."""
    reference = body.get("routineReference") or {}
    if body.get("routineType") != "TABLE_VALUED_FUNCTION":
        raise unsupported(f"Routine type {body.get('routineType')}")
    if body.get("language") not in (None, "SQL"):
        raise unsupported(f"Routine language {body.get('language')}")
    for key in ("returnTableType", "returnType", "importedLibraries", "remoteFunctionOptions"):
        if body.get(key):
            raise unsupported(f"Property {key!r} of a routine")
    arguments = tuple(_argument(item) for item in body.get("arguments") or [])
    if not reference.get("routineId") or not body.get("definitionBody"):
        raise invalid("A routine needs a routineId and a definitionBody")
    return TableFunction(project, dataset, reference["routineId"], arguments, body["definitionBody"], now_ms)


def _argument(item: dict[str, Any]) -> tuple[str, str]:
    kind = (item.get("dataType") or {}).get("typeKind")
    if not item.get("name") or kind not in SQL_NAMES:
        raise _bad_argument(item)
    return item["name"], SQL_NAMES[kind]


def _bad_argument(item: dict[str, Any]) -> ServiceError:
    return unsupported(f"Argument {item.get('name')!r} of the type {item.get('dataType')}")


def function_to_entry(function: TableFunction) -> dict[str, Any]:
    """What the catalog keeps of a table function."""
    return {
        "name": [function.project, function.dataset, function.name],
        "arguments": [list(argument) for argument in function.arguments],
        "body": function.body,
        "created": function.created_ms,
    }


def function_from_entry(entry: dict[str, Any]) -> TableFunction:
    """The reverse."""
    arguments = tuple((name, kind) for name, kind in entry["arguments"])
    project, dataset, name = entry["name"]
    return TableFunction(project, dataset, name, arguments, entry["body"], entry["created"])
