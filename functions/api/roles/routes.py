"""Roles: ``/v1/role``, and the older ``/v1/project/{p}/role``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Response

from functions.api.access import grants
from functions.api.needs import Call, needs
from functions.api.resources import items, once
from functions.api.resources.answers import etag, problem
from functions.api.resources.rules import Extra, Rules
from functions.api.roles import admins, giving, listed
from functions.api.router import Router
from shared.errors import ApiError
from shared.model.page import DeletedMany, Page
from shared.model.role import EVERYTHING, ROLE, Role, RoleCreate
from shared.store import cascade
from shared.store.change import Change, retrying
from shared.store.scope import Stored, not_found

router = Router("role")

EXAMPLE = {
    "name": "operator",
    "displayName": "Operator",
    "permissions": ["device.list", "device.read", "device.readData"],
}
_BODY: dict[str, Any] = {"requestBody": {"content": {"application/json": {"example": EXAMPLE}}}}
_CREATING: dict[int | str, dict[str, Any]] = {
    404: problem("There is no such project"),
    409: problem("The name is taken, or the project has as many roles as it may"),
    422: problem("The key was used for another body"),
}


async def _updating(call: Call, change: Change, stored: Stored[Any], fields: Mapping[str, Any]) -> Extra:
    before, after = stored.fields.get("permissions") or [], fields.get("permissions") or []
    if set(before) != set(after):
        # Whoever has the role is given, or loses, what the caller does not hold.
        giving.require_place(call, giving.ASSIGN, giving.whole(call.scope))
        giving.require_all(call, {*before, *after})
        await giving.check_known(call.scope, sorted(set(after) - set(before)))
    if EVERYTHING in before and EVERYTHING not in after:
        await admins.keep_one(change, without_roles={stored.id})
    project_id = call.scope.project_id
    change.after.append(lambda: grants.forget(project_id))
    return {}


async def _deleting(call: Call, change: Change, stored: Stored[Any]) -> str | None:
    await _check_deletions(call, change, [stored])
    return await cascade.begin(change, stored)


async def _check_deletions(call: Call, change: Change, found: list[Stored[Any]]) -> None:
    held = {each for stored in found for each in stored.fields.get("permissions") or ()}
    giving.require_all(call, held)
    if EVERYTHING in held:
        await admins.keep_one(change, without_roles={stored.id for stored in found})
    project_id = call.scope.project_id
    change.after.append(lambda: grants.forget(project_id))


async def _create(call: Call, body: RoleCreate, response: Response, key: str | None) -> Role:
    async def attempt() -> Stored[Any]:
        await call.scope.must_exist()
        change = call.change()
        fields = body.wire()
        known = await once.known_id(call, change, key, "role_create", fields)
        if known is not None:
            return await call.scope.get(ROLE, known)
        giving.require_all(call, body.permissions)
        await giving.check_known(call.scope, body.permissions)
        await listed.check_room(call.scope)
        role_id = change.create(ROLE, fields, change.planned_id)
        await change.commit()
        return await call.scope.get(ROLE, role_id)

    stored: Stored[Role] = await retrying(attempt)
    etag(response, stored)
    return stored.model()


@router.post(
    "/role",
    status_code=201,
    operation_id="role_create",
    summary="Create a role",
    description="Creates a role of the project from permissions that the caller holds himself. With an "
    "Idempotency-Key it is created once, however often the request is sent.",
    responses=_CREATING,
    openapi_extra=_BODY,
)
async def role_create(
    body: RoleCreate,
    response: Response,
    call: Annotated[Call, needs("role.create")],
    idempotency_key: once.Key = None,
) -> Role:
    return await _create(call, body, response, idempotency_key)


@router.post(
    "/project/{project_id}/role",
    status_code=201,
    operation_id="role_create_in_project",
    summary="Create a role of a project",
    description="The older path of POST /v1/role.",
    deprecated=True,
    responses=_CREATING,
    openapi_extra=_BODY,
)
async def role_create_in_project(
    project_id: str,
    body: RoleCreate,
    response: Response,
    call: Annotated[Call, needs("role.create")],
    idempotency_key: once.Key = None,
) -> Role:
    return await _create(call, body, response, idempotency_key)


@router.get(
    "/role",
    operation_id="role_list",
    summary="List the roles of a project",
    description="Roles by name, or in another order. Their permissions are left out unless asked for.",
    responses={404: problem("There is no such project")},
)
async def role_list(
    call: Annotated[Call, needs("role.list")], asked: Annotated[listed.Asked, Query()]
) -> Page[Role]:
    return await listed.page(call.scope, asked)


@router.get(
    "/project/{project_id}/role",
    operation_id="role_list_of_project",
    summary="List the roles of one project",
    description="The older path of GET /v1/role.",
    deprecated=True,
    responses={404: problem("There is no such project")},
)
async def role_list_of_project(
    project_id: str, call: Annotated[Call, needs("role.list")], asked: Annotated[listed.Asked, Query()]
) -> Page[Role]:
    return await listed.page(call.scope, asked)


@router.delete(
    "/role",
    operation_id="role_delete_many",
    summary="Delete roles",
    description="Deletes the roles that are named, all or none. Who had them loses them at once; jobs clear "
    "what hung on them.",
    responses={404: problem("One of them is not there"), 409: problem("No administrator would be left")},
)
async def role_delete_many(
    call: Annotated[Call, needs("role.delete")],
    role_ids: Annotated[
        list[str],
        Query(
            alias="id",
            min_length=1,
            max_length=50,
            description="The roles to delete",
            examples=[["r1", "r2"]],
        ),
    ],
) -> DeletedMany:
    wanted = sorted(set(role_ids))

    async def attempt() -> list[str]:
        found = await call.scope.find_many(ROLE, wanted)
        for role_id in wanted:
            if role_id not in found:
                raise not_found("role", role_id)
        change = call.change()
        await _check_deletions(call, change, list(found.values()))
        jobs = []
        for stored in found.values():
            # Each role has its own job: what hangs on it is found by its id.
            change.job_id = None
            jobs.append(await cascade.begin(change, stored))
            change.delete(stored)
        await change.commit()
        for job_id in jobs:
            await cascade.publish(call.scope, job_id)
        return [job_id for job_id in jobs if job_id is not None]

    return DeletedMany(status="deleted", ids=wanted, job_ids=await retrying(attempt))


@router.post(
    "/role/{role_id}/permissions",
    operation_id="role_add_permissions",
    summary="Add permissions to a role",
    description="Adds permissions that the caller holds himself; those that the role has stay.",
    responses={404: problem("There is none such in this project"), 410: problem("It was deleted")},
    openapi_extra={"requestBody": {"content": {"application/json": {"example": ["device.readHistory"]}}}},
)
async def role_add_permissions(
    role_id: str, body: listed.Names, response: Response, call: Annotated[Call, needs("role.update")]
) -> Role:
    return await _change_permissions(call, response, role_id, add=frozenset(body))


@router.delete(
    "/role/{role_id}/permissions",
    operation_id="role_remove_permissions",
    summary="Remove permissions from a role",
    description="Removes the permissions that are named; naming one that the role has not is no error.",
    responses={404: problem("There is none such in this project"), 410: problem("It was deleted")},
)
async def role_remove_permissions(
    role_id: str,
    response: Response,
    call: Annotated[Call, needs("role.update")],
    permissions: Annotated[
        list[str],
        Query(
            alias="permission",
            min_length=1,
            max_length=200,
            description="The permissions to remove",
            examples=[["device.readHistory"]],
        ),
    ],
) -> Role:
    return await _change_permissions(call, response, role_id, remove=frozenset(permissions))


@router.delete(
    "/role/{role_id}/permissions/{permission_name}",
    operation_id="role_remove_permission",
    summary="Remove a permission from a role",
    description="Removes one permission, named <module>.<verb>.",
    responses={404: problem("There is none such in this project"), 410: problem("It was deleted")},
)
async def role_remove_permission(
    role_id: str, permission_name: str, response: Response, call: Annotated[Call, needs("role.update")]
) -> Role:
    return await _change_permissions(call, response, role_id, remove=frozenset({permission_name}))


async def _change_permissions(
    call: Call,
    response: Response,
    role_id: str,
    add: frozenset[str] = frozenset(),
    remove: frozenset[str] = frozenset(),
) -> Role:
    async def attempt() -> Stored[Any]:
        stored = await call.scope.get(ROLE, role_id)
        before = stored.fields.get("permissions") or []
        after = sorted((set(before) | add) - remove)
        change = call.change()
        await _updating(call, change, stored, stored.fields | {"permissions": after})
        if set(after) == set(before) or not change.update(stored, {"permissions": after}):
            return stored
        if len(after) > listed.MAX_PERMISSIONS:
            raise ApiError(
                400,
                "role.invalid",
                f"a role has at most {listed.MAX_PERMISSIONS} permissions",
                "make several roles of it",
            )
        await change.commit()
        return await call.scope.get(ROLE, role_id)

    stored: Stored[Role] = await retrying(attempt)
    etag(response, stored)
    return stored.model()


items.add(router, ROLE, Rules(updating=_updating, deleting=_deleting))
