"""In-memory stand-ins for what ingest talks to, and the function behind its true entry."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import functions_framework.aio
import httpx

from functions.ingest import receive
from shared import keys, names, values
from shared.clients import firestore, pubsub
from shared.config import settings
from shared.errors import FulcrumError

MAIN = Path(__file__).resolve().parents[2] / "functions" / "ingest" / "main.py"
NETWORK = "farm-net"
PROJECT = "farm"
KEY = keys.make("fk")
SECOND_KEY = keys.make("fk")
TOKEN = keys.make("ft")


@dataclass
class Store:
    """Documents by full name, as plain values; counts reads and fails when told to."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    reads: list[list[str]] = field(default_factory=list)
    error: FulcrumError | None = None
    gate: asyncio.Event | None = None

    async def batch_get(
        self, document_names: Iterable[str], mask: Sequence[str] | None = None
    ) -> dict[str, Any]:
        wanted = list(document_names)
        self.reads.append(wanted)
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        found = {}
        for name in wanted:
            if name in self.documents:
                fields = {k: values.to_value(v) for k, v in self.documents[name].items()}
                found[name] = firestore.Document(name, fields, None)
        return found


@dataclass
class Topic:
    """What was published; fails or waits when told to."""

    calls: list[list[tuple[bytes, Mapping[str, str]]]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    gate: asyncio.Event | None = None
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(
        self, topic: str, messages: Sequence[tuple[bytes, Mapping[str, str]]], within: float = 10.0
    ) -> list[str]:
        assert topic == "default-processor"
        self.calls.append(list(messages))
        self.called.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        return [f"m{len(self.calls)}-{index}" for index in range(len(messages))]

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events published, in order."""
        return [event for call in self.calls for data, _ in call for event in json.loads(data)]


def documents() -> dict[str, dict[str, Any]]:
    """A network with two valid keys, an expired and a revoked one, and a device with a token."""
    return {
        names.network(NETWORK): {
            "projectId": PROJECT,
            "name": "Farm",
            "aliasKeys": ["serial", "imei"],
            "keys": {
                KEY.id: {"hash": KEY.hash, "created": 1},
                SECOND_KEY.id: {"hash": SECOND_KEY.hash, "created": 2},
            },
        },
        names.device_token(TOKEN.id): {
            "projectId": PROJECT,
            "networkId": NETWORK,
            "deviceId": "d1",
            "hash": TOKEN.hash,
            "created": 1,
        },
        names.alias(NETWORK, "serial", "t-1"): {"projectId": PROJECT, "deviceId": "d1"},
        names.alias(NETWORK, "serial", "t-2"): {"projectId": PROJECT, "deviceId": "d2"},
    }


class Ingest:
    """The function with fakes behind it. Use as ``async with``."""

    def __init__(self, monkeypatch: Any) -> None:
        self.store = Store(documents())
        self.topic = Topic()
        monkeypatch.setattr(firestore, "batch_get", self.store.batch_get)
        monkeypatch.setattr(pubsub, "publish", self.topic.publish)
        receive.parts.cache_clear()
        settings.cache_clear()
        app = functions_framework.aio.create_asgi_app(target="ingest", source=str(MAIN))
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://ingest", timeout=30
        )

    @property
    def network(self) -> dict[str, Any]:
        """The network's document."""
        return self.store.documents[names.network(NETWORK)]

    async def post(
        self,
        body: Any,
        *,
        key: keys.Credential | str | None = KEY,
        network: str = NETWORK,
        headers: Mapping[str, str] = {},
    ) -> httpx.Response:
        """Post JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = dict(headers)
        if key is not None:
            sent["Authorization"] = f"Bearer {key if isinstance(key, str) else key.text}"
        return await self.client.post(f"/rcv/{network}", content=content, headers=sent)


def event(device: str = "t-1", **fields: Any) -> dict[str, Any]:
    """A small valid event."""
    return {"deviceId": device, "data": {"temperature": 21.5}, **fields}
