"""A project always has somebody who may do everything in it: its last administrator cannot be removed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from fulcrum.core import ids
from functions.api.roles import membership
from shared import names, values
from shared.clients import firestore
from shared.errors import ApiError
from shared.model.role import EVERYTHING
from shared.store import query as queries
from shared.store.change import Change
from shared.store.query import Query, Where

# Firestore compares a field with at most so many values in one query.
_MAX_ROLES = 30


async def keep_one(
    change: Change,
    *,
    without_grants: Collection[str] = (),
    without_roles: Collection[str] = (),
    without_user: str | None = None,
) -> None:
    """ApiError 409 ``project.lastAdmin`` if the change would take away the project's last administrator.

    An administrator is a user with a role that holds ``*`` on the project. Call it in every change that
    deletes grants, a role (or its ``*``) or a user: such changes of one project happen one after the other.
    """
    await _in_turn(change)
    grants = await _held_by_people(change)
    left = [
        grant
        for grant_id, grant in grants.items()
        if grant_id not in without_grants
        and grant["roleId"] not in without_roles
        and grant["subjectId"] != without_user
    ]
    if grants and not left:
        raise ApiError(
            409,
            "project.lastAdmin",
            "nobody would be left who may do everything in the project",
            "give somebody else the role of an administrator first",
        )


async def _held_by_people(change: Change) -> dict[str, dict[str, Any]]:
    """The grants of ``*`` on the project to users who are there; a deleted one's are cleared only later."""
    parent = names.project(change.scope.project_id)
    powerful = Query((Where("permissions", "array-contains", EVERYTHING),))
    roles = [d.id for d in await firestore.run_query(parent, queries.conditions("roles", powerful))]
    grants: dict[str, dict[str, Any]] = {}
    for start in range(0, len(roles), _MAX_ROLES):
        given = Query(
            (
                Where("resourceKind", "==", "project"),
                Where("subjectKind", "==", "user"),
                Where("roleId", "in", roles[start : start + _MAX_ROLES]),
            )
        )
        found = await firestore.run_query(parent, queries.conditions("userRoles", given))
        grants |= {document.id: values.from_fields(document.fields) for document in found}
    subjects = {str(grant["subjectId"]) for grant in grants.values()}
    known = await membership.find(change.scope, "user", subjects) if subjects else {}
    return {grant_id: grant for grant_id, grant in grants.items() if grant["subjectId"] in known}


async def _in_turn(change: Change) -> None:
    # Two administrators who remove each other at once would both find the other one still there.
    name = names.document("projects", change.scope.project_id, "locks", ids.digest("project", "admins"))
    present = (await firestore.batch_get([name], ["time"])).get(name)
    fields: dict[str, Any] = {"kind": "project", "field": "admins", "time": change.now}
    change.put(name, fields)
    condition = change.writes[-1].current_document
    if present is None:
        condition.exists = False
    else:
        condition.update_time.CopyFrom(present.update_time)
