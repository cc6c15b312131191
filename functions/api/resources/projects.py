"""Projects: made by users of the platform, seen by those who are in them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response

from fulcrum.core import ids
from functions.api.access import grants
from functions.api.needs import Call, denied, signed_in
from functions.api.resources import items, lists, once
from functions.api.resources.answers import etag, problem
from functions.api.resources.rules import Rules
from functions.api.roles import membership, standard
from functions.api.router import Router
from shared import names, values
from shared.clients import firestore
from shared.model.page import Page
from shared.model.project import PROJECT, Project, ProjectCreate
from shared.store import projects
from shared.store.audit import Actor
from shared.store.change import Change, retrying
from shared.store.query import Query
from shared.store.scope import Scope, Stored

router = Router("project")
_EXAMPLE = {"id": "greenhouses", "name": "Greenhouses"}


@router.post(
    "/project",
    status_code=201,
    operation_id="project_create",
    summary="Create a project",
    description="For users of the platform. The project has its standard roles, and who creates it "
    "administers it. An id is never given twice, not even after its project was deleted.",
    responses={409: problem("The id is taken"), 422: problem("The key was used for another body")},
    openapi_extra={"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}},
)
async def create(
    body: ProjectCreate,
    response: Response,
    call: Annotated[Call, signed_in("users of the platform alone: the operation refuses others")],
    idempotency_key: once.Key = None,
) -> Project:
    """Create a project, its standard roles and its creator's membership in one commit."""
    await _platform_user(call)
    principal = call.principal

    async def attempt() -> Stored[Project]:
        fields = body.model_dump(by_alias=True, exclude_none=True, mode="json")
        chosen = fields.pop("id", None)
        actor = Actor(principal.kind, principal.id, principal.name)
        # Which project it is decides whose change it is: the id comes first.
        change = Change(Scope(chosen or ids.new_id()), actor, call.request_id)
        above = ("users", principal.id)
        known = await once.known_id(call, change, idempotency_key, "project_create", fields, chosen, above)
        if known is not None:
            return await Scope(known).get(PROJECT, known)
        project_id = change.planned_id or change.scope.project_id
        change.scope = Scope(project_id)
        # Stays when the project is gone: what is left of it must not come into other hands.
        taken = names.document("projectIds", project_id)
        change.take_document(
            taken, {"created": change.now, "requestId": call.request_id}, "project", "id", project_id
        )
        change.create(PROJECT, fields | {"revision": 1}, project_id, chosen=chosen is not None)
        standard.add(change, actor)
        membership.join(change, principal.id)
        change.after.append(lambda: grants.forget(project_id))
        await change.commit()
        return await change.scope.get(PROJECT, project_id)

    stored: Stored[Project] = await retrying(attempt)
    etag(response, stored)
    return stored.model()


@router.get(
    "/project",
    operation_id="project_list",
    summary="List the projects that the caller is in",
    description="A page of them, by id; all projects of the server for its administrators.",
)
async def list_(
    call: Annotated[Call, signed_in("answers only the projects that the caller is in")],
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
) -> Page[Project]:
    """Answer the projects of a user, an API key, or the server."""
    query = Query(limit=per_page, after=cursor)
    if call.principal.admin:
        found = await projects.every(query)
        count = await projects.count() if total else None
    else:
        mine = await _mine(call)
        found = await projects.some(query, mine)
        count = len(mine) if total else None
    models = [stored.model() for stored in found.items]
    return Page(count=len(models), per_page=per_page, total=count, next=found.next, items=models)


async def _mine(call: Call) -> list[str]:
    mine = await _memberships(call)
    if mine is not None:
        return mine
    return [call.principal.project_id] if call.principal.project_id else []


async def _platform_user(call: Call) -> None:
    if await _memberships(call) is None:
        raise denied("project.create")


async def _memberships(call: Call) -> list[str] | None:
    """The projects that a user of the platform is in; None for all other callers."""
    if call.principal.kind != "user":
        return None
    name = names.document("users", call.principal.id)
    found = (await firestore.batch_get([name], ["projects"])).get(name)
    return None if found is None else list(values.from_fields(found.fields).get("projects") or ())


items.add(router, PROJECT, Rules())
