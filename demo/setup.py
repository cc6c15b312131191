"""The demo's project, made through the API: two blueprints with attributes, two networks, fifty devices."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from demo.fleet import DemoDevice
from fulcrum import Client
from fulcrum.client import types

PROJECT = "demo"
SYSTEM = "field"
NETWORKS = {"warehouse-gateways": "serial", "truck-modems": "imei"}
BLUEPRINTS = {"coldRoom": "Cold room", "truck": "Truck"}
# Blueprint → path → (type, unit).
ATTRIBUTES: dict[str, dict[str, tuple[str, str | None]]] = {
    "coldRoom": {"temperature": ("temperature", "degC"), "humidity": ("percent", None)},
    "truck": {"engine/temperature": ("temperature", "degC"), "position": ("geoPoint", None)},
}
_AT_ONCE = 8


@dataclass(frozen=True)
class Built:
    """What was made: the networks' keys, the blueprints' ids, and the fleet under the platform's own ids."""

    keys: dict[str, str]
    blueprints: dict[str, str]
    fleet: list[DemoDevice]


def administrator(url: str, setup_token: str) -> str:
    """A token of the platform's first administrator, who is made here."""
    password = secrets.token_urlsafe(24)
    with Client(url) as client:
        client.session.setup_create({"token": setup_token, "username": "demo-admin", "password": password})
        return client.session.create({"username": "demo-admin", "password": password})["idToken"]


def build(client: Client, fleet: Sequence[DemoDevice]) -> Built:
    """Make the project with all that is in it."""
    client.project.create({"id": PROJECT, "name": "Demo"})
    system = client.system.create(PROJECT, {"name": "Field", "alias": SYSTEM})["id"]
    keys = {}
    for network, alias_key in NETWORKS.items():
        client.network.create(PROJECT, {"id": network, "name": network, "aliasKeys": [alias_key]})
        keys[network] = client.network_key.create(network, {"name": "demo"})["text"]
    blueprints = {alias: _blueprint(client, alias, name) for alias, name in BLUEPRINTS.items()}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        made = list(pool.map(lambda device: _device(client, system, blueprints, device), fleet))
    return Built(keys, blueprints, made)


def _blueprint(client: Client, alias: str, name: str) -> str:
    made = client.blueprint.create(PROJECT, {"name": name, "alias": alias, "checkMode": "warn"})["id"]
    for path, (kind, unit) in ATTRIBUTES[alias].items():
        attribute: types.AttributeCreate = {"name": path, "path": path, "type": kind}
        if unit:
            attribute["unit"] = unit
        client.attribute.create(made, attribute)
    return made


def _device(client: Client, system: str, blueprints: dict[str, str], device: DemoDevice) -> DemoDevice:
    made = client.device.create(
        system,
        {
            "name": device.id,
            "blueprintId": blueprints[device.blueprint],
            "networkId": device.network,
            "networkAliases": {device.network: {device.alias_key: device.value}},
        },
    )
    return dataclasses.replace(device, id=made["id"])
