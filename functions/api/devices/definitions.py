"""What blueprints define, remembered as long as the project's revision stays: one read tells.

Every change of a blueprint, an attribute, a system or an alias increases the revision in its own commit. The
revision is read first, so that what is remembered under it is never older than it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec

from shared import names, values
from shared.clients import firestore
from shared.store import query as queries
from shared.store.change import lock_name
from shared.store.query import Query, Where
from shared.store.scope import Scope

_KEPT = 5_000
_FIELDS = (
    *("path", "type", "unit", "values", "min", "max", "isCollection"),
    *("targetBlueprintId", "relationshipType", "owned", "forwardData", "blueprintId"),
)


class Relation(msgspec.Struct, frozen=True):
    """A relationship: an attribute of the parents' blueprint."""

    id: str
    path: str
    parent_blueprint: str
    child_blueprint: str
    kind: str
    owned: bool = False
    forward_data: bool = False

    @property
    def one_child(self) -> bool:
        """Whether a parent has at most one child."""
        return self.kind in ("oneToOne", "manyToOne")

    @property
    def one_parent(self) -> bool:
        """Whether a child has at most one parent."""
        return self.kind in ("oneToOne", "oneToMany")


class Blueprint(msgspec.Struct, frozen=True):
    """A blueprint's attributes: the type specs of its data by path, and its relationships by path."""

    specs: Mapping[str, Mapping[str, Any]]
    relations: Mapping[str, Relation]


_blueprints: OrderedDict[tuple[str, int, str], Blueprint] = OrderedDict()
_ids: OrderedDict[tuple[str, int, str, str], str | None] = OrderedDict()


async def revision(scope: Scope) -> int:
    """The project's revision; 0 for a project that is not there. One read."""
    name = names.project(scope.project_id)
    document = (await firestore.batch_get([name], ["revision"])).get(name)
    found = values.from_fields(document.fields).get("revision") if document else 0
    return found if isinstance(found, int) else 0


async def blueprint(scope: Scope, blueprint_id: str, known: int) -> Blueprint:
    """A blueprint's attributes, as of the revision ``known`` or later; at most one query."""
    key = (scope.project_id, known, blueprint_id)
    if key in _blueprints:
        _blueprints.move_to_end(key)
        return _blueprints[key]
    wanted = queries.conditions("attributes", Query((Where("blueprintId", "==", blueprint_id),)))
    for field in _FIELDS:
        wanted.select.fields.add(field_path=field)
    documents = await firestore.run_query(names.project(scope.project_id), wanted)
    made = _blueprint({document.id: values.from_fields(document.fields) for document in documents})
    _keep(_blueprints, key, made)
    return made


async def id_of(scope: Scope, kind: str, collection: str, text: str, known: int) -> str | None:
    """The id of a resource that is named by its id or its alias; None if there is none. One call at most."""
    key = (scope.project_id, known, kind, text)
    if key in _ids:
        return _ids[key]
    lock = lock_name(scope, kind, "alias", text)
    plain = text.replace("-", "").replace("_", "")
    document = names.document("projects", scope.project_id, collection, text)
    wanted = [lock, document] if plain.isalnum() and plain.isascii() and len(text) <= 128 else [lock]
    found = await firestore.batch_get(wanted, ["holder", "name"])
    made: str | None = None
    if document in found:
        made = text
    elif lock in found:
        made = values.from_fields(found[lock].fields).get("holder")
    _keep(_ids, key, made)
    return made


def _keep(kept: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    kept[key] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)


def _blueprint(attributes: Mapping[str, Mapping[str, Any]]) -> Blueprint:
    specs: dict[str, Mapping[str, Any]] = {}
    relations: dict[str, Relation] = {}
    for attribute_id, fields in attributes.items():
        path = str(fields.get("path"))
        if fields.get("type") == "relationship":
            relations[path] = Relation(
                attribute_id,
                path,
                str(fields.get("blueprintId")),
                str(fields.get("targetBlueprintId")),
                str(fields.get("relationshipType")),
                bool(fields.get("owned")),
                bool(fields.get("forwardData")),
            )
        elif fields.get("type") != "parentRelationship":
            specs[path] = fields
    return Blueprint(specs, relations)
