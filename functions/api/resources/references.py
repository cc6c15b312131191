"""What resources refer to is there, routes lead to topics that are, and an id is free again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.api.needs import Call
from functions.api.resources import reasoning
from shared import outbound_request, url_rules, values
from shared.clients import firestore
from shared.config import settings
from shared.errors import ApiError, Rejected
from shared.model.base import Kind
from shared.route_check import check_message_route
from shared.store.scope import Scope

# The topics of the platform that a route may name; users' own come with CUSTOM_TOPICS.
ROUTABLE = frozenset({"writer", reasoning.TOPIC})


def topics() -> frozenset[str]:
    """The topics that a route or a timer may name: the platform's, and those declared under ``custom``.

    ``FULCRUM_CUSTOM_TOPICS``, separated by commas, is made from ``functions/services.yaml`` by whoever starts
    the function: the local runner, and Terraform.
    """
    given = settings().text("CUSTOM_TOPICS", "")
    return ROUTABLE | {name.strip() for name in given.split(",") if name.strip()}


def check_route(kind_name: str, field: str, route: Any) -> None:
    """ApiError 400 with all problems of a message route."""
    found = check_message_route(route, topics()) or [*reasoning.route_problems(route)]
    if found:
        raise ApiError(
            400,
            f"{kind_name}.{field}",
            "; ".join(found)[:2000],
            "correct what is named; a topic must be declared in functions/services.yaml under custom",
        )


async def check_scripts(scope: Scope, kind_name: str, field: str, route: Any) -> None:
    """ApiError 400 if a message route names a script that the project does not have."""
    await reasoning.check_named(scope, f"{kind_name}.{field}", reasoning.named_in_route(route))


async def check_there(
    call: Call, kind_name: str, fields: Mapping[str, Any], wire: str, kind: Kind[Any]
) -> None:
    """ApiError 400 if a field names a resource that the project does not have."""
    resource_id = fields.get(wire)
    if resource_id is None:
        return
    if await call.scope.find(kind, resource_id) is None:
        raise ApiError(
            400,
            f"{kind_name}.{wire}",
            f"there is no {kind.name} {str(resource_id)[:128]!r} in this project",
            f"create the {kind.name} first, or leave {wire} out",
        )


async def check_cleared(scope: Scope, network_id: str) -> None:
    """ApiError 409 while the job of a network that had the id before is still clearing its aliases."""
    name = scope.tombstone("network", network_id)
    found = (await firestore.batch_get([name], ["pending"])).get(name)
    if found is not None and values.from_fields(found.fields).get("pending"):
        raise ApiError(
            409,
            "network.idTaken",
            f"the network {network_id!r} was deleted, and its aliases are still being cleared",
            "send the same request again in a minute, or choose another id",
        )


def check_outbound(way: Mapping[str, Any] | None) -> None:
    """ApiError 400 for a URL that may not be called; where its name leads is seen when it is called."""
    if way is not None and "urlTemplate" in way:
        check_url(outbound_request.example(way["urlTemplate"]), "network.url", "outbound.urlTemplate")


def check_url(url: str, error_type: str, where: str) -> None:
    """ApiError 400 ``error_type`` for a URL that the platform may not call, which stands ``where``."""
    try:
        url_rules.check_url(url, url_rules.networks(settings().text("URL_NETWORKS", "")))
    except Rejected as error:
        raise ApiError(
            400,
            error_type,
            f"{where}: {error.message}",
            "name a host of the public Internet, or an address of a network that URL_NETWORKS allows",
        ) from None
