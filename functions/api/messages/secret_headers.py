"""Operations on the headers of a network's requests that nobody is to read again."""

from typing import Annotated

from fastapi import Path

from functions.api.needs import Call, needs
from functions.api.resources.answers import GONE
from functions.api.router import Router
from shared import outbound_secrets
from shared.model.network import NETWORK
from shared.model.outbound import SecretHeaderNames, SecretHeaders
from shared.store.change import retrying

router = Router("network")
NetworkId = Annotated[str, Path(max_length=200, description="The id of the network")]


@router.put(
    "/network/{network_id}/secretHeaders",
    operation_id="network_set_secret_headers",
    summary="Set a network's secret headers",
    description="Headers that requests to the network's devices bear beside those in its 'outbound', such as "
    "Authorization. All that there were before are replaced. Their values are kept sealed and never shown.",
    responses=GONE,
)
async def set_(
    network_id: NetworkId, body: SecretHeaders, call: Annotated[Call, needs("network.update")]
) -> SecretHeaderNames:
    async def attempt() -> SecretHeaderNames:
        stored = await call.scope.get(NETWORK, network_id)
        change = call.change()
        kept = outbound_secrets.seal(network_id, body.headers)
        if change.update(stored, {"secretHeaders": kept or None}):
            await change.commit()
        return SecretHeaderNames(names=sorted(kept))

    done: SecretHeaderNames = await retrying(attempt)
    return done


@router.get(
    "/network/{network_id}/secretHeaders",
    operation_id="network_list_secret_headers",
    summary="List the names of a network's secret headers",
    description="Their names alone.",
    responses=GONE,
)
async def list_(network_id: NetworkId, call: Annotated[Call, needs("network.read")]) -> SecretHeaderNames:
    stored = await call.scope.get(NETWORK, network_id)
    return SecretHeaderNames(names=sorted(stored.fields.get("secretHeaders") or {}))
