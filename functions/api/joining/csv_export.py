"""Exporting devices as a table, a page in memory at a time. What comes out can be imported again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from functions.api.devices import pages
from functions.api.devices.external_ids import EXTERNAL_ID
from functions.api.joining import csv_columns, csv_table
from functions.api.needs import Call
from shared.model.base import Kind
from shared.model.blueprint import BLUEPRINT
from shared.model.network import NETWORK
from shared.model.system import SYSTEM
from shared.store.query import MAX_PER_PAGE, Query, Where
from shared.store.scope import Found, Stored

# So many keys of metadata, of those on the first page, have columns of their own.
_MAX_METADATA = 100


async def stream(call: Call, where: tuple[Where, ...]) -> AsyncIterator[bytes]:
    """The table in pieces. Its columns: the fixed ones, aliases by networks, metadata by the first page."""
    found = await _page(call, where, None)
    columns = await _columns(call, found.items)
    aliases = _Aliases(call)
    yield csv_table.write([[csv_table.guarded(column) for column in columns]])
    while True:
        await aliases.learn(found.items)
        rows = [
            csv_columns.cells(
                stored.id,
                stored.fields,
                aliases.of(BLUEPRINT.name, str(stored.fields.get("blueprintId", ""))),
                aliases.of(SYSTEM.name, str(stored.fields.get("systemId", ""))),
                columns,
            )
            for stored in found.items
        ]
        if rows:
            yield csv_table.write(rows)
        if found.next is None:
            return
        found = await _page(call, where, found.next)


async def _page(call: Call, where: tuple[Where, ...], after: str | None) -> Found[Any]:
    return await pages.page(call, "device.list", Query(where, limit=MAX_PER_PAGE, after=after))


async def _columns(call: Call, first: Sequence[Stored[Any]]) -> list[str]:
    networks = await call.scope.page(NETWORK, Query(limit=MAX_PER_PAGE))
    aliases = [
        f"alias.{network.id}.{key}"
        for network in networks.items
        for key in network.fields.get("aliasKeys") or ()
    ]
    used = {key for stored in first for key in stored.fields.get("metadata") or {}}
    used.discard(EXTERNAL_ID)
    # A key that is no plain line would be changed by trimming: it stays in the JSON column.
    plain = sorted(key for key in used if key == key.strip() and key.isprintable())[:_MAX_METADATA]
    room = csv_table.MAX_COLUMNS - len(csv_columns.FIXED) - len(csv_columns.MORE)
    found = [*aliases, *(f"metadata.{key}" for key in plain if key)]
    return [*csv_columns.FIXED, *found[:room], *csv_columns.MORE]


class _Aliases:
    """How blueprints and systems are called: by their alias, by their id where they have none."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._known: dict[tuple[str, str], str] = {}

    async def learn(self, items: Sequence[Stored[Any]]) -> None:
        """Read those of a page that are not known yet."""
        kinds: tuple[tuple[Kind[Any], str], ...] = ((BLUEPRINT, "blueprintId"), (SYSTEM, "systemId"))
        for kind, field in kinds:
            named = {str(stored.fields[field]) for stored in items if stored.fields.get(field)}
            wanted = sorted(text for text in named if (kind.name, text) not in self._known)
            found = await self._call.scope.find_many(kind, wanted) if wanted else {}
            for text in wanted:
                alias = found[text].fields.get("alias") if text in found else None
                self._known[kind.name, text] = str(alias or text)

    def of(self, kind: str, resource_id: str) -> str:
        """What stands in the cell."""
        return self._known.get((kind, resource_id), resource_id)
