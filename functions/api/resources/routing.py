"""Message routes and networks: how messages find their way in and on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.api.needs import Call
from functions.api.resources import crud
from functions.api.resources.references import check_cleared, check_outbound, check_route, check_scripts
from functions.api.router import Router
from shared.model.message_route import MESSAGE_ROUTE
from shared.model.network import NETWORK
from shared.store.audit import same
from shared.store.change import Change
from shared.store.scope import Stored


async def _creating(call: Call, change: Change, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    check_route("messageRoute", "route", fields["route"])
    await check_scripts(call.scope, "messageRoute", "route", fields["route"])
    return {}


async def _updating(
    call: Call, change: Change, stored: Stored[Any], fields: Mapping[str, Any]
) -> Mapping[str, Any]:
    check_route("messageRoute", "route", fields["route"])
    if not same(fields["route"], stored.fields.get("route")):
        await check_scripts(call.scope, "messageRoute", "route", fields["route"])
    return {}


async def _creating_network(call: Call, change: Change, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    check_outbound(fields.get("outbound"))
    return {}


async def _updating_network(
    call: Call, change: Change, stored: Stored[Any], fields: Mapping[str, Any]
) -> Mapping[str, Any]:
    if not same(fields.get("outbound"), stored.fields.get("outbound")):
        check_outbound(fields.get("outbound"))
    return {}


async def _network_id(call: Call, resource_id: str) -> None:
    await check_cleared(call.scope, resource_id)


router = Router()
router.take(
    crud.routes(
        MESSAGE_ROUTE,
        "messageRoutes",
        {"name": "Straight to the store", "route": {"deviceDataEventMsg": ["writer"]}},
        crud.Rules(creating=_creating, updating=_updating),
    )
)
router.take(
    crud.routes(
        NETWORK,
        "networks",
        {"id": "greenhouse-lora", "name": "Greenhouse LoRa", "aliasKeys": ["devEui"]},
        crud.Rules(creating=_creating_network, updating=_updating_network, choosing=_network_id),
    )
)
