"""Operations on the tokens with which devices speak for themselves. Ingest sees changes within 5 s."""

from typing import Annotated, Any

from fastapi import Path

from functions.api.devices import access, holding
from functions.api.joining import credentials
from functions.api.needs import Call, needs
from functions.api.resources.answers import GONE, problem
from functions.api.router import Router
from shared import keys
from shared.errors import ApiError
from shared.model.keys import TOKEN, NewToken, Rotation, Token, TokenCreate, Tokens
from shared.model.network import NETWORK
from shared.store.change import retrying
from shared.store.query import Query, Where
from shared.store.scope import Stored

router = Router("deviceToken")

DeviceId = Annotated[str, Path(max_length=200, description="The id of the device")]
TokenId = Annotated[
    str, Path(max_length=64, description="The id of the token: what stands between its two '_'")
]
MAX_TOKENS = 20
_FULL: dict[int | str, dict[str, Any]] = {
    409: problem("It has too many tokens, or the token is no longer valid")
}


@router.post(
    "/device/{device_id}/tokens",
    status_code=201,
    operation_id="device_token_create",
    summary="Make a token for a device",
    description="The token's text is in this answer and never shown again. If the answer is lost, revoke the "
    "token and make another. Ingest takes it within five seconds, for the device's aliases on one network.",
    responses=GONE | _FULL,
    openapi_extra={"requestBody": {"content": {"application/json": {"example": {"networkId": "farm-lora"}}}}},
)
async def create(
    device_id: DeviceId, body: TokenCreate, call: Annotated[Call, needs("device.update", anywhere=True)]
) -> NewToken:
    credentials.check_expires(body.expires)
    credential = keys.make("ft")

    async def attempt() -> NewToken:
        device = await access.load(call, "device.update", device_id)
        network_id = body.network_id or device.fields.get("networkId")
        network = await call.scope.find(NETWORK, network_id) if network_id else None
        if network is None:
            raise ApiError(
                400,
                "deviceToken.network",
                f"this project has no network {network_id!r}"
                if network_id
                else "neither the request nor the device names a network",
                "name the network that the device sends through, in networkId",
            )
        held = await _held(call, device_id)
        if sum(credentials.is_valid(token.fields) for token in held) >= MAX_TOKENS:
            raise ApiError(
                409, "deviceToken.tooMany", f"the device has {MAX_TOKENS} valid tokens", "revoke some"
            )
        change = call.change()
        fields = credentials.stored(credential, body.name, body.expires, change.now)
        named = {"deviceId": device_id, "networkId": network.id}
        change.create(TOKEN, {**fields, **named}, credential.id)
        holding.exists(change, device.name, network.name)
        await change.commit()
        return _new(credential, await call.scope.get(TOKEN, credential.id))

    made: NewToken = await retrying(attempt)
    return made


@router.get(
    "/device/{device_id}/tokens",
    operation_id="device_token_list",
    summary="List the tokens of a device",
    description="All tokens of the device with their state, the latest first, without their secrets.",
    responses=GONE,
)
async def list_(device_id: DeviceId, call: Annotated[Call, needs("device.read", anywhere=True)]) -> Tokens:
    await access.load(call, "device.read", device_id)
    items = [_token(stored) for stored in await _held(call, device_id)]
    return Tokens(count=len(items), items=sorted(items, key=lambda token: (-token.created, token.id)))


@router.post(
    "/device/{device_id}/tokens/{token_id}/rotate",
    status_code=201,
    operation_id="device_token_rotate",
    summary="Replace a token of a device",
    description="Makes a new token; the old one stays valid for a while, so that no event is refused.",
    responses=GONE | _FULL,
    openapi_extra={"requestBody": {"content": {"application/json": {"example": {"overlapSeconds": 3600}}}}},
)
async def rotate(
    device_id: DeviceId,
    token_id: TokenId,
    body: Rotation,
    call: Annotated[Call, needs("device.update", anywhere=True)],
) -> NewToken:
    credentials.check_expires(body.expires)
    credential = keys.make("ft")

    async def attempt() -> NewToken:
        device = await access.load(call, "device.update", device_id)
        old = await _one(call, device_id, token_id)
        if not credentials.is_valid(old.fields):
            raise credentials.unusable("deviceToken", token_id)
        change = call.change()
        fields = credentials.stored(credential, old.fields.get("name"), body.expires, change.now)
        named = {key: old.fields[key] for key in ("deviceId", "networkId")}
        change.create(TOKEN, {**fields, **named}, credential.id)
        ending = credentials.ending(old.fields, body.overlap_seconds, change.now)
        change.update(old, {"expires": ending["expires"]})
        holding.exists(change, device.name)
        await change.commit()
        return _new(credential, await call.scope.get(TOKEN, credential.id))

    made: NewToken = await retrying(attempt)
    return made


@router.delete(
    "/device/{device_id}/tokens/{token_id}",
    operation_id="device_token_revoke",
    summary="Revoke a token of a device",
    description="Ingest refuses the token within five seconds, for good. Revoking it again changes nothing.",
    responses=GONE,
)
async def revoke(
    device_id: DeviceId, token_id: TokenId, call: Annotated[Call, needs("device.update", anywhere=True)]
) -> Token:
    async def attempt() -> Token:
        await access.load(call, "device.update", device_id)
        stored = await _one(call, device_id, token_id)
        change = call.change()
        if change.update(stored, {"revoked": True}):
            await change.commit()
        return _token(await call.scope.get(TOKEN, token_id))

    revoked: Token = await retrying(attempt)
    return revoked


async def _held(call: Call, device_id: str) -> list[Stored[Token]]:
    query = Query((Where("deviceId", "==", device_id),), limit=200)
    return (await call.scope.page(TOKEN, query)).items


async def _one(call: Call, device_id: str, token_id: str) -> Stored[Token]:
    stored = await call.scope.find(TOKEN, token_id)
    if stored is None or stored.fields.get("deviceId") != device_id:
        raise credentials.missing("deviceToken", token_id)
    return stored


def _token(stored: Stored[Token]) -> Token:
    return stored.model().model_copy(update={"valid": credentials.is_valid(stored.fields)})


def _new(credential: keys.Credential, stored: Stored[Any]) -> NewToken:
    return NewToken(**_token(stored).model_dump(), text=credential.text)
