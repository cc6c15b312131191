"""The checks of a blueprint: the text that the event path reads, in step with the blueprint's attributes.

Every change of an attribute's type spec writes the blueprint too, with a number that grows each time, so
that of two changes at once the second reads again: no attribute is lost from the text. Relationships are no
part of it: what devices send is never a relation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fulcrum.core.paths import MAX_PATHS
from shared.attributes import checks_text
from shared.attributes.types import RELATIONS
from shared.errors import ApiError
from shared.model.attribute import ATTRIBUTE
from shared.model.blueprint import BLUEPRINT
from shared.store.change import Change
from shared.store.query import Query, Where
from shared.store.scope import Scope, Stored, not_found

# Attributes by id; None for one that goes.
Edits = Mapping[str, Mapping[str, Any] | None]


async def attributes_of(scope: Scope, blueprint_id: str) -> dict[str, dict[str, Any]]:
    """All attributes of a blueprint by id, as wire fields."""
    query = Query((Where("blueprintId", "==", blueprint_id),), limit=MAX_PATHS)
    return {stored.id: stored.fields for stored in (await scope.page(ATTRIBUTE, query)).items}


async def rewrite(scope: Scope, change: Change, edits: Mapping[str, Edits]) -> None:
    """Write the checks of blueprints whose attributes the change edits; ``edits`` by the blueprint's id.

    ApiError 404 or 410 if an attribute is given to a blueprint that is not there, 400 for too many.
    """
    for blueprint_id, edited in edits.items():
        blueprint = await scope.find(BLUEPRINT, blueprint_id)
        if blueprint is not None:
            change.keep(blueprint, await _kept(scope, blueprint, edited))
        elif any(fields is not None for fields in edited.values()):
            raise not_found("blueprint", blueprint_id)


async def texts(scope: Scope, blueprint: Stored[Any], mode: str, edited: Edits) -> dict[str, Any]:
    """The fields of a blueprint that hold its checks, with a mode and after edits of its attributes."""
    known = await attributes_of(scope, blueprint.id) if mode != "off" else {}
    version = blueprint.fields.get("attributesVersion") or 0
    return {"checks": text(mode, known | dict(edited)), "attributesVersion": version + 1}


def text(mode: str, attributes: Edits) -> str:
    """The text of a mode and of attributes; those that are None, and relationships, are no part of it."""
    known = (fields for fields in attributes.values() if fields is not None)
    return checks_text(mode, (fields for fields in known if fields["type"] not in RELATIONS))


async def _kept(scope: Scope, blueprint: Stored[Any], edited: Edits) -> dict[str, Any]:
    kept = await texts(scope, blueprint, blueprint.fields.get("checkMode") or "off", edited)
    gone = sum(fields is None for fields in edited.values())
    added = sum("created" not in fields for fields in edited.values() if fields is not None)
    count = max(0, (blueprint.fields.get("attributeCount") or 0) + added - gone)
    if added and count > MAX_PATHS:
        # Mirrors that went with their parents' blueprint were not told of: they are counted now.
        mine = Query((Where("blueprintId", "==", blueprint.id),))
        count = await scope.count(ATTRIBUTE, mine) + added - gone
    if added and count > MAX_PATHS:
        raise ApiError(
            400,
            "blueprint.tooManyAttributes",
            f"the blueprint has {MAX_PATHS} attributes already",
            "delete one that is not needed, or split the blueprint",
        )
    return kept | {"attributeCount": count}
