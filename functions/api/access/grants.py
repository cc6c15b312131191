"""What a user or an API key holds in a project: the roles given to him, and their permissions."""

from __future__ import annotations

from functions.api.access.principal import Grant
from shared import names, values
from shared.clients import firestore
from shared.store import query as queries


async def of(subject_kind: str, subject_id: str, project_id: str) -> tuple[Grant, ...]:
    """The grants of a subject; one query and one read of the roles that it names."""
    parent = names.project(project_id)
    wanted = queries.Query(
        (
            queries.Where("subjectKind", "==", subject_kind),
            queries.Where("subjectId", "==", subject_id),
        )
    )
    found = await firestore.run_query(parent, queries.conditions("userRoles", wanted))
    given = [values.from_fields(document.fields) for document in found]
    roles = await firestore.batch_get({f"{parent}/roles/{g['roleId']}" for g in given}, ["permissions"])
    permissions = {
        document.id: frozenset(values.from_fields(document.fields).get("permissions") or ())
        for document in roles.values()
    }
    return tuple(
        Grant(g["resourceKind"], g["resourceId"], permissions[g["roleId"]])
        for g in given
        if g["roleId"] in permissions
    )
