"""Operations on the keys of a network. Ingest looks at them every five seconds."""

from typing import Annotated, Any

from fastapi import Path

from functions.api.joining import credentials
from functions.api.needs import Call, needs
from functions.api.resources.answers import GONE, problem
from functions.api.router import Router
from shared import keys
from shared.model.keys import Key, KeyCreate, Keys, NewKey, Rotation
from shared.model.network import NETWORK
from shared.store.change import retrying
from shared.store.scope import Stored

router = Router("networkKey")

NetworkId = Annotated[str, Path(max_length=200, description="The id of the network")]
KeyId = Annotated[str, Path(max_length=64, description="The id of the key: what stands between its two '_'")]
_FULL: dict[int | str, dict[str, Any]] = {409: problem("It has too many keys, or the key is no longer valid")}


@router.post(
    "/network/{network_id}/keys",
    status_code=201,
    operation_id="network_key_create",
    summary="Make a key for a network",
    description="The key's text is in this answer and never shown again. If the answer is lost, revoke the "
    "key and make another. Ingest takes it within five seconds.",
    responses=GONE | _FULL,
    openapi_extra={"requestBody": {"content": {"application/json": {"example": {"name": "gateway 7"}}}}},
)
async def create(
    network_id: NetworkId, body: KeyCreate, call: Annotated[Call, needs("network.update")]
) -> NewKey:
    credentials.check_expires(body.expires)
    credential = keys.make("fk")

    async def attempt() -> NewKey:
        stored = await call.scope.get(NETWORK, network_id)
        change = call.change()
        fields = credentials.stored(credential, body.name, body.expires, change.now)
        change.update(stored, {"keys": credentials.with_new(_held(stored), credential, fields)})
        await change.commit()
        return credentials.new_key(credential, fields)

    made: NewKey = await retrying(attempt)
    return made


@router.get(
    "/network/{network_id}/keys",
    operation_id="network_key_list",
    summary="List the keys of a network",
    description="All keys of the network with their state, the latest first, without their secrets.",
    responses=GONE,
)
async def list_(network_id: NetworkId, call: Annotated[Call, needs("network.read")]) -> Keys:
    held = _held(await call.scope.get(NETWORK, network_id))
    items = [credentials.key(key_id, fields) for key_id, fields in held.items()]
    return Keys(count=len(items), items=sorted(items, key=lambda key: (-key.created, key.id)))


@router.post(
    "/network/{network_id}/keys/{key_id}/rotate",
    status_code=201,
    operation_id="network_key_rotate",
    summary="Replace a key of a network",
    description="Makes a new key; the old one stays valid for a while, so that no event is refused.",
    responses=GONE | _FULL,
    openapi_extra={"requestBody": {"content": {"application/json": {"example": {"overlapSeconds": 3600}}}}},
)
async def rotate(
    network_id: NetworkId, key_id: KeyId, body: Rotation, call: Annotated[Call, needs("network.update")]
) -> NewKey:
    credentials.check_expires(body.expires)
    credential = keys.make("fk")

    async def attempt() -> NewKey:
        stored = await call.scope.get(NETWORK, network_id)
        change, held = call.change(), _held(stored)
        old = _one(held, key_id)
        if not credentials.is_valid(old):
            raise credentials.unusable("key", key_id)
        held[key_id] = credentials.ending(old, body.overlap_seconds, change.now)
        fields = credentials.stored(credential, old.get("name"), body.expires, change.now)
        change.update(stored, {"keys": credentials.with_new(held, credential, fields)})
        await change.commit()
        return credentials.new_key(credential, fields)

    made: NewKey = await retrying(attempt)
    return made


@router.delete(
    "/network/{network_id}/keys/{key_id}",
    operation_id="network_key_revoke",
    summary="Revoke a key of a network",
    description="Ingest refuses the key within five seconds, for good. Revoking it again changes nothing.",
    responses=GONE,
)
async def revoke(network_id: NetworkId, key_id: KeyId, call: Annotated[Call, needs("network.update")]) -> Key:
    async def attempt() -> Key:
        stored = await call.scope.get(NETWORK, network_id)
        held = _held(stored)
        held[key_id] = {**_one(held, key_id), "revoked": True}
        change = call.change()
        if change.update(stored, {"keys": held}):
            await change.commit()
        return credentials.key(key_id, held[key_id])

    revoked: Key = await retrying(attempt)
    return revoked


def _held(stored: Stored[Any]) -> dict[str, dict[str, Any]]:
    return dict(stored.fields.get("keys") or {})


def _one(held: dict[str, dict[str, Any]], key_id: str) -> dict[str, Any]:
    if key_id not in held:
        raise credentials.missing("key", key_id)
    return held[key_id]
