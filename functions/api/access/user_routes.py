"""Users of the platform, accounts of a project, and what one is oneself.

``/v1/users`` and ``/v1/user/{id}`` are about the accounts of the project that the request is about (the
token's, or the one that it names), and about the platform's users if it is about none.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response

from functions.api.access import people, sessions, users
from functions.api.access.session_routes import own
from functions.api.needs import Call, needs, signed_in
from functions.api.resources import lists, once, patch, plain
from functions.api.resources.answers import GONE, etag, problem
from functions.api.router import Router
from shared import clock, names, values
from shared.clients import firestore
from shared.model.page import Deleted, Page
from shared.model.system import SYSTEM
from shared.model.user import Place, PlatformUserCreate, User, UserCreate
from shared.store.query import Query as StoreQuery
from shared.store.scope import Stored

router = Router("user")

UserId = Annotated[str, Path(max_length=128, description="The id of the user")]
_CONFLICTS: dict[int | str, dict[str, Any]] = {
    409: problem("The username is taken"),
    422: problem("The key was used for another body"),
}
_CHANGED = GONE | {409: problem("The username is taken"), 412: problem("It was changed meanwhile")}
_ACCOUNT = {"username": "ada@example.com", "password": "four-brown-tall-mugs", "name": "Ada Vik"}
_OWN = frozenset({"name", "email", "metadata"})


@router.get("/user/me", operation_id="user_me", summary="Read one's own profile", description="Who calls.")
async def user_me(
    response: Response, call: Annotated[Call, signed_in("everybody may read his own profile")]
) -> User:
    """The caller."""
    return _shown(response, await own(call))


@router.patch(
    "/user/me",
    operation_id="user_update_me",
    summary="Change one's own profile",
    description="May be changed: email, metadata, name. The email only within 15 minutes of signing in.",
    responses=_CHANGED,
)
async def user_update_me(
    body: patch.Patch,
    response: Response,
    call: Annotated[Call, signed_in("everybody may change his own profile, not what he may do")],
    if_match: lists.IfMatch = None,
) -> User:
    """The caller as he is now."""
    user = await own(call)
    if "email" in patch.apply("user", _OWN, user.fields, body):
        session = await sessions.find(call.principal.session_id) or {}
        users.check_fresh(int(session.get("created", 0)), clock.now_ms())
    return _shown(response, await users.update(call, user.id, body, if_match, own=_OWN))


@router.get(
    "/users",
    operation_id="user_list",
    summary="List users",
    description="A page of the accounts of the project that the request is about; of the platform's users "
    "if it is about none.",
    responses=GONE,
)
async def user_list(
    call: Annotated[Call, needs("user.list")],
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
) -> Page[User]:
    """A page of users."""
    return await _page(call, per_page, cursor, total)


@router.post(
    "/users",
    status_code=201,
    operation_id="user_create",
    summary="Create a user",
    description="Makes an account of the project that the request is about; a user of the platform if it is "
    "about none. Without a password he sets one by forgotPassword.",
    responses=GONE | _CONFLICTS,
    openapi_extra={"requestBody": {"content": {"application/json": {"example": _ACCOUNT}}}},
)
async def user_create(
    body: PlatformUserCreate,
    response: Response,
    call: Annotated[Call, needs("user.create")],
    idempotency_key: once.Key = None,
) -> User:
    """The new user."""
    return _shown(response, await users.create(call, body, idempotency_key))


@router.get(
    "/users/getByUserName",
    operation_id="user_get_by_user_name",
    summary="Find a user by his username",
    description="The account, or the user of the platform, that has the username, whatever its case.",
    responses=GONE,
)
async def user_get_by_user_name(
    response: Response,
    call: Annotated[Call, needs("user.read")],
    username: Annotated[str, Query(min_length=1, max_length=128, description="The username")],
) -> User:
    """The user."""
    stored = await people.by_name(username, users.home_of(call).project_id)
    if stored is None:
        raise people.missing(username)
    return _shown(response, stored)


@router.get(
    "/project/{project_id}/accounts",
    operation_id="account_list",
    summary="List the accounts of a project",
    description="A page of the project's own users, by id.",
    responses=GONE,
)
async def account_list(
    project_id: str,
    call: Annotated[Call, needs("user.list")],
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
) -> Page[User]:
    """A page of accounts."""
    return await _page(call, per_page, cursor, total)


@router.post(
    "/project/{project_id}/accounts",
    status_code=201,
    operation_id="account_create",
    summary="Create an account of a project",
    description="A new user of this project alone. What he may do, his roles say.",
    responses=GONE | _CONFLICTS,
    openapi_extra={"requestBody": {"content": {"application/json": {"example": _ACCOUNT}}}},
)
async def account_create(
    project_id: str,
    body: UserCreate,
    response: Response,
    call: Annotated[Call, needs("user.create")],
    idempotency_key: once.Key = None,
) -> User:
    """The new account."""
    return _shown(response, await users.create(call, body, idempotency_key))


@router.get(
    "/user/{user_id}",
    operation_id="user_get",
    summary="Read a user",
    description="An account of the project, or a user of the platform who works in it: of him a project "
    "sees the username and the name alone.",
    responses=GONE,
)
async def user_get(user_id: UserId, response: Response, call: Annotated[Call, needs("user.read")]) -> User:
    """The user."""
    return _shown(response, await users.get(call, user_id, reading=True))


@router.patch(
    "/user/{user_id}",
    operation_id="user_update",
    summary="Change a user",
    description="May be changed: username, name, email, metadata; of a user of the platform also admin. "
    "Username and email only by who holds all that the user holds.",
    responses=_CHANGED,
)
async def user_update(
    user_id: UserId,
    body: patch.Patch,
    response: Response,
    call: Annotated[Call, needs("user.update")],
    if_match: lists.IfMatch = None,
) -> User:
    """The user as he is now."""
    return _shown(response, await users.update(call, user_id, body, if_match))


@router.delete(
    "/user/{user_id}",
    operation_id="user_delete",
    summary="Delete a user",
    description="He is gone at once, his sessions within 10 s; a job takes his roles. Only by who holds all "
    "that the user holds.",
    responses=GONE | {409: problem("No administrator would be left"), 412: problem("It was changed")},
)
async def user_delete(
    user_id: UserId, call: Annotated[Call, needs("user.delete")], if_match: lists.IfMatch = None
) -> Deleted:
    """Which user is gone."""
    return Deleted(status="deleted", id=user_id, job_id=await users.delete(call, user_id, if_match))


@router.get(
    "/user/{user_id}/systems",
    operation_id="user_systems",
    summary="List the systems of a user",
    description="The systems that he was given roles on, one by one; at most 1,000 roles are looked at.",
    responses=GONE,
)
async def user_systems(user_id: UserId, call: Annotated[Call, needs("user.read")]) -> Page[Place]:
    """His systems."""
    return await _places(call, user_id, "system")


@router.get(
    "/user/{user_id}/devices",
    operation_id="user_devices",
    summary="List the devices of a user",
    description="The devices that he was given roles on, one by one; at most 1,000 roles are looked at.",
    responses=GONE,
)
async def user_devices(user_id: UserId, call: Annotated[Call, needs("user.read")]) -> Page[Place]:
    """His devices."""
    return await _places(call, user_id, "device")


@router.get(
    "/system/{system_id}/userDevices",
    operation_id="user_devices_of_system",
    summary="List the devices of a user in a system",
    description="The devices of the system that he was given roles on, one by one; at most 1,000 roles are "
    "looked at.",
    responses=GONE,
)
async def user_devices_of_system(
    system_id: Annotated[str, Path(max_length=200, description="The id of the system")],
    user_id: Annotated[str, Query(alias="userId", max_length=200, description="The id of the user")],
    call: Annotated[Call, needs("user.read")],
) -> Page[Place]:
    """His devices in one system."""
    await call.scope.get(SYSTEM, system_id)
    return await _places(call, user_id, "device", system_id)


async def _page(call: Call, per_page: int, cursor: str | None, total: bool) -> Page[User]:
    home = users.home_of(call)
    query = StoreQuery(limit=per_page, after=cursor)
    return await plain.page(
        home.scope, home.kind, query, total, show=people.shown, must_exist=bool(home.project_id)
    )


async def _places(
    call: Call, user_id: str, kind: Literal["system", "device"], system_id: str | None = None
) -> Page[Place]:
    stored = await users.get(call, user_id, reading=True)
    held = await users.places(call, stored, kind)
    collection = {"system": "systems", "device": "devices"}[kind]
    wanted = {names.document("projects", call.scope.project_id, collection, each): each for each in held}
    found = await firestore.batch_get(wanted, ["name", "systemId"])
    told = {wanted[name]: values.from_fields(document.fields) for name, document in found.items()}
    items = [
        Place(id=each, name=told.get(each, {}).get("name"), role_ids=sorted(held[each]))
        for each in sorted(held)
        if system_id is None or told.get(each, {}).get("systemId") == system_id
    ]
    return Page(count=len(items), per_page=max(len(items), 1), items=items)


def _shown(response: Response, stored: Stored[User]) -> User:
    etag(response, stored)
    return people.shown(stored)
