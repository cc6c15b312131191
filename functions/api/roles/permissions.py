"""The permissions of a project: ``/v1/project/{p}/permission``, and their modules."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from functions.api.needs import Call, needs, signed_in
from functions.api.resources.answers import problem
from functions.api.roles import catalogue
from functions.api.router import Router
from shared import names, values
from shared.clients import firestore
from shared.model.role import Category, ModuleList, Permission, PermissionList
from shared.store import query as queries
from shared.store.query import Where
from shared.store.scope import Scope

router = Router("permission")

_PAGE = 500


@router.get(
    "/project/{project_id}/permission",
    operation_id="permission_list",
    summary="List the permissions of a project",
    description="All permissions that a role of the project can hold: the general ones, and those generated "
    "for its blueprints ('create X') and relationships ('create X in Y').",
    responses={404: problem("There is no such project")},
)
async def permission_list(
    project_id: str,
    call: Annotated[Call, needs("role.list")],
    category: Annotated[Category | None, Query(description="Only those of this category")] = None,
    module: Annotated[str | None, Query(max_length=100, description="Only those of this module")] = None,
) -> PermissionList:
    await call.scope.must_exist()
    found = [*catalogue.general(), *await _generated(call.scope)]
    items = [
        permission
        for permission in found
        if category in (None, permission.category) and module in (None, permission.module)
    ]
    return PermissionList(count=len(items), items=items)


@router.get(
    "/project/{project_id}/module",
    operation_id="permission_modules",
    summary="List the modules of permissions",
    description="The kinds of things that permissions are about, each with its verbs. Older than the list "
    "of permissions, and without the generated ones.",
)
async def permission_modules(
    project_id: str, call: Annotated[Call, signed_in("is the same for all projects")]
) -> ModuleList:
    items = catalogue.modules()
    return ModuleList(count=len(items), items=items)


async def _generated(scope: Scope) -> list[Permission]:
    blueprints = {
        blueprint_id: str(fields.get("name") or blueprint_id)
        for blueprint_id, fields in (await _all(scope, "blueprints", ["name"])).items()
    }
    relationships = await _all(
        scope,
        "attributes",
        ["blueprintId", "targetBlueprintId", "name"],
        Where("type", "==", "relationship"),
    )
    made = [catalogue.of_blueprint(blueprint_id, name) for blueprint_id, name in blueprints.items()]
    for attribute_id, fields in relationships.items():
        target, parent = str(fields.get("targetBlueprintId", "")), str(fields.get("blueprintId", ""))
        made.append(
            catalogue.of_relationship(
                attribute_id, target, blueprints.get(target, target), blueprints.get(parent, parent)
            )
        )
    return made


async def _all(scope: Scope, collection: str, mask: list[str], *where: Where) -> dict[str, dict[str, Any]]:
    """All documents of a collection that meet conditions, id → the fields asked for."""
    parent = names.project(scope.project_id)
    found: dict[str, dict[str, Any]] = {}
    after: str | None = None
    while True:
        query = queries.Query(where, limit=_PAGE, after=after, within=scope.project_id)
        structured = queries.structured(collection, query, parent)
        for name in mask:
            structured.select.fields.add(field_path=name)
        documents = await firestore.run_query(parent, structured)
        found |= {document.id: values.from_fields(document.fields) for document in documents[:_PAGE]}
        if len(documents) <= _PAGE:
            return found
        after = queries.cursor(query, documents[_PAGE - 1].id, {})
