"""Giving and taking roles within one change, whoever asks for it by whichever path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functions.api.access import grants
from functions.api.devices import holding
from functions.api.needs import Call
from functions.api.roles import admins, giving, membership
from functions.api.roles.giving import Place
from shared.errors import ApiError
from shared.model.role import EVERYTHING, ROLE, USER_ROLE, ResourceKind, UserRole, UserRoleCreate
from shared.store.change import Change
from shared.store.scope import Stored, not_found


async def give(
    call: Call,
    change: Change,
    wanted: Sequence[UserRoleCreate],
    newcomers: frozenset[str] = frozenset(),
) -> list[str]:
    """Give roles; the ids of all that are held afterwards, those that were held before included.

    ``newcomers``: users who become known to the project by this very change. ApiError 404 for a subject,
    role or resource that the project does not have, 403 for what the caller may not give.
    """
    scope = call.scope
    places: dict[tuple[ResourceKind, str], Place] = {}
    roles = await scope.find_many(ROLE, {each.role_id for each in wanted})
    await _check_subjects(call, change, wanted, newcomers)
    made: dict[str, dict[str, Any]] = {}
    for each in wanted:
        if each.role_id not in roles:
            raise not_found("role", each.role_id)
        key = (each.resource_kind, each.resource_id or scope.project_id)
        if each.resource_id is None and each.resource_kind != "project":
            raise ApiError(
                400, "userRole.invalid", f"the id of the {each.resource_kind} is missing", "name it"
            )
        if key not in places:
            places[key] = await giving.place(scope, *key)
            giving.require_place(call, giving.ASSIGN, places[key])
        giving.require_all(call, _permissions(roles[each.role_id]), places[key])
        fields = each.wire() | {"resourceKind": key[0], "resourceId": key[1]}
        made[giving.user_role_id(fields)] = fields
    # What hangs on these is cleared when they are deleted; nothing may come to hang on them later.
    holding.exists(change, *(at.document for at in places.values()), *(role.name for role in roles.values()))
    present = await scope.find_many(USER_ROLE, made)
    for user_role_id, fields in made.items():
        if user_role_id in present:
            # Given again: at most what is noted beside it changes.
            change.update(
                present[user_role_id], {"metadata": fields.get("metadata")} if "metadata" in fields else {}
            )
        else:
            change.create(USER_ROLE, fields, user_role_id)
        _forget(change, fields)
    return list(made)


async def _check_subjects(
    call: Call, change: Change, wanted: Sequence[UserRoleCreate], newcomers: frozenset[str]
) -> None:
    for kind in ("user", "apiAccess"):
        named = {each.subject_id for each in wanted if each.subject_kind == kind} - newcomers
        known = await membership.find(call.scope, kind, named) if named else {}
        for subject_id in named:
            if subject_id not in known:
                raise not_found(kind, subject_id)
            holding.exists(change, known[subject_id].document)
            if known[subject_id].unlimited:
                # Its first role takes everything else from the key: that is for who holds as much.
                giving.require_all(call, [EVERYTHING])
                membership.narrow(change, subject_id)


async def take(call: Call, change: Change, found: Sequence[Stored[UserRole]]) -> None:
    """Take roles back; ApiError 403 for what the caller could not have given, 409 for the last admin's."""
    scope = call.scope
    roles = await scope.find_many(ROLE, {stored.fields["roleId"] for stored in found})
    of_admins = set()
    for stored in found:
        fields = stored.fields
        at = await _place_of(call, fields)
        giving.require_place(call, giving.ASSIGN, at)
        role = roles.get(fields["roleId"])
        permissions = _permissions(role) if role is not None else []
        giving.require_all(call, permissions, at)
        if EVERYTHING in permissions and fields["resourceKind"] == "project":
            of_admins.add(stored.id)
        change.delete(stored)
        _forget(change, fields)
    if of_admins:
        await admins.keep_one(change, without_grants=of_admins)


async def _place_of(call: Call, fields: dict[str, Any]) -> Place:
    """Where a role is held; a resource that is gone counts as the project, whose people clear up."""
    try:
        return await giving.place(call.scope, fields["resourceKind"], fields["resourceId"])
    except ApiError as error:
        if error.status != 404:
            raise
        return giving.whole(call.scope)


def _permissions(role: Stored[Any]) -> list[str]:
    return role.fields.get("permissions") or []


def _forget(change: Change, fields: dict[str, Any]) -> None:
    project_id, kind, subject_id = change.scope.project_id, fields["subjectKind"], fields["subjectId"]
    change.after.append(lambda: grants.forget(project_id, kind, subject_id))
