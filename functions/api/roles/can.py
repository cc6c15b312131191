"""``POST /v1/can``: whether somebody may do something, asked before it is tried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import Body
from pydantic import Field

from functions.api.access import grants
from functions.api.access.principal import Principal
from functions.api.needs import Call, signed_in
from functions.api.resources.answers import problem
from functions.api.roles import chain, generated, membership
from functions.api.roles.giving import Place, ids_are_plain, whole
from functions.api.router import Router
from shared.errors import ApiError
from shared.model.base import Identifier, Model
from shared.model.role import PermissionName, ResourceKind

router = Router("permission")

MAX_DEPTH = 8
MAX_CONDITIONS = 200

_EXAMPLE = {"permission": "device.readData", "resource": {"kind": "device", "id": "3Vc8Qn0kZ5tWb1yLr7sXe2"}}


class Condition(Model):
    """Permissions and conditions, of which all must hold (``and``) or one (``or``)."""

    type: Literal["and", "or"]
    permissions: list[PermissionName] = Field(default_factory=list, max_length=100)
    conditions: list[Condition] = Field(default_factory=list, max_length=100, examples=[[]])


class OnResource(Model):
    """A resource on which a permission may be held."""

    kind: ResourceKind = Field(examples=["device"])
    id: Identifier


class CanAsked(Model):
    """Who may do what on which resource. One of ``permission``, ``permissions`` and ``condition``."""

    user: Identifier | None = Field(default=None, description="The caller himself if left out")
    permission: PermissionName | None = None
    permissions: list[PermissionName] | None = Field(
        default=None, min_length=1, max_length=100, description="One of them is enough"
    )
    condition: Condition | None = None
    resource: OnResource | None = Field(default=None, description="The project if left out")
    resources: list[OnResource] | None = Field(
        default=None, min_length=1, max_length=100, description="Any one of them is enough"
    )


class CanAnswer(Model):
    """Whether it is allowed."""

    can: bool = Field(examples=[True])


@router.post(
    "/can",
    operation_id="permission_can",
    summary="Ask whether something is allowed",
    description="Whether the caller, or the user who is named, may do something. Of several permissions one "
    "is enough, and of several resources too; a condition joins permissions by and / or. Asking about "
    "somebody else needs user.read.",
    responses={404: problem("There is no such user in this project")},
    openapi_extra={"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}},
)
async def permission_can(
    body: Annotated[CanAsked, Body()],
    call: Annotated[Call, signed_in("tells a caller of himself; of others it asks for user.read")],
) -> CanAnswer:
    condition = _condition(body)
    principal = await _principal(call, body.user)
    if principal.admin:
        return CanAnswer(can=True)
    asked = [*(body.resources or []), *([body.resource] if body.resource else [])]
    places = await asyncio.gather(*(_place(call, each) for each in asked)) or [whole(call.scope)]
    return CanAnswer(can=any(at is not None and _holds(condition, _held(principal, at)) for at in places))


def _condition(body: CanAsked) -> Condition:
    given = [each for each in (body.permission, body.permissions, body.condition) if each is not None]
    if len(given) != 1:
        raise _invalid("one of permission, permissions and condition is needed")
    if body.condition is not None:
        _check(body.condition)
        return body.condition
    permissions = body.permissions if body.permission is None else [body.permission]
    return Condition(type="or", permissions=permissions or [])


def _check(condition: Condition) -> None:
    """ApiError 400 for a condition that is too deep or too large, or says nothing."""
    waiting, count = [(condition, 1)], 0
    while waiting:
        each, depth = waiting.pop()
        count += 1 + len(each.permissions)
        if depth > MAX_DEPTH or count > MAX_CONDITIONS:
            raise _invalid(f"a condition is at most {MAX_DEPTH} deep and has at most {MAX_CONDITIONS} parts")
        if not each.permissions and not each.conditions:
            raise _invalid(f"an empty condition of type {each.type!r} says nothing")
        waiting += [(inner, depth + 1) for inner in each.conditions]


def _holds(condition: Condition, held: Callable[[str], bool]) -> bool:
    join: Any = all if condition.type == "and" else any
    parts = [held(permission) for permission in condition.permissions]
    return bool(join([*parts, *(_holds(inner, held) for inner in condition.conditions)]))


def _held(principal: Principal, at: Place) -> Callable[[str], bool]:
    def held(permission: str) -> bool:
        return any(
            principal.allows(name, system=at.system, devices=at.devices)
            for name in {permission, generated.general_of(permission)}
        )

    return held


async def _principal(call: Call, user_id: str | None) -> Principal:
    if user_id is None or user_id == call.principal.id:
        return call.principal
    call.require("user.read")
    subject = await membership.get(call.scope, "user", user_id)
    held = await grants.of("user", user_id, call.scope.project_id)
    return Principal("user", user_id, subject.name, call.scope.project_id, subject.admin, held)


async def _place(call: Call, resource: OnResource) -> Place | None:
    """Where a resource is; None for another project. On one that does not exist, what is held on the
    project holds."""
    if resource.kind == "project":
        return whole(call.scope) if resource.id == call.scope.project_id else None
    if resource.kind == "system" or not ids_are_plain(resource.id):
        return Place("system", resource.id, resource.id)
    found = await chain.of(call.scope.project_id, resource.id)
    return Place("device", resource.id, found.system, found.devices)


def _invalid(message: str) -> ApiError:
    return ApiError(400, "can.invalid", message, "see /v1/docs for what can be asked")
