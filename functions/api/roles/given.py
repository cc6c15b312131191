"""Roles given: ``/v1/userRole``. One is a role, who has it, and on what."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Body, Query, Response
from pydantic import Field

from functions.api.needs import Call, needs
from functions.api.resources import lists, plain
from functions.api.resources.answers import GONE, etag, problem
from functions.api.roles import grant
from functions.api.router import Router
from shared.errors import ApiError
from shared.model.base import Identifier
from shared.model.page import Deleted, DeletedMany, Page
from shared.model.role import USER_ROLE, ResourceKind, SubjectKind, UserRole, UserRoleCreate
from shared.store.change import retrying
from shared.store.query import Query as StoreQuery
from shared.store.query import Where
from shared.store.scope import Stored

router = Router("userRole")

_EXAMPLE = {
    "subjectId": "7dNv2QmXc5LpA9sKf0RtYw",
    "roleId": "member",
    "resourceKind": "system",
    "resourceId": "5hPz0WkTn3JqB8vGd1MxCe",
}
# A commit takes 500 writes, and each role given is up to six of them.
MAX_AT_ONCE = 80
Subject = Annotated[Identifier | None, Query(alias="subjectId", description="Only those of this user or key")]
OfKind = Annotated[
    SubjectKind | None, Query(alias="subjectKind", description="Only those of users, or of keys")
]
OfRole = Annotated[Identifier | None, Query(alias="roleId", description="Only those of this role")]
OnKind = Annotated[
    ResourceKind | None, Query(alias="resourceKind", description="Only on this kind of resource")
]
On = Annotated[Identifier | None, Query(alias="resourceId", description="Only those on this resource")]


@router.post(
    "/userRole",
    status_code=201,
    operation_id="userRole_create",
    summary="Give roles",
    description="Gives a role to a user or an API key on the project, a system or a device; several at once "
    "in an array, all or none. Needs user.assignRoles there, and every permission that the role has. Giving "
    "again what is given already changes nothing.",
    responses={404: problem("The subject, role or resource is not in this project")},
    openapi_extra={"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}},
)
async def user_role_create(
    body: Annotated[
        UserRoleCreate | Annotated[list[UserRoleCreate], Field(min_length=1, max_length=MAX_AT_ONCE)], Body()
    ],
    call: Annotated[Call, needs("user.assignRoles", anywhere=True)],
) -> Page[UserRole]:
    wanted = body if isinstance(body, list) else [body]

    async def attempt() -> list[Stored[UserRole]]:
        change = call.change()
        made = await grant.give(call, change, wanted)
        await change.commit()
        found = await call.scope.find_many(USER_ROLE, made)
        return [found[each] for each in made if each in found]

    items = [stored.model() for stored in await retrying(attempt)]
    return Page(count=len(items), per_page=len(items), items=items)


@router.get(
    "/userRole",
    operation_id="userRole_list",
    summary="List the roles given",
    description="A page of the roles that are given in the project, by subject, role or resource.",
)
async def user_role_list(
    call: Annotated[Call, needs("userRole.list")],
    subject_kind: OfKind = None,
    subject_id: Subject = None,
    role_id: OfRole = None,
    resource_kind: OnKind = None,
    resource_id: On = None,
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
) -> Page[UserRole]:
    where = _where(subject_kind, subject_id, role_id, resource_kind, resource_id)
    query = StoreQuery(where, limit=per_page, after=cursor)
    return await plain.page(call.scope, USER_ROLE, query, total, must_exist=False)


@router.get(
    "/userRole/{user_role_id}",
    operation_id="userRole_get",
    summary="Read one role given",
    description="Who has which role on what.",
    responses=GONE,
)
async def user_role_get(
    user_role_id: str, response: Response, call: Annotated[Call, needs("userRole.read")]
) -> UserRole:
    stored = await call.scope.get(USER_ROLE, user_role_id)
    etag(response, stored)
    return stored.model()


@router.delete(
    "/userRole/{user_role_id}",
    operation_id="userRole_delete",
    summary="Take a role back",
    description="Takes one role from who has it. Needs what giving it needs; nobody takes the role of the "
    "project's last administrator.",
    responses=GONE | {409: problem("No administrator would be left")},
)
async def user_role_delete(
    user_role_id: str, call: Annotated[Call, needs("user.assignRoles", anywhere=True)]
) -> Deleted:
    async def attempt() -> None:
        stored = await call.scope.get(USER_ROLE, user_role_id)
        change = call.change()
        await grant.take(call, change, [stored])
        await change.commit()

    await retrying(attempt)
    return Deleted(status="deleted", id=user_role_id)


@router.delete(
    "/userRole",
    operation_id="userRole_delete_many",
    summary="Take many roles back",
    description=f"Takes back all roles given that meet the conditions, at most {MAX_AT_ONCE} at once: all or "
    "none. At least one condition, and confirm=bulkDelete, are needed.",
    responses={409: problem("No administrator would be left, or too many meet the conditions")},
)
async def user_role_delete_many(
    call: Annotated[Call, needs("user.assignRoles", anywhere=True)],
    confirm: Annotated[Literal["bulkDelete"], Query(description="Says that many are meant")],
    subject_kind: OfKind = None,
    subject_id: Subject = None,
    role_id: OfRole = None,
    resource_kind: OnKind = None,
    resource_id: On = None,
) -> DeletedMany:
    where = _where(subject_kind, subject_id, role_id, resource_kind, resource_id)
    if not where:
        raise ApiError(
            400, "userRole.allMeant", "no condition is given", "say whose roles, which role or on what"
        )

    async def attempt() -> list[str]:
        found = await call.scope.page(USER_ROLE, StoreQuery(where, limit=MAX_AT_ONCE))
        if found.next is not None:
            raise ApiError(
                409,
                "userRole.tooMany",
                f"more than {MAX_AT_ONCE} roles given meet the conditions",
                "narrow the conditions, and send several requests",
            )
        change = call.change()
        await grant.take(call, change, found.items)
        await change.commit()
        return [stored.id for stored in found.items]

    return DeletedMany(status="deleted", ids=await retrying(attempt))


def _where(
    subject_kind: str | None,
    subject_id: str | None,
    role_id: str | None,
    resource_kind: str | None,
    resource_id: str | None,
) -> tuple[Where, ...]:
    wanted: dict[str, Any] = {
        "subjectKind": subject_kind,
        "subjectId": subject_id,
        "roleId": role_id,
        "resourceKind": resource_kind,
        "resourceId": resource_id,
    }
    return tuple(Where(wire, "==", value) for wire, value in wanted.items() if value is not None)
