"""Dashboards and views: what people see. Some are one person's alone, and nobody else learns of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Response

from functions.api.needs import Call, needs
from functions.api.resources import crud
from functions.api.resources.answers import GONE, etag
from functions.api.resources.references import check_there
from functions.api.router import Router
from shared.errors import ApiError
from shared.model.base import Kind
from shared.model.blueprint import BLUEPRINT
from shared.model.dashboard import DASHBOARD, Dashboard
from shared.model.role import USER_ROLE
from shared.model.view import VIEW
from shared.store.change import Change
from shared.store.query import Query as StoreQuery
from shared.store.query import Where
from shared.store.scope import Stored

# Firestore takes 30 values in one condition.
_ROLES = 30


def _listed(call: Call) -> tuple[Where, ...]:
    return (Where("owner", "in", ["", call.principal.id]),)


def _seen(call: Call, stored: Stored[Any]) -> bool:
    return stored.fields.get("owner", "") in ("", call.principal.id)


def _require_shared(call: Call, kind: Kind[Any], verb: str, personal: bool) -> None:
    """What is everybody's is changed by holders on the whole project alone."""
    if not personal:
        call.require(f"{kind.name}.{verb}")


def _rules(kind: Kind[Any], filters: tuple[str, ...]) -> crud.Rules:
    async def creating(call: Call, change: Change, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        personal = fields["scope"] == "personal"
        _require_shared(call, kind, "create", personal)
        if fields["scope"] == "blueprint":
            await check_there(call, kind.name, fields, "scopeId", BLUEPRINT)
        return {"owner": call.principal.id if personal else ""}

    async def updating(
        call: Call, change: Change, stored: Stored[Any], fields: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        _require_shared(call, kind, "update", bool(stored.fields.get("owner")))
        if fields["scope"] == "blueprint" and fields.get("scopeId") != stored.fields.get("scopeId"):
            await check_there(call, kind.name, fields, "scopeId", BLUEPRINT)
        return {}

    async def deleting(call: Call, change: Change, stored: Stored[Any]) -> str | None:
        _require_shared(call, kind, "delete", bool(stored.fields.get("owner")))
        return None

    return crud.Rules(
        creating=creating,
        updating=updating,
        deleting=deleting,
        listed=_listed,
        seen=_seen,
        filters=filters,
        reach="own",
    )


router = Router()


@router.get(
    "/project/{project_id}/dashboards/default",
    tags=["dashboard"],
    operation_id="dashboard_get_default",
    summary="Read the dashboard that a person sees first",
    description="The first that there is of: the caller's own (for this page, then for any), one for a role "
    "of his, one for the page, one for the blueprint, the project's default.",
    responses=GONE,
)
async def get_default(
    project_id: str,
    response: Response,
    call: Annotated[Call, needs("dashboard.read", anywhere=True)],
    page: Annotated[str | None, Query(max_length=200, description="The page that is shown")] = None,
    blueprint_id: Annotated[
        str | None, Query(alias="blueprintId", max_length=200, description="The blueprint that is shown")
    ] = None,
) -> Dashboard:
    """Answer the dashboard that comes first; 404 if none fits."""
    own = Where("owner", "==", call.principal.id)
    wanted: list[tuple[Where, ...]] = [(own, Where("scopeId", "==", page))] if page else []
    wanted.append((own,))
    if roles := await _roles(call):
        wanted.append((Where("scope", "==", "role"), Where("scopeId", "in", roles)))
    if page:
        wanted.append((Where("scope", "==", "page"), Where("scopeId", "==", page)))
    if blueprint_id:
        wanted.append((Where("scope", "==", "blueprint"), Where("scopeId", "==", blueprint_id)))
    wanted.append((Where("scope", "==", "default"),))
    pages = await asyncio.gather(
        *(call.scope.page(DASHBOARD, StoreQuery(where, limit=1)) for where in wanted)
    )
    for found in pages:
        if found.items:
            etag(response, found.items[0])
            return found.items[0].model()
    raise ApiError(
        404, "dashboard.notFound", "no dashboard fits", "create one with the scope 'default' for everybody"
    )


async def _roles(call: Call) -> list[str]:
    principal = call.principal
    mine = (Where("subjectKind", "==", principal.kind), Where("subjectId", "==", principal.id))
    found = await call.scope.page(USER_ROLE, StoreQuery(mine, limit=_ROLES))
    return sorted({item.fields["roleId"] for item in found.items})


router.take(
    crud.routes(
        DASHBOARD,
        "dashboards",
        {"name": "Overview", "scope": "default", "layout": {"main": ["table", "map"]}},
        _rules(DASHBOARD, ("scope", "scopeId")),
    )
)
router.take(
    crud.routes(
        VIEW,
        "views",
        {"name": "Warm ones", "table": "coldStore", "settings": {"columns": ["name", "data/temperature"]}},
        _rules(VIEW, ("table", "scope")),
    )
)
