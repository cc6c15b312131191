"""The service with a small project behind it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from functions.message_processor import process
from shared import names
from shared.config import settings
from tests.support.processing import Service

PROJECT, NETWORK = "farm", "farm-net"


@pytest.fixture(autouse=True)
def _environment() -> Any:
    settings.cache_clear()
    yield
    settings.cache_clear()


def add_device(service: Service, device: str, value: str = "", **fields: Any) -> None:
    """A device with an alias ``serial`` in the network, if ``value`` is given."""
    route = fields.pop("messageRoute", None)
    service.documents.stored[names.device(PROJECT, device)] = {
        "name": device,
        "blueprintId": "b1",
        "systemId": "s1",
        "networkId": NETWORK,
        **({} if route is None else {"messageRoute": route if isinstance(route, str) else json.dumps(route)}),
        **fields,
    }
    if value:
        service.documents.stored[names.alias(NETWORK, "serial", value)] = {
            "projectId": PROJECT,
            "deviceId": device,
            "networkId": NETWORK,
            "aliasKey": "serial",
            "value": value,
        }


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    process.instance.clear()
    made = Service("message_processor", monkeypatch, ["writer", "quarantine", "reason", "audit"])
    made.documents.stored[names.project(PROJECT)] = {"name": "Farm", "revision": 1}
    made.documents.stored[names.blueprint(PROJECT, "b1")] = {"name": "Tractor"}
    add_device(made, "d1", "t-1")
    add_device(made, "d2", "t-2")
    yield made
    await made.client.aclose()


def event(value: str = "t-1", **fields: Any) -> dict[str, Any]:
    """An inbound event; None leaves a field out."""
    message = {
        "type": "inboundDataEventMsg",
        "id": "e1",
        "hash": "h1",
        "time": 1_760_000_000_000,
        "receivedTime": 1_760_000_000_500,
        "projectId": PROJECT,
        "networkId": NETWORK,
        "aliasKey": "serial",
        "deviceId": value,
        "data": [{"path": "t", "value": 21.5}],
        **fields,
    }
    return {key: inner for key, inner in message.items() if inner is not None}
