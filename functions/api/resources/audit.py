"""The audit of a project: who changed what, the latest first."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from functions.api.needs import Call, needs
from functions.api.resources import lists, plain
from functions.api.resources.answers import GONE
from functions.api.router import Router
from shared.model.audit import AUDIT, AuditEntry
from shared.model.base import EpochMs
from shared.model.page import Page
from shared.store.query import Query as StoreQuery
from shared.store.query import Where

router = Router("audit")
_Text = Annotated[str | None, Query(max_length=200)]


@router.get(
    "/project/{project_id}/audit",
    operation_id="audit_list",
    summary="List who changed what",
    description="A page of the project's audit, the latest first. Values of secrets are never in it; long "
    "values are cut.",
    responses=GONE,
)
async def audit_list(
    project_id: str,
    call: Annotated[Call, needs("audit.list")],
    kind: Annotated[_Text, Query(description="Only of this kind, such as blueprint")] = None,
    resource_id: Annotated[_Text, Query(alias="resourceId", description="Only of this resource")] = None,
    actor: Annotated[_Text, Query(description="Only by the user or API key with this id")] = None,
    since: Annotated[EpochMs | None, Query(description="Not before, epoch ms")] = None,
    until: Annotated[EpochMs | None, Query(description="Before, epoch ms")] = None,
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
) -> Page[AuditEntry]:
    """Answer a page of entries."""
    asked = [("kind", kind), ("resourceId", resource_id), ("actor.id", actor)]
    where = [Where(field, "==", value) for field, value in asked if value is not None]
    if since is not None:
        where.append(Where("time", ">=", since))
    if until is not None:
        where.append(Where("time", "<", until))
    query = StoreQuery(tuple(where), order="time", descending=True, limit=per_page, after=cursor)
    return await plain.page(call.scope, AUDIT, query, total)
