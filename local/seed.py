"""Creates a project with networks, blueprints and devices in Firestore: for the demo, tests and first use."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.cloud import firestore

from fulcrum.core import ids
from shared import clock, keys

_BATCH = 400


@dataclass(frozen=True)
class SeedNetwork:
    """A network and the alias keys by which its devices are called; the first is the default."""

    id: str
    alias_keys: Sequence[str] = ("serial",)


@dataclass(frozen=True)
class SeedDevice:
    """A device with its outside name on one network. ``route`` is the route of its data events, if any."""

    id: str
    blueprint: str
    network: str
    value: str
    alias_key: str = "serial"
    route: Any = None
    forward_to: Sequence[str] = ()


@dataclass(frozen=True)
class SeedProject:
    """All of a project. ``blueprints`` maps an id to the route of its data events (None: the default)."""

    id: str
    networks: Sequence[SeedNetwork]
    blueprints: Mapping[str, Any]
    devices: Sequence[SeedDevice] = field(default_factory=tuple)
    system: str = "main"


def create(client: firestore.Client, project: SeedProject) -> dict[str, str]:
    """Write the project; returns the new key of each network, to be shown once."""
    credentials = {network.id: keys.make("fk") for network in project.networks}
    documents = list(_documents(project, credentials))
    for start in range(0, len(documents), _BATCH):
        batch = client.batch()
        for path, fields in documents[start : start + _BATCH]:
            batch.set(client.document(path), fields)
        batch.commit()
    return {network: credential.text for network, credential in credentials.items()}


def create_token(client: firestore.Client, project_id: str, network_id: str, device_id: str) -> str:
    """Make a token with which one device may speak for itself; returns its text, to be shown once."""
    token = keys.make("ft")
    client.document(f"deviceTokens/{token.id}").set(
        {
            "projectId": project_id,
            "networkId": network_id,
            "deviceId": device_id,
            "hash": token.hash,
            "created": clock.now_ms(),
        }
    )
    return token.text


def _documents(
    project: SeedProject, credentials: Mapping[str, keys.Credential]
) -> Iterator[tuple[str, dict[str, Any]]]:
    now = clock.now_ms()
    yield f"projects/{project.id}", {"name": project.id, "revision": 1, "created": now}
    for network in project.networks:
        credential = credentials[network.id]
        yield (
            f"networks/{network.id}",
            {
                "projectId": project.id,
                "name": network.id,
                "aliasKeys": list(network.alias_keys),
                "keys": {credential.id: {"hash": credential.hash, "created": now}},
                "created": now,
            },
        )
    for blueprint, route in project.blueprints.items():
        fields = {"name": blueprint, "alias": blueprint, **_route(route), "created": now}
        yield f"projects/{project.id}/blueprints/{blueprint}", fields
    yield from _device_documents(project, now)


def _device_documents(project: SeedProject, now: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for device in project.devices:
        yield (
            f"projects/{project.id}/devices/{device.id}",
            {
                "name": device.id,
                "blueprintId": device.blueprint,
                "systemId": project.system,
                "networkId": device.network,
                "networkAliases": {device.network: {device.alias_key: device.value}},
                "simulated": False,
                "created": now,
                "lastModified": now,
                **({"forwardTo": list(device.forward_to)} if device.forward_to else {}),
                **_route(device.route),
            },
        )
        yield (
            f"aliases/{ids.alias_id(device.network, device.alias_key, device.value)}",
            {
                "projectId": project.id,
                "deviceId": device.id,
                "networkId": device.network,
                "aliasKey": device.alias_key,
                "value": device.value,
            },
        )


def _route(route: Any) -> dict[str, str]:
    # JSON text, because Firestore holds no array directly in an array.
    return {"messageRoute": json.dumps({"deviceDataEventMsg": route})} if route is not None else {}


def devices_of(blueprints: Iterable[str], network: str, count: int) -> Iterator[SeedDevice]:
    """``count`` plain devices, spread over the blueprints, called ``d00000``... on one network."""
    names = list(blueprints)
    for number in range(count):
        yield SeedDevice(f"d{number:05d}", names[number % len(names)], network, f"v{number:05d}")
