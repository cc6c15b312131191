"""The definitions that a replayed script may be given, as they are today, and where it stands in routes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from fulcrum.script.replay import lines
from functions.api.needs import Call
from functions.api.replay.following import follows
from shared import device_rows
from shared.model.base import Kind
from shared.model.blueprint import BLUEPRINT
from shared.model.message_route import MESSAGE_ROUTE
from shared.model.project import PROJECT
from shared.model.system import SYSTEM

# What scripts may see of each; a device is its definition (shared.device_rows).
_PROJECT = ("name", "desc", "metadata")
_SYSTEM = ("name", "alias", "desc", "contacts", "tags", "metadata")
_BLUEPRINT = ("name", "alias", "desc", "purpose", "tags", "metadata")
_AT_ONCE = 300

Fields = Mapping[str, Any]


class Definitions:
    """Definitions of some devices, of what they stand in, and of their routes."""

    def __init__(self, call: Call, devices: Mapping[str, Fields]) -> None:
        self._call = call
        self._devices = devices
        self._project: Fields = {}
        self._systems: dict[str, Fields] = {}
        self._blueprints: dict[str, Fields] = {}
        self._routes: dict[str, Fields] = {}

    async def read(self) -> None:
        """Read all but the devices: a call for so many of a kind."""
        project = await self._call.scope.find(PROJECT, self._call.scope.project_id)
        self._project = project.fields if project else {}
        self._systems = await self._found(SYSTEM, (one.get("systemId") for one in self._devices.values()))
        self._blueprints = await self._found(
            BLUEPRINT, (one.get("blueprintId") for one in self._devices.values())
        )
        referring = [*self._devices.values(), *self._blueprints.values()]
        self._routes = await self._found(MESSAGE_ROUTE, (one.get("messageRouteId") for one in referring))

    async def _found(self, kind: Kind[Any], named: Iterable[Any]) -> dict[str, Fields]:
        wanted = sorted({one for one in named if isinstance(one, str) and one})
        found: dict[str, Fields] = {}
        for at in range(0, len(wanted), _AT_ONCE):
            some = await self._call.scope.find_many(kind, wanted[at : at + _AT_ONCE])
            found |= {one.id: one.fields for one in some.values()}
        return found

    def lines(self) -> Iterator[lines.Definition]:
        """All of them, each after what it stands in."""
        project_id = self._call.scope.project_id
        yield _line("project", project_id, self._project, _PROJECT)
        for system_id, fields in self._systems.items():
            yield _line("system", system_id, fields, _SYSTEM)
        for blueprint_id, fields in self._blueprints.items():
            yield _line("blueprint", blueprint_id, fields, _BLUEPRINT)
        for device_id, fields in self._devices.items():
            if fields:
                value = {"id": device_id, **device_rows.definition(fields)}
                yield lines.Definition(kind="device", id=device_id, value=value)

    def follows(self, names: tuple[str, ...]) -> dict[str, Any]:
        """By device, where that is ``input``: the script stands beside ``writer``, not before it."""
        known: dict[tuple[str, ...], str] = {}
        found = {}
        for device_id, fields in self._devices.items():
            texts = tuple(self._texts(fields))
            if texts not in known:
                known[texts] = follows(texts, names)
            if known[texts] == "input":
                found[device_id] = "input"
        return found

    def _texts(self, device: Fields) -> Iterator[str]:
        blueprint = self._blueprints.get(device.get("blueprintId") or "", {})
        for owner in (device, blueprint):
            referred = self._routes.get(owner.get("messageRouteId") or "", {})
            for route in (owner.get("messageRoute"), referred.get("route")):
                if route is not None:
                    yield route if isinstance(route, str) else msgspec.json.encode(route).decode()


def _line(
    kind: lines.DefinitionKind, identity: str, fields: Fields, wanted: Iterable[str]
) -> lines.Definition:
    value = {"id": identity, **{key: fields[key] for key in wanted if fields.get(key) is not None}}
    return lines.Definition(kind=kind, id=identity, value=value)


async def chunks(made: AsyncIterator[lines.AnyLine], size: int = 64 * 1024) -> AsyncIterator[bytes]:
    """Lines as bytes, so many together as are worth sending."""
    waiting = bytearray()
    async for line in made:
        waiting += lines.encode(line)
        waiting += b"\n"
        if len(waiting) >= size:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)
