"""What a user or an API key holds in a project: the roles given to him, and their permissions.

Remembered for at most 5 s; whoever changes a role or a grant in this process calls :func:`forget`, and what
was remembered is read anew at once. Other instances learn of it within those 5 s.
"""

from __future__ import annotations

from functions.api.access.principal import Grant
from functions.api.recent import Recent
from shared import names, values
from shared.clients import firestore
from shared.store import query as queries

# Project, kind of subject, subject.
_held: Recent[tuple[str, str, str], tuple[Grant, ...]] = Recent(20_000)


async def of(subject_kind: str, subject_id: str, project_id: str) -> tuple[Grant, ...]:
    """The grants of a subject; if they are not remembered, one query and one read of the roles it names."""
    return await _held.get(
        (project_id, subject_kind, subject_id), lambda: read(subject_kind, subject_id, project_id)
    )


def forget(project_id: str, subject_kind: str | None = None, subject_id: str | None = None) -> None:
    """Read anew what a subject holds, or what everybody in a project does (a role was changed)."""
    if subject_kind is not None and subject_id is not None:
        _held.forget((project_id, subject_kind, subject_id))
    else:
        _held.forget_if(lambda key: key[0] == project_id)


async def read(subject_kind: str, subject_id: str, project_id: str) -> tuple[Grant, ...]:
    """:func:`of`, as it is stored now: for decisions about who may give what to whom."""
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
