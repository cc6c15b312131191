"""Users on the project, a system or a device: ``/v1/{project|system|device}/{id}/users``.

No postponed annotations here: the framework reads the handlers' annotations, which are local names.
"""

from typing import Annotated, Any

from fastapi import Path

from functions.api.access import users
from functions.api.needs import Call, needs
from functions.api.resources import lists, once
from functions.api.resources.answers import GONE, problem
from functions.api.roles import giving, grant, holders
from functions.api.roles.giving import Place
from functions.api.router import Router
from shared.model.base import Identifier
from shared.model.page import Deleted, Page
from shared.model.role import Holder, HolderAdd, HolderCreate, HolderUpdate, ResourceKind
from shared.store.change import retrying

router = Router()

_ADD = {"roles": ["member"], "metadata": {"since": "2026-11"}}
_CREATE = {"user": {"username": "ada@example.com", "password": "four-brown-tall-mugs"}, "roles": ["account"]}
_ABSENT: dict[int | str, dict[str, Any]] = {404: problem("The resource, user or role is not in this project")}
_LAST: dict[int | str, dict[str, Any]] = {409: problem("No administrator would be left")}
UserId = Annotated[Identifier, Path(description="The id of the user")]


def _routes(kind: ResourceKind) -> None:
    resource_id = Annotated[
        str, Path(alias=f"{kind}_id", max_length=128, description=f"The id of the {kind}")
    ]
    path = f"/{kind}/{{{kind}_id}}/users"

    async def at(call: Call, item: str, permission: str) -> Place:
        place = await giving.place(call.scope, kind, item)
        giving.require_place(call, permission, place)
        return place

    @router.get(
        path,
        tags=[kind],
        operation_id=f"{kind}_user_list",
        summary=f"List the users on a {kind}",
        description=f"A page of the users who have roles on the {kind} itself, and which; those whose roles "
        "come from above are not among them.",
        responses=_ABSENT | GONE,
    )
    async def list_(
        item: resource_id,
        call: Annotated[Call, needs("user.list", anywhere=True)],
        per_page: lists.PerPage = lists.DEFAULT,
        cursor: lists.Cursor = None,
    ) -> Page[Holder]:
        found = await holders.page(call.scope, await at(call, item, "user.list"), per_page, cursor)
        if not found.items and cursor is None:
            await call.scope.must_exist()
        return found

    @router.post(
        path,
        status_code=201,
        tags=[kind],
        operation_id=f"{kind}_user_create",
        summary=f"Create a user on a {kind}",
        description=f"Makes an account of the project and gives it roles on the {kind}. Needs user.create "
        "and user.assignRoles there, and every permission of those roles. Sent again with the same "
        "Idempotency-Key, it is made once, and what was not done yet is done.",
        responses=_ABSENT
        | {409: problem("The username is taken"), 422: problem("The key was used for another body")},
        openapi_extra={"requestBody": {"content": {"application/json": {"example": _CREATE}}}},
    )
    async def create(
        item: resource_id,
        body: HolderCreate,
        call: Annotated[Call, needs("user.create", anywhere=True)],
        idempotency_key: once.Key = None,
    ) -> Holder:
        place = await at(call, item, "user.create")
        await holders.check_roles(call, place, body.roles)
        user = await users.create(call, body.user, idempotency_key)

        async def attempt() -> Holder:
            change = call.change()
            await holders.add(call, change, place, user.id, body.roles, body.metadata)
            await change.commit()
            return await holders.get(call.scope, place, user.id)

        made: Holder = await retrying(attempt)
        return made

    @router.get(
        f"{path}/{{user_id}}",
        tags=[kind],
        operation_id=f"{kind}_user_get",
        summary=f"Read a user on a {kind}",
        description=f"Which roles a user has on the {kind} itself.",
        responses=_ABSENT,
    )
    async def get(
        item: resource_id, user_id: UserId, call: Annotated[Call, needs("user.read", anywhere=True)]
    ) -> Holder:
        return await holders.get(call.scope, await at(call, item, "user.read"), user_id)

    @router.put(
        f"{path}/{{user_id}}",
        tags=[kind],
        operation_id=f"{kind}_user_add",
        summary=f"Add a user to a {kind}",
        description=f"Gives a user of the project roles on the {kind}, beside those that he has there. Needs "
        "user.assignRoles there, and every permission of those roles.",
        responses=_ABSENT,
        openapi_extra={"requestBody": {"content": {"application/json": {"example": _ADD}}}},
    )
    async def add(
        item: resource_id,
        user_id: UserId,
        body: HolderAdd,
        call: Annotated[Call, needs("user.assignRoles", anywhere=True)],
    ) -> Holder:
        async def attempt() -> Holder:
            place = await at(call, item, giving.ASSIGN)
            change = call.change()
            await holders.add(call, change, place, user_id, body.roles, body.metadata)
            await change.commit()
            return await holders.get(call.scope, place, user_id)

        made: Holder = await retrying(attempt)
        return made

    @router.patch(
        f"{path}/{{user_id}}",
        tags=[kind],
        operation_id=f"{kind}_user_update",
        summary=f"Change a user's roles on a {kind}",
        description=f"The user has exactly the roles that are named on the {kind} from now on.",
        responses=_ABSENT | _LAST,
        openapi_extra={"requestBody": {"content": {"application/json": {"example": _ADD}}}},
    )
    async def update(
        item: resource_id,
        user_id: UserId,
        body: HolderUpdate,
        call: Annotated[Call, needs("user.assignRoles", anywhere=True)],
    ) -> Holder:
        async def attempt() -> Holder:
            place = await at(call, item, giving.ASSIGN)
            change = call.change()
            await holders.set_to(call, change, place, user_id, body.roles, body.metadata)
            await change.commit()
            return await holders.get(call.scope, place, user_id)

        made: Holder = await retrying(attempt)
        return made

    @router.delete(
        f"{path}/{{user_id}}",
        tags=[kind],
        operation_id=f"{kind}_user_remove",
        summary=f"Remove a user from a {kind}",
        description=f"Takes back all roles that the user has on the {kind} itself. The user stays, and so do "
        "roles that he has elsewhere.",
        responses=_ABSENT | _LAST,
    )
    async def remove(
        item: resource_id,
        user_id: UserId,
        call: Annotated[Call, needs("user.assignRoles", anywhere=True)],
    ) -> Deleted:
        async def attempt() -> None:
            place = await at(call, item, giving.ASSIGN)
            found = await holders.held(call.scope, place, user_id)
            if not found:
                await holders.get(call.scope, place, user_id)
            change = call.change()
            await grant.take(call, change, found)
            await change.commit()

        await retrying(attempt)
        return Deleted(status="removed", id=user_id)


_KINDS: tuple[ResourceKind, ...] = ("project", "system", "device")
for _kind in _KINDS:
    _routes(_kind)
