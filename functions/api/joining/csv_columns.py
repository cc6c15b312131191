"""What the columns of a table of devices say, and the cells of a device in them. Pure.

| column | holds |
|---|---|
| ``id`` | the device that the row is about; an export has it |
| ``externalId`` | your own name for it, kept in its metadata; no two devices of a project share one |
| ``name``, ``simulated``, ``network``, ``simNetwork``, ``messageRoute`` | as in the device; others by id |
| ``blueprint``, ``system`` | alias or id |
| ``parent`` | the id of a device, or its externalId, which may stand in the same table |
| ``tags`` | with ``;`` between them, or a JSON array |
| ``alias.<network>.<key>`` | the outside name; ``aliases``: those without a column, as JSON |
| ``metadata.<key>`` | a value; ``metadata``: those without a column, as JSON |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from functions.api.devices.external_ids import EXTERNAL_ID
from functions.api.joining import csv_table
from functions.api.joining.csv_table import Row
from shared.errors import ApiError

_PLAIN = {
    "name": "name",
    "network": "networkId",
    "simNetwork": "simNetworkId",
    "messageRoute": "messageRouteId",
}
_REFERENCES = ("id", "externalId", "blueprint", "system", "parent")
FIXED = ("id", "externalId", "name", "blueprint", "system", "network", "parent", "tags", "simulated")
MORE = ("simNetwork", "messageRoute", "aliases", "metadata")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_json = msgspec.json.Encoder(order="deterministic").encode


class RowProblem(Exception):
    """What is wrong with a row, by column if that is known."""

    def __init__(self, error: str, message: str, column: str = "") -> None:
        super().__init__(message)
        self.error = error
        self.message = message
        self.column = column


class Said(msgspec.Struct, frozen=True):
    """What a row says. ``fields``: of the device itself; aliases and metadata are added to what it has."""

    number: int
    references: dict[str, str]
    fields: dict[str, Any]
    aliases: dict[str, dict[str, str]]
    metadata: dict[str, Any]

    def of(self, name: str) -> str:
        """A reference: ``id``, ``externalId``, ``blueprint``, ``system`` or ``parent``; empty if not said."""
        return self.references.get(name, "")


def check(columns: Sequence[str]) -> None:
    """ApiError 400 that names all columns which mean nothing here."""
    known = {*FIXED, *MORE, *_PLAIN}
    strange = [name for name in columns if name and name not in known and not _is_open(name)]
    if strange:
        raise ApiError(
            400,
            "csv.column",
            f"unknown columns: {', '.join(strange)}"[:900],
            f"use {', '.join([*FIXED, *MORE])}, alias.<network>.<key> and metadata.<key>",
        )


def said(row: Row) -> Said:
    """What a row says; RowProblem for a cell that cannot be read."""
    if row.problem:
        raise RowProblem("csv.cells", row.problem)
    fields: dict[str, Any] = {}
    aliases: dict[str, dict[str, str]] = {}
    metadata: dict[str, Any] = {}
    for column, cell in row.cells.items():
        if column in _PLAIN:
            fields[_PLAIN[column]] = cell
        elif column == "tags":
            fields["tags"] = _tags(cell)
        elif column == "simulated":
            fields["simulated"] = _truth(cell)
        elif column == "metadata":
            metadata = _object(cell, column) | metadata
        elif column.startswith("metadata."):
            metadata[column[len("metadata.") :]] = csv_table.value_of(cell)
        elif column == "aliases":
            _add_aliases(aliases, _object(cell, column))
        elif column.startswith("alias."):
            _, network_id, key = column.split(".", 2)
            aliases.setdefault(network_id, {})[key] = cell
    references = {name: row.cells[name] for name in _REFERENCES if name in row.cells}
    if EXTERNAL_ID in references:
        metadata[EXTERNAL_ID] = references[EXTERNAL_ID]
    return Said(row.number, references, fields, aliases, metadata)


def cells(
    device_id: str,
    fields: Mapping[str, Any],
    blueprint: str,
    system: str,
    columns: Sequence[str],
) -> list[str]:
    """A device as cells of an export's columns; what has no column of its own goes into the JSON ones."""
    aliases = {net: dict(keys) for net, keys in (fields.get("networkAliases") or {}).items()}
    metadata = dict(fields.get("metadata") or {})
    external = metadata.pop(EXTERNAL_ID, None)
    found: dict[str, str] = {
        "id": device_id,
        "blueprint": csv_table.guarded(blueprint),
        "system": csv_table.guarded(system),
        "parent": csv_table.guarded(str(fields.get("parentDeviceId") or "")),
        "tags": csv_table.guarded(_tags_cell(fields.get("tags") or [])),
        "simulated": "true" if fields.get("simulated") else "false",
    }
    if isinstance(external, str):
        found[EXTERNAL_ID] = csv_table.guarded(external)
    elif external is not None:
        metadata[EXTERNAL_ID] = external
    for column, field in _PLAIN.items():
        found[column] = csv_table.guarded(str(fields.get(field) or ""))
    for column in columns:
        if column.startswith("alias."):
            _, network_id, key = column.split(".", 2)
            found[column] = csv_table.guarded(aliases.get(network_id, {}).pop(key, ""))
        elif column.startswith("metadata."):
            found[column] = csv_table.value_cell(metadata.pop(column[len("metadata.") :], None))
    rest = {network_id: keys for network_id, keys in aliases.items() if keys}
    found["aliases"] = _json(rest).decode() if rest else ""
    found["metadata"] = _json(metadata).decode() if metadata else ""
    return [found.get(column, "") for column in columns]


def _is_open(name: str) -> bool:
    if name.startswith("metadata."):
        return len(name) > len("metadata.")
    parts = name.split(".", 2)
    return parts[0] == "alias" and len(parts) == 3 and all(parts)


def _tags(cell: str) -> list[Any]:
    if cell.startswith("["):
        value = csv_table.value_of(cell)
        if not isinstance(value, list):
            raise RowProblem("csv.cell", "tags are neither a JSON array nor text with ; between", "tags")
        return value
    return [tag.strip() for tag in cell.split(";") if tag.strip()]


def _tags_cell(tags: Sequence[str]) -> str:
    plain = all(tag == tag.strip() and tag and ";" not in tag for tag in tags)
    joined = ";".join(tags)
    return joined if plain and not joined.startswith("[") else _json(list(tags)).decode()


def _truth(cell: str) -> bool:
    found = _TRUTH.get(cell.strip().lower())
    if found is None:
        raise RowProblem("csv.cell", f"{cell[:50]!r} is neither true nor false", "simulated")
    return found


def _object(cell: str, column: str) -> dict[str, Any]:
    value = csv_table.value_of(cell)
    if not isinstance(value, dict):
        raise RowProblem("csv.cell", "it is no JSON object", column)
    return value


def _add_aliases(aliases: dict[str, dict[str, str]], given: Mapping[str, Any]) -> None:
    for network_id, keys in given.items():
        if not isinstance(keys, dict) or not all(isinstance(value, str) for value in keys.values()):
            raise RowProblem("csv.cell", "write aliases as {network: {key: value}}", "aliases")
        aliases[network_id] = keys | aliases.get(network_id, {})
