"""Message routes and networks: how messages find their way in and on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from functions.api.needs import Call
from functions.api.resources import crud
from functions.api.resources.references import check_route
from shared import values
from shared.clients import firestore
from shared.errors import ApiError
from shared.model.message_route import MESSAGE_ROUTE
from shared.model.network import NETWORK
from shared.store.change import Change
from shared.store.scope import Stored


async def _creating(call: Call, change: Change, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    check_route("messageRoute", "route", fields["route"])
    return {}


async def _updating(
    call: Call, change: Change, stored: Stored[Any], fields: Mapping[str, Any]
) -> Mapping[str, Any]:
    check_route("messageRoute", "route", fields["route"])
    return {}


async def _creating_network(call: Call, change: Change, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    if len(set(fields["aliasKeys"])) < len(fields["aliasKeys"]):
        raise ApiError(400, "network.aliasKeys", "aliasKeys names one key twice", "name each once")
    return {}


async def _network_id(call: Call, resource_id: str) -> None:
    """ApiError 409 while the job of a network that had the id before is still clearing its aliases."""
    name = call.scope.tombstone("network", resource_id)
    found = (await firestore.batch_get([name], ["pending"])).get(name)
    if found is not None and values.from_fields(found.fields).get("pending"):
        raise ApiError(
            409,
            "network.idTaken",
            f"the network {resource_id!r} was deleted, and its aliases are still being cleared",
            "send the same request again in a minute, or choose another id",
        )


router = APIRouter()
router.include_router(
    crud.routes(
        MESSAGE_ROUTE,
        "messageRoutes",
        {"name": "Straight to the store", "route": {"deviceDataEventMsg": ["writer"]}},
        crud.Rules(creating=_creating, updating=_updating),
    )
)
router.include_router(
    crud.routes(
        NETWORK,
        "networks",
        {"id": "greenhouse-lora", "name": "Greenhouse LoRa", "aliasKeys": ["devEui"]},
        crud.Rules(creating=_creating_network, choosing=_network_id),
    )
)
