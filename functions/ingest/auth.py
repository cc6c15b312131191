"""Who sends: a network by one of its keys, or one device by its own token.

A network may have several valid keys, so that keys can be changed without a pause.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from functions.ingest.cache import Cache
from functions.ingest.limits import Rates
from shared import clock, keys, names, values
from shared.clients import firestore
from shared.config import settings
from shared.errors import ApiError


class Key(msgspec.Struct, frozen=True):
    """A stored key. ``expires`` is in epoch ms."""

    hash: str
    revoked: bool
    expires: float | None


class Network(msgspec.Struct, frozen=True):
    """What ingest needs to know of a network."""

    id: str
    project_id: str
    alias_keys: tuple[str, ...]
    keys: Mapping[str, Key]
    rates: Rates
    # Whether its devices fetch the messages to them.
    polls: bool = False


class Token(msgspec.Struct, frozen=True):
    """A device's own token as stored."""

    project_id: str
    network_id: str
    device_id: str
    key: Key


class Sender(msgspec.Struct, frozen=True):
    """Who sends a request. ``device_id`` (the platform's) is empty for a network's key."""

    network: Network
    device_id: str


def _key(fields: Mapping[str, Any]) -> Key:
    expires = fields.get("expires")
    return Key(
        str(fields.get("hash", "")),
        bool(fields.get("revoked", False)),
        None if expires is None else float(expires),
    )


def _network(network_id: str, fields: Mapping[str, Any]) -> Network:
    limit = fields.get("rateLimit") or {}
    config = settings()
    return Network(
        network_id,
        str(fields["projectId"]),
        tuple(fields.get("aliasKeys") or ()),
        {key_id: _key(stored) for key_id, stored in (fields.get("keys") or {}).items()},
        Rates(
            float(limit.get("networkPerSecond", config.number("RATE_NETWORK_PER_SECOND", 5000))),
            float(limit.get("devicePerSecond", config.number("RATE_DEVICE_PER_SECOND", 100))),
        ),
        (fields.get("outbound") or {}).get("transport") == "poll",
    )


async def _read_networks(ids: list[str]) -> dict[str, Network]:
    found = await firestore.batch_get([names.network(network_id) for network_id in ids])
    return {d.id: _network(d.id, values.from_fields(d.fields)) for d in found.values()}


async def _read_tokens(ids: list[str]) -> dict[str, Token]:
    found = await firestore.batch_get([names.device_token(token_id) for token_id in ids])
    tokens: dict[str, Token] = {}
    for document in found.values():
        fields = values.from_fields(document.fields)
        tokens[document.id] = Token(
            str(fields["projectId"]), str(fields["networkId"]), str(fields["deviceId"]), _key(fields)
        )
    return tokens


async def _read_aliases(documents: list[str]) -> dict[str, tuple[str, str]]:
    found = await firestore.batch_get(documents, mask=["projectId", "deviceId"])
    aliases: dict[str, tuple[str, str]] = {}
    for name, document in found.items():
        fields = values.from_fields(document.fields)
        aliases[name] = (str(fields.get("projectId", "")), str(fields.get("deviceId", "")))
    return aliases


class Gate:
    """Says who a request's sender is and for whom it may speak."""

    def __init__(self) -> None:
        self._networks: Cache[Network] = Cache(_read_networks)
        self._tokens: Cache[Token] = Cache(_read_tokens)
        self._aliases: Cache[tuple[str, str]] = Cache(_read_aliases)

    async def admit(self, network_id: str, authorization: bytes | None) -> Sender:
        """The sender by the ``Authorization`` header; ApiError 401 or 403, Transient if the store fails."""
        credential = _presented(authorization)
        if credential.prefix == "ft":
            return await self._admit_device(network_id, credential)
        network = await self._networks.get(network_id)
        if network is None:
            raise _wrong()
        stored = network.keys.get(credential.id)
        if stored is None or not _valid(stored, credential):
            raise _wrong()
        return Sender(network, "")

    async def _admit_device(self, network_id: str, credential: keys.Credential) -> Sender:
        token = await self._tokens.get(credential.id)
        if token is None or not _valid(token.key, credential):
            raise _wrong()
        if token.network_id != network_id:
            raise ApiError(
                403,
                "auth.otherNetwork",
                "the token belongs to a device of another network",
                "post to the device's own network",
            )
        network = await self._networks.get(network_id)
        if network is None or network.project_id != token.project_id:
            raise _wrong()
        return Sender(network, token.device_id)

    async def check_devices(self, sender: Sender, devices: Iterable[tuple[str, str]]) -> None:
        """ApiError 403 unless a device's token speaks for nobody but its device.

        ``devices``: (alias key, device id) of every event.
        """
        if not sender.device_id:
            return
        wanted = {names.alias(sender.network.id, key, device): device for key, device in devices}
        found = await self._aliases.get_many(wanted)
        for name, device in wanted.items():
            if found[name] != (sender.network.project_id, sender.device_id):
                raise ApiError(
                    403,
                    "auth.otherDevice",
                    f"the token does not speak for {device!r}",
                    "send a device's own events with its own token; nothing of this request was taken",
                )

    async def device(self, sender: Sender, alias_key: str, outside: str) -> str:
        """The platform's id of the device that a sender names; ApiError 404, or 403 as above."""
        await self.check_devices(sender, [(alias_key, outside)])
        if sender.device_id:
            return sender.device_id
        found = await self._aliases.get(names.alias(sender.network.id, alias_key, outside))
        if found is None or found[0] != sender.network.project_id:
            raise ApiError(
                404,
                "device.unknown",
                f"the network knows no device {outside!r}",
                "check the name, and the alias key if the network has several",
            )
        return found[1]


def _presented(authorization: bytes | None) -> keys.Credential:
    if not authorization:
        raise ApiError(
            401, "auth.missing", "no key was sent", "send 'Authorization: Bearer <key of the network>'"
        )
    scheme, _, text = authorization.decode("latin-1").partition(" ")
    credential = keys.parse(text.strip()) if scheme.lower() == "bearer" else None
    if credential is None:
        raise _wrong()
    return credential


def _valid(stored: Key, presented: keys.Credential) -> bool:
    matches = presented.matches(stored.hash)
    expired = stored.expires is not None and clock.now_ms() >= stored.expires
    return matches and not stored.revoked and not expired


def _wrong() -> ApiError:
    # One answer for everything, so that nobody learns which networks or keys exist.
    return ApiError(
        401,
        "auth.wrongKey",
        "the key is not valid for this network",
        "check the network's id and that its key is neither revoked nor expired",
    )
