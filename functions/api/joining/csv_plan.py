"""What importing a table would do, row by row, without doing it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec
from pydantic import ValidationError

from fulcrum.core import ids
from functions.api.devices import access, aliases, changing, placement
from functions.api.devices.external_ids import EXTERNAL_ID
from functions.api.joining.csv_columns import RowProblem, Said
from functions.api.joining.csv_known import Known, triples
from functions.api.needs import Call
from functions.api.resources import items
from shared.errors import ApiError
from shared.model.device import DEVICE, DeviceCreate
from shared.store.scope import Stored


class Step(msgspec.Struct, frozen=True):
    """What becomes of a row. ``fields``: of the new device, or those that change.

    ``after``: the new device of the table that is its parent, which must be made before it.
    """

    row: int
    kind: Literal["create", "update", "keep"]
    device_id: str
    fields: dict[str, Any]
    stored: Stored[Any] | None = None
    after: str = ""


def in_order(rows: Sequence[Said]) -> Iterator[tuple[Said, str]]:
    """Rows so that parents come before their children, each with what is wrong with its place, if so."""
    named = {row.of(EXTERNAL_ID): row.number for row in rows if row.of(EXTERNAL_ID)}
    below: dict[int, list[Said]] = {}
    ready: deque[Said] = deque()
    for row in rows:
        parent = named.get(row.of("parent"))
        if parent is None:
            ready.append(row)
        else:
            below.setdefault(parent, []).append(row)
    while ready:
        row = ready.popleft()
        yield row, ""
        ready.extend(below.pop(row.number, ()))
    for left in below.values():
        yield from ((row, "its parents in this table form a circle") for row in left)


class Planner:
    """Plans rows in their order; what one row takes, no later one can take."""

    def __init__(self, call: Call, known: Known, rows: Sequence[Said]) -> None:
        self._call = call
        self._known = known
        # The new devices of this table by their external ids, planned or not yet.
        self._new = {
            row.of(EXTERNAL_ID): ids.new_id()
            for row in rows
            if row.of(EXTERNAL_ID) and row.of(EXTERNAL_ID) not in known.externals
        }
        self._taken: dict[Any, int] = {}
        # Of devices that the table makes or moves: the system, and the device above.
        self._systems: dict[str, str] = {}
        self._above: dict[str, str] = {}

    async def plan(self, row: Said) -> Step:
        """What becomes of a row; RowProblem for what is wrong with it."""
        self._check_references(row)
        stored = self._match(row)
        self._take(row, stored)
        try:
            if stored is None:
                return await self._create(row)
            return await self._update(row, stored)
        except ApiError as error:
            raise RowProblem(error.error, error.message) from None

    def _match(self, row: Said) -> Stored[Any] | None:
        """The device that a row is about, by its id, its external id, or its outside names."""
        found: set[str] = set()
        if row.of("id"):
            if row.of("id") not in self._known.devices:
                raise RowProblem("device.notFound", "no device has this id: leave it empty to make one", "id")
            found.add(row.of("id"))
        if row.of(EXTERNAL_ID) in self._known.externals:
            found.add(self._known.externals[row.of(EXTERNAL_ID)])
        for triple in triples(row):
            if triple in self._known.holders:
                holder = self._known.holders[triple]
                if not holder:
                    raise RowProblem("device.aliasTaken", f"{triple.text} is taken", _column(triple))
                found.add(holder)
        if len(found) > 1:
            raise RowProblem("csv.ambiguous", f"it names several devices: {', '.join(sorted(found))}")
        stored = self._known.devices.get(found.pop()) if found else None
        return stored

    def _take(self, row: Said, stored: Stored[Any] | None) -> None:
        keys: list[tuple[Any, str]] = [(triple, _column(triple)) for triple in triples(row)]
        if row.of(EXTERNAL_ID):
            keys.append((row.of(EXTERNAL_ID), EXTERNAL_ID))
        if stored is not None:
            keys.append((("device", stored.id), ""))
        for key, column in keys:
            if key in self._taken:
                raise RowProblem("csv.twice", f"row {self._taken[key]} is about the same", column)
        self._taken |= {key: row.number for key, _ in keys}

    async def _create(self, row: Said) -> Step:
        for needed in ("name", "blueprint", "system"):
            if needed not in row.fields and not row.of(needed):
                raise RowProblem("csv.missing", "a new device needs it", needed)
        blueprint, system = self._known.blueprints[row.of("blueprint")], self._known.systems[row.of("system")]
        parent, after = self._parent(row)
        given = {**row.fields, "networkAliases": row.aliases, "metadata": row.metadata}
        given |= {"blueprintId": blueprint.id}
        if parent is not None or after:
            given["parentDeviceId"] = parent.id if parent is not None else after
        model = _validated(given)
        aliases.check(aliases.triples(given))
        above = parent.fields.get("systemId") if parent is not None else self._systems.get(after)
        if above is not None and above != system.id:
            raise RowProblem("device.otherSystem", "its parent is in another system", "parent")
        await changing.require_create(self._call, system.id, blueprint.id, parent)
        fields = model.model_dump(by_alias=True, exclude_none=True, mode="json")
        purpose = blueprint.fields.get("purpose") or "device"
        fields |= {"systemId": system.id, "purpose": purpose, "links": []}
        device_id = self._new.get(row.of(EXTERNAL_ID)) or ids.new_id()
        self._place(device_id, system.id, given.get("parentDeviceId"))
        return Step(row.number, "create", device_id, fields, None, after)

    async def _update(self, row: Said, stored: Stored[Any]) -> Step:
        for column, known, field in (
            ("blueprint", self._known.blueprints, "blueprintId"),
            ("system", self._known.systems, "systemId"),
        ):
            if row.of(column) and known[row.of(column)].id != stored.fields.get(field):
                raise RowProblem("csv.fixed", f"the {column} of a device never changes", column)
        await access.require(self._call, ["device.update"], stored)
        parent, after = self._parent(row)
        wanted = dict(row.fields)
        wanted["metadata"] = {**(stored.fields.get("metadata") or {}), **row.metadata}
        present = stored.fields.get("networkAliases") or {}
        added = {net: {**present.get(net, {}), **keys} for net, keys in row.aliases.items()}
        wanted["networkAliases"] = {**present, **added}
        if parent is not None or after:
            wanted["parentDeviceId"] = parent.id if parent is not None else after
        if row.of(EXTERNAL_ID) in self._new:
            self._new[row.of(EXTERNAL_ID)] = stored.id
        self._systems[stored.id] = str(stored.fields.get("systemId"))
        changed = {key: value for key, value in wanted.items() if not _same(stored.fields.get(key), value)}
        if not changed:
            return Step(row.number, "keep", stored.id, {}, stored)
        if "parentDeviceId" in changed:
            await self._check_move(stored, parent, after)
        items.validated(DEVICE, stored, changed)
        aliases.check(aliases.triples(stored.fields | changed))
        return Step(row.number, "update", stored.id, changed, stored, after)

    async def _check_move(self, stored: Stored[Any], parent: Stored[Any] | None, after: str) -> None:
        """Whether a device that is there may be placed under another one, as far as can be told now."""
        system = str(stored.fields.get("systemId"))
        if (parent.fields.get("systemId") if parent is not None else self._systems.get(after)) != system:
            raise RowProblem("device.otherSystem", "its parent is in another system", "parent")
        if parent is not None:
            await access.require(self._call, ["device.update"], parent)
        else:
            access.require_system(self._call, ["device.update"], system)
        await access.require_no_gain(self._call, stored, parent)
        placement.check_not_owned(stored.fields)
        self._place(stored.id, system, parent.id if parent is not None else after)

    def _place(self, device_id: str, system_id: str, parent_id: str | None) -> None:
        """Note where a device will stand; RowProblem for a circle, or too many above it."""
        above, count = parent_id, 0
        while above:
            count += 1
            if above == device_id:
                raise RowProblem("device.circle", "it would stand under itself", "parent")
            if count > placement.MAX_DEPTH:
                raise RowProblem(
                    "device.tooDeep",
                    f"more than {placement.MAX_DEPTH} devices would stand above it",
                    "parent",
                )
            known = self._known.devices.get(above)
            above = self._above.get(above) or (known.fields.get("parentDeviceId") if known else None)
        self._systems[device_id] = system_id
        if parent_id:
            self._above[device_id] = parent_id

    def _parent(self, row: Said) -> tuple[Stored[Any] | None, str]:
        """The device above: one that is there, or the id of one that the table makes."""
        text = row.of("parent")
        if not text:
            return None, ""
        if text in self._known.devices:
            return self._known.devices[text], ""
        if text in self._known.externals:
            return self._known.devices.get(self._known.externals[text]), ""
        if text in self._new and text != row.of(EXTERNAL_ID):
            return None, self._new[text]
        raise RowProblem("device.unknownDevice", f"no device is called {text[:100]!r}", "parent")

    def _check_references(self, row: Said) -> None:
        for column, known in (("blueprint", self._known.blueprints), ("system", self._known.systems)):
            if row.of(column) and row.of(column) not in known:
                raise RowProblem(
                    f"{column}.notFound", f"no {column} has the alias or id {row.of(column)[:100]!r}", column
                )
        route_id = row.fields.get("messageRouteId")
        if route_id and route_id not in self._known.routes:
            raise RowProblem(
                "device.unknownMessageRoute", f"no message route {route_id[:100]!r}", "messageRoute"
            )
        for column, field in (("network", "networkId"), ("simNetwork", "simNetworkId")):
            self._check_network(row.fields.get(field), column)
        for triple in triples(row):
            self._check_network(triple.network_id, _column(triple))
            keys = self._known.networks[triple.network_id].fields.get("aliasKeys") or []
            if keys and triple.alias_key not in keys:
                raise RowProblem(
                    "device.unknownAliasKey", f"the network's keys are {', '.join(keys)}", _column(triple)
                )

    def _check_network(self, network_id: str | None, column: str) -> None:
        if network_id and network_id not in self._known.networks:
            raise RowProblem(
                "device.unknownNetwork", f"this project has no network {network_id[:100]!r}", column
            )


def _column(triple: aliases.Triple) -> str:
    return f"alias.{triple.network_id}.{triple.alias_key}"


def _same(before: Any, after: Any) -> bool:
    return before == after or (not before and not after and not isinstance(after, bool | int | float))


def _validated(given: dict[str, Any]) -> DeviceCreate:
    try:
        return DeviceCreate.model_validate({key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RowProblem("device.invalid", f"{place}: {first['msg']}", _named(first["loc"])) from None


def _named(place: tuple[Any, ...]) -> str:
    head = str(place[0]) if place else ""
    if head == "networkAliases" and len(place) > 2:
        return f"alias.{place[1]}.{place[2]}"
    if head == "metadata" and len(place) > 1:
        return f"metadata.{place[1]}"
    return {"networkId": "network", "simNetworkId": "simNetwork", "messageRouteId": "messageRoute"}.get(
        head, head
    )
