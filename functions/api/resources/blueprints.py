"""Blueprints and their attributes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from functions.api.needs import Call, denied
from functions.api.resources import attributes, checks, crud
from functions.api.resources.references import check_route, check_scripts, check_there
from functions.api.router import Router
from shared.attributes import checks_text
from shared.errors import ApiError
from shared.model.attribute import ATTRIBUTE, Attribute
from shared.model.blueprint import BLUEPRINT
from shared.model.message_route import MESSAGE_ROUTE
from shared.store.audit import same
from shared.store.change import Change
from shared.store.query import Query, Where
from shared.store.scope import Stored

# Firestore takes 30 values in one condition.
_AT_ONCE = 30
_MOST_CHILDREN = 5_000


async def _creating(call: Call, change: Change, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    if "messageRoute" in fields:
        check_route("blueprint", "messageRoute", fields["messageRoute"])
        await check_scripts(call.scope, "blueprint", "messageRoute", fields["messageRoute"])
    await check_there(call, "blueprint", fields, "messageRouteId", MESSAGE_ROUTE)
    return {"checks": checks_text(fields["checkMode"], []), "attributesVersion": 1}


async def _updating(
    call: Call, change: Change, stored: Stored[Any], fields: Mapping[str, Any]
) -> Mapping[str, Any]:
    if not same(fields.get("messageRoute"), stored.fields.get("messageRoute")) and "messageRoute" in fields:
        check_route("blueprint", "messageRoute", fields["messageRoute"])
        await check_scripts(call.scope, "blueprint", "messageRoute", fields["messageRoute"])
    if fields.get("messageRouteId") != stored.fields.get("messageRouteId"):
        await check_there(call, "blueprint", fields, "messageRouteId", MESSAGE_ROUTE)
    if fields["checkMode"] == stored.fields.get("checkMode"):
        return {}
    return await checks.texts(call.scope, stored, fields["checkMode"], {})


async def _attributes(call: Call, items: Sequence[Stored[Any]]) -> Mapping[str, list[Attribute]]:
    """The attributes of blueprints, by the blueprint's id; ApiError 400 where there are too many."""
    if not call.principal.anywhere("attribute.list"):
        raise denied("attribute.list")
    wanted = [item.id for item in items]
    pages = await asyncio.gather(
        *(
            call.scope.page(
                ATTRIBUTE,
                Query((Where("blueprintId", "in", wanted[start : start + _AT_ONCE]),), limit=_MOST_CHILDREN),
            )
            for start in range(0, len(wanted), _AT_ONCE)
        )
    )
    if any(page.next for page in pages):
        raise ApiError(
            400,
            "children.tooMany",
            f"these blueprints have more than {_MOST_CHILDREN} attributes",
            "ask for a smaller perPage, or list the attributes of each blueprint",
        )
    found: dict[str, list[Attribute]] = {}
    for page in pages:
        for item in page.items:
            found.setdefault(item.fields["blueprintId"], []).append(item.model())
    return found


router = Router()
router.take(
    crud.routes(
        BLUEPRINT,
        "blueprints",
        {"name": "Cold store", "alias": "coldStore", "checkMode": "warn", "tags": ["is:root"]},
        crud.Rules(
            creating=_creating,
            updating=_updating,
            filters=("purpose", "messageRouteId"),
            refs={"messageRouteId": MESSAGE_ROUTE},
            children={"attribute": ("attributes", _attributes)},
            reach="shown",
        ),
    )
)
router.take(
    crud.routes(
        ATTRIBUTE,
        "attributes",
        {"name": "Temperature", "path": "air/temperature", "type": "temperature", "unit": "degC", "max": 60},
        attributes.RULES,
        crud.Owner(BLUEPRINT, "blueprintId"),
    )
)
