"""What attributes are beyond being stored: typed, counted in their blueprint's checks, and mirrored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fulcrum.core import ids, paths
from functions.api.needs import Call
from functions.api.resources import checks
from functions.api.resources.rules import Rules
from shared.attributes import definition_problem
from shared.errors import ApiError
from shared.model.attribute import ATTRIBUTE
from shared.model.blueprint import BLUEPRINT
from shared.store import cascade
from shared.store.audit import same
from shared.store.change import Change
from shared.store.scope import Stored

_RELATION = frozenset({"targetBlueprintId", "relationshipType", "owned", "forwardData", "mirrorPath"})
_TYPE_SPEC = ("values", "min", "max")
# What a mirror shows as it stands on the relationship.
_MIRRORED = ("relationshipType", "owned", "forwardData")


async def _creating(call: Call, change: Change, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    blueprint = await call.scope.get(BLUEPRINT, fields["blueprintId"])
    check_definition(fields)
    above = parent_path(fields)
    attribute_id = change.planned_id = change.planned_id or ids.new_id()
    further: dict[str, Any] = {"parentPath": above}
    edits: dict[str, dict[str, Mapping[str, Any] | None]] = {blueprint.id: {attribute_id: fields}}
    if fields["type"] == "relationship":
        further |= {"owned": fields.get("owned", False), "forwardData": fields.get("forwardData", False)}
        mirror_id = ids.new_id()
        target = await call.scope.find(BLUEPRINT, fields["targetBlueprintId"])
        if target is None:
            raise _invalid(f"targetBlueprintId: there is no blueprint {fields['targetBlueprintId']!r}")
        mirror = mirror_of(blueprint.id, blueprint.fields, {**fields, **further}, attribute_id)
        edits.setdefault(mirror["blueprintId"], {})[mirror_id] = mirror
        change.create(ATTRIBUTE, mirror, mirror_id)
        further |= {"mirrorId": mirror_id, "mirrorPath": mirror["path"]}
    await checks.rewrite(call.scope, change, edits)
    return further


def parent_path(fields: Mapping[str, Any]) -> str | None:
    """What of an attribute's path lies above it; ApiError 400 for a parentPath that does not."""
    above: str | None = fields.get("parentPath") or fields["path"].rpartition("/")[0] or None
    if above and not paths.is_below(fields["path"], above):
        raise _invalid(f"the path {fields['path']!r} does not lie below the parentPath {above!r}")
    return above


def mirror_of(
    blueprint_id: str, blueprint: Mapping[str, Any], fields: Mapping[str, Any], attribute_id: str
) -> dict[str, Any]:
    """The wire fields of the other side of a relationship, on the children's blueprint; ApiError 400 for a
    relationship that would stand where its own mirror does."""
    path = fields.get("mirrorPath") or made_path(blueprint["alias"], fields["path"])
    if fields["targetBlueprintId"] == blueprint_id and path == fields["path"]:
        raise _invalid("mirrorPath: the mirror on the same blueprint needs a path of its own")
    return {
        "name": blueprint["name"],
        "path": path,
        "type": "parentRelationship",
        "isCollection": False,
        "source": "User",
        "tags": [],
        "metadata": {},
        "blueprintId": fields["targetBlueprintId"],
        "sourceBlueprintId": blueprint_id,
        "mirrorId": attribute_id,
        **{wire: fields[wire] for wire in _MIRRORED},
    }


def made_path(alias: str, path: str) -> str:
    """The path of a mirror where none is given: from the parents' blueprint and the relationship's path."""
    return f"{alias}_{path.replace('/', '_')}"[: paths.MAX_LENGTH]


async def _updating(
    call: Call, change: Change, stored: Stored[Any], fields: Mapping[str, Any]
) -> Mapping[str, Any]:
    if stored.fields["type"] == "parentRelationship":
        if given := [wire for wire in _TYPE_SPEC if fields.get(wire) is not None]:
            raise _invalid(f"{', '.join(given)}: not for the mirror of a relationship")
        return {}
    check_definition(fields)
    if any(not same(fields.get(wire), stored.fields.get(wire)) for wire in _TYPE_SPEC):
        whole = stored.fields | {wire: fields.get(wire) for wire in _TYPE_SPEC}
        await checks.rewrite(call.scope, change, {stored.fields["blueprintId"]: {stored.id: whole}})
    return {}


async def _deleting(call: Call, change: Change, stored: Stored[Any]) -> str | None:
    if stored.fields["type"] == "parentRelationship":
        raise _is_mirror(stored)
    edits: dict[str, dict[str, Mapping[str, Any] | None]] = {stored.fields["blueprintId"]: {stored.id: None}}
    job_id = await cascade.begin(change, stored)
    if stored.fields["type"] == "relationship":
        mirror = await call.scope.find(ATTRIBUTE, stored.fields["mirrorId"])
        if mirror is not None:
            change.delete(mirror)
            edits.setdefault(mirror.fields["blueprintId"], {})[mirror.id] = None
    await checks.rewrite(call.scope, change, edits)
    return job_id


def check_definition(fields: Mapping[str, Any]) -> None:
    """ApiError 400 for a definition that is none."""
    if fields["type"] == "parentRelationship":
        raise _invalid("type: a parentRelationship is made with its relationship, on the parents' blueprint")
    if problem := definition_problem(fields):
        raise _invalid(problem)
    given = sorted(wire for wire in _RELATION if fields.get(wire) is not None)
    if fields["type"] != "relationship" and given:
        raise _invalid(f"{', '.join(given)}: only for the type relationship, not for {fields['type']}")
    if fields["type"] == "relationship":
        for wire in ("targetBlueprintId", "relationshipType"):
            if fields.get(wire) is None:
                raise _invalid(f"{wire} is missing: a relationship needs it")
        if fields.get("isCollection"):
            raise _invalid("isCollection: a relationship says by its relationshipType how many there are")


def _invalid(message: str) -> ApiError:
    return ApiError(400, "attribute.invalid", message[:1000], "correct what is named")


def _is_mirror(stored: Stored[Any]) -> ApiError:
    return ApiError(
        409,
        "attribute.mirror",
        f"{stored.fields['path']!r} is the mirror of the relationship {stored.fields['mirrorId']!r}",
        "delete the relationship; its mirror follows",
    )


RULES = Rules(
    creating=_creating,
    updating=_updating,
    deleting=_deleting,
    filters=("type", "path", "targetBlueprintId", "sourceBlueprintId"),
    refs={"targetBlueprintId": BLUEPRINT, "sourceBlueprintId": BLUEPRINT, "blueprintId": BLUEPRINT},
    reach="shown",
)
