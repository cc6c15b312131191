"""What devices take from their blueprint and from message routes that they refer to.

Both are read with what is missing of them, blueprints first, then all routes at once, and remembered under
the project's revision.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from shared import names, values
from shared.clients import firestore
from shared.clients.firestore import Document
from shared.log import log

if TYPE_CHECKING:
    from shared.attributes.checks import Checks

ID = r"(?!__)[A-Za-z0-9_\-]{1,128}\Z"
_MASK = ("messageRoute", "messageRouteId", "checks", "route")
# Distinct texts of checks that are kept compiled, and are complained of once.
_KEPT = 2_000

# A document's place: its project and its id there.
Place = tuple[str, str]
_T = TypeVar("_T")


class Blueprint(msgspec.Struct, frozen=True):
    """What a blueprint says of its devices' messages: its routes, and the checks of their data."""

    route: str | None = None
    route_id: str | None = None
    checks: Checks | None = None


class Generation:
    """What was learned of a project under one revision: blueprints, and texts of message routes, by id."""

    __slots__ = ("blueprints", "routes")

    def __init__(self) -> None:
        self.blueprints: dict[str, Blueprint] = {}
        self.routes: dict[str, str | None] = {}


class Definitions(msgspec.Struct):
    """What some devices need, by project and id; what is missing does not exist."""

    blueprints: dict[Place, Blueprint]
    routes: dict[Place, str | None]

    def of(self, project_id: str, fields: Mapping[str, Any]) -> tuple[tuple[str, ...], Checks | None]:
        """The message routes that count for a device, the first first, and the checks of its data."""
        blueprint = self.blueprints.get((project_id, fields.get("blueprintId") or ""), Blueprint())
        texts = (
            text(fields.get("messageRoute")),
            self.routes.get((project_id, fields.get("messageRouteId") or "")),
            blueprint.route,
            self.routes.get((project_id, blueprint.route_id or "")),
        )
        return tuple(found for found in texts if found is not None), blueprint.checks


async def learn(
    devices: Iterable[tuple[str, Mapping[str, Any]]], generations: Mapping[str, Generation]
) -> Definitions:
    """What these devices need, each with its project and its fields. At most two calls; none if all is known.

    ``generations``: what is known of each project, and takes what is read. Transient where the store fails.
    """
    known = list(devices)
    blueprints = await _find(
        {place for project, fields in known if (place := _place(project, fields.get("blueprintId")))},
        lambda project: generations[project].blueprints if project in generations else None,
        names.blueprint,
        _blueprint,
    )
    references = [(project, fields.get("messageRouteId")) for project, fields in known]
    references += [(project, blueprint.route_id) for (project, _), blueprint in blueprints.items()]
    routes = await _find(
        {place for project, reference in references if (place := _place(project, reference))},
        lambda project: generations[project].routes if project in generations else None,
        names.message_route,
        _route,
    )
    return Definitions(blueprints, routes)


async def _find(
    places: set[Place],
    remembered: Callable[[str], dict[str, _T] | None],
    name_of: Callable[[str, str], str],
    take: Callable[[Document | None], _T],
) -> dict[Place, _T]:
    """What stands at places, from what is remembered of their projects or read in one call."""
    found: dict[Place, _T] = {}
    wanted: dict[str, Place] = {}
    for project, key in places:
        memory = remembered(project)
        if memory is not None and key in memory:
            found[project, key] = memory[key]
        else:
            wanted[name_of(project, key)] = (project, key)
    documents = await firestore.batch_get(wanted, _MASK) if wanted else {}
    for name, (project, key) in wanted.items():
        taken = found[project, key] = take(documents.get(name))
        memory = remembered(project)
        if memory is not None:
            memory[key] = taken
    return found


def _place(project: str, key: Any) -> Place | None:
    return (project, key) if isinstance(key, str) and re.match(ID, key) else None


def _blueprint(document: Document | None) -> Blueprint:
    if document is None:
        return Blueprint()
    fields = values.from_fields(document.fields)
    reference, checked = fields.get("messageRouteId"), text(fields.get("checks"))
    return Blueprint(
        text(fields.get("messageRoute")),
        reference if isinstance(reference, str) else None,
        compiled(checked) if checked else None,
    )


def _route(document: Document | None) -> str | None:
    return None if document is None else text(values.from_fields(document.fields).get("route"))


def text(value: Any) -> str | None:
    """JSON text as it should be stored; what is stored as a map is understood too."""
    if value is None or isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


@lru_cache(maxsize=_KEPT)
def compiled(checks: str) -> Checks | None:
    """A blueprint's checks; None if they are off. A text that is none is logged, and counts as off.

    Only the platform writes it: that it is wrong is no fault of the devices.
    """
    # A start without checks does not pay for them.
    from shared.attributes.checks import compile_checks

    try:
        found = compile_checks(checks)
    except ValueError as error:
        log("ERROR", "attributes are not checked", error=str(error)[:500])
        return None
    if found.skipped:
        log("WARNING", "some attributes are not checked", problems=found.skipped[:5])
    return found if found.active else None
