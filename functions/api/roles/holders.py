"""Users as they have roles on one resource: looked up, given roles, set to other roles, and let go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from functions.api.needs import Call
from functions.api.roles import giving, grant, listed, membership
from functions.api.roles.giving import Place
from shared.errors import ApiError
from shared.model.page import Page
from shared.model.role import ROLE, USER_ROLE, HeldRole, Holder, UserRole, UserRoleCreate
from shared.store.change import Change
from shared.store.query import MAX_PER_PAGE, Query, Where
from shared.store.scope import Scope, Stored, not_found

# How many roles a user can have on one resource.
_MAX_ROLES = 100
# Firestore compares a field with at most so many values in one query.
_MAX_IN = 30


async def page(scope: Scope, at: Place, per_page: int, cursor: str | None) -> Page[Holder]:
    """A page of the users who have roles on a resource itself, by their ids.

    ``per_page`` counts the roles read, so that a page can hold fewer users; a user is never split.
    """
    where = (*_on(at), Where("subjectKind", "==", "user"))
    limit = max(per_page, _MAX_ROLES)
    query = Query(where, order="subjectId", limit=limit, after=cursor)
    found = await scope.page(USER_ROLE, query)
    items = found.items
    if found.next is not None:
        # The last user may have more roles than were read.
        last = items[-1].fields["subjectId"]
        whole = [stored for stored in items if stored.fields["subjectId"] != last]
        items = whole or items
    users = list(dict.fromkeys(stored.fields["subjectId"] for stored in items))
    cut = len(users) > per_page
    if cut:
        items = [stored for stored in items if stored.fields["subjectId"] in users[:per_page]]
    following = scope.cursor(USER_ROLE, query, items[-1]) if items and (cut or found.next) else None
    shown = await holders(scope, items)
    return Page(count=len(shown), per_page=per_page, next=following, items=shown)


async def holders(scope: Scope, items: Sequence[Stored[UserRole]]) -> list[Holder]:
    """Roles given on one resource, gathered by user; users and roles that are gone are left out."""
    roles = await scope.find_many(ROLE, {stored.fields["roleId"] for stored in items})
    of_user: dict[str, list[Stored[UserRole]]] = {}
    for stored in items:
        of_user.setdefault(stored.fields["subjectId"], []).append(stored)
    known = await membership.find(scope, "user", of_user) if of_user else {}
    return [_holder(known[user_id], held, roles) for user_id, held in of_user.items() if user_id in known]


async def held(scope: Scope, at: Place, user_id: str) -> list[Stored[UserRole]]:
    """The roles of a user on a resource itself."""
    where = (*_on(at), Where("subjectKind", "==", "user"), Where("subjectId", "==", user_id))
    return (await scope.page(USER_ROLE, Query(where, limit=_MAX_ROLES))).items


async def held_by(scope: Scope, at: Place, user_ids: Sequence[str]) -> list[Stored[UserRole]]:
    """The roles of several users on a resource itself; one query for thirty users."""
    found: list[Stored[UserRole]] = []
    for start in range(0, len(user_ids), _MAX_IN):
        some = list(user_ids[start : start + _MAX_IN])
        where = (*_on(at), Where("subjectKind", "==", "user"), Where("subjectId", "in", some))
        after: str | None = None
        while True:
            page_ = await scope.page(USER_ROLE, Query(where, limit=MAX_PER_PAGE, after=after))
            found += page_.items
            after = page_.next
            if after is None:
                break
    return found


async def get(scope: Scope, at: Place, user_id: str) -> Holder:
    """A user on a resource; ApiError 404 if he has no role there."""
    found = await holders(scope, await held(scope, at, user_id))
    if not found:
        raise not_found("user", user_id)
    return found[0]


async def add(
    call: Call,
    change: Change,
    at: Place,
    user_id: str,
    roles: Sequence[str],
    metadata: Mapping[str, Any] | None,
    *,
    newcomer: bool = False,
) -> None:
    """Give a user roles on a resource, beside those that he has."""
    wanted = [
        UserRoleCreate(
            subject_id=user_id,
            role_id=role_id,
            resource_kind=at.kind,
            resource_id=at.id,
            metadata=None if metadata is None else dict(metadata),
        )
        for role_id in await resolve(call.scope, roles)
    ]
    await grant.give(call, change, wanted, frozenset({user_id}) if newcomer else frozenset())


async def set_to(
    call: Call,
    change: Change,
    at: Place,
    user_id: str,
    roles: Sequence[str] | None,
    metadata: Mapping[str, Any] | None,
) -> None:
    """Have a user, who has roles on a resource, have exactly these; ApiError 404 if he has none there."""
    present = await held(call.scope, at, user_id)
    if not present:
        raise not_found("user", user_id)
    wanted = [s.fields["roleId"] for s in present] if roles is None else await resolve(call.scope, roles)
    await grant.take(call, change, [s for s in present if s.fields["roleId"] not in wanted])
    if metadata is None:
        wanted = [each for each in wanted if each not in {s.fields["roleId"] for s in present}]
    if wanted:
        await add(call, change, at, user_id, wanted, metadata)


async def check_roles(call: Call, at: Place, roles: Sequence[str]) -> None:
    """ApiError 403 unless the caller may give these roles on a resource."""
    giving.require_place(call, giving.ASSIGN, at)
    found = await call.scope.find_many(ROLE, await resolve(call.scope, roles))
    for stored in found.values():
        giving.require_all(call, stored.fields.get("permissions") or [], at)


async def resolve(scope: Scope, roles: Sequence[str]) -> list[str]:
    """The ids of roles that are named by id or by name; ApiError 404 for one that there is not."""
    found = await scope.find_many(ROLE, [each for each in roles if giving.ids_are_plain(each)])
    missing = [each for each in roles if each not in found]
    by_name: dict[str, str] = {}
    if missing:
        by_name = {str(s.fields.get("name", "")).casefold(): s.id for s in await listed.everyone(scope)}
    for each in missing:
        if each.casefold() not in by_name:
            raise not_found("role", each)
    return list(dict.fromkeys(each if each in found else by_name[each.casefold()] for each in roles))


def check_named(user_id: str | None, username: str | None) -> None:
    """ApiError 400 unless a user is named by one of both."""
    if (user_id is None) == (username is None):
        raise ApiError(400, "user.unnamed", "name the user", "send either userId or username")


def _holder(subject: membership.Subject, held_: list[Stored[UserRole]], roles: dict[str, Any]) -> Holder:
    metadata: dict[str, Any] = {}
    for stored in held_:
        metadata |= stored.fields.get("metadata") or {}
    return Holder(
        id=subject.id,
        username=subject.name,
        platform=subject.platform,
        roles=[
            HeldRole(
                id=stored.fields["roleId"],
                name=roles[stored.fields["roleId"]].fields.get("name", ""),
                user_role_id=stored.id,
            )
            for stored in held_
            if stored.fields["roleId"] in roles
        ],
        metadata=metadata or None,
    )


def _on(at: Place) -> tuple[Where, ...]:
    return Where("resourceKind", "==", at.kind), Where("resourceId", "==", at.id)
