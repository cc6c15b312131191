"""In-memory Firestore and Pub/Sub for services behind a push, and such a service behind its true entry."""

from __future__ import annotations

import asyncio
import base64
import json
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import functions_framework.aio
import httpx

from shared import values
from shared.clients import firestore, pubsub
from shared.clients.firestore import Document
from shared.errors import FulcrumError, Rejected

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Documents:
    """Documents by full name, as plain values; counts calls and fails when told to."""

    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    reads: list[list[str]] = field(default_factory=list)
    writes: list[list[str]] = field(default_factory=list)
    read_errors: list[FulcrumError] = field(default_factory=list)
    write_errors: list[FulcrumError] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)

    async def batch_get(
        self, document_names: Iterable[str], mask: Sequence[str] | None = None
    ) -> dict[str, Any]:
        wanted = list(document_names)
        if not wanted:
            return {}
        self.reads.append(wanted)
        await asyncio.sleep(0)
        if self.read_errors:
            raise self.read_errors.pop(0)
        found = {}
        for name in wanted:
            if name in self.stored:
                fields = {
                    key: values.to_value(value)
                    for key, value in self.stored[name].items()
                    if mask is None or key in mask
                }
                found[name] = Document(name, fields, None)
        return found

    async def batch_write(self, writes: Sequence[Any]) -> list[int]:
        names = [write.update.name for write in writes]
        self.writes.append(names)
        if self.write_errors:
            raise self.write_errors.pop(0)
        if len(set(names)) < len(names):
            raise Rejected("store.invalid", "a document twice")
        codes = []
        for write in writes:
            code = self.codes.pop(0) if self.codes else 0
            codes.append(code)
            if not code:
                self._apply(write)
        return codes

    async def run_query(self, parent: str, query: Any) -> list[Document]:
        prefix = f"{parent}/{query.from_[0].collection_id}/"
        return [
            Document(name, {key: values.to_value(value) for key, value in fields.items()}, None)
            for name, fields in sorted(self.stored.items())
            if name.startswith(prefix) and "/" not in name[len(prefix) :]
        ]

    def _apply(self, write: Any) -> None:
        if write.delete:
            self.stored.pop(write.delete, None)
            return
        present = self.stored.setdefault(write.update.name, {})
        if not write.HasField("update_mask"):
            present.clear()
        present.update(values.from_fields(write.update.fields))
        for transform in write.update_transforms:
            kind = transform.WhichOneof("transform_type")
            number = values.from_value(getattr(transform, kind))
            before = present.get(transform.field_path, 0 if kind == "increment" else number)
            change: Any = {"increment": operator.add, "minimum": min, "maximum": max}[kind]
            present[transform.field_path] = change(before, number)


@dataclass
class Topics:
    """What was published, by topic; a topic that is not known is refused."""

    known: set[str]
    published: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    errors: dict[str, list[FulcrumError]] = field(default_factory=dict)

    async def publish(
        self, topic: str, messages: Sequence[tuple[bytes, Mapping[str, str]]], within: float = 10.0
    ) -> list[str]:
        self.calls.append(topic)
        if topic not in self.known:
            raise Rejected("topic.unknown", f"there is no topic {topic}")
        if self.errors.get(topic):
            raise self.errors[topic].pop(0)
        for data, attributes in messages:
            assert all(len(value.encode()) <= 1024 for value in attributes.values())
            self.published.append((topic, data, dict(attributes)))
        last = len(self.published)
        return [self.id_of(place) for place in range(last - len(messages), last)]

    @staticmethod
    def id_of(place: int) -> str:
        """The id of a message, by its place in ``published``."""
        return f"published-{place}"

    def to(self, topic: str) -> list[tuple[Any, dict[str, str]]]:
        """The messages to a topic, decoded, with their attributes."""
        return [(json.loads(data), attributes) for name, data, attributes in self.published if name == topic]

    def events(self, topic: str) -> list[dict[str, Any]]:
        """All messages to a topic, out of their batches and wrappers."""
        found: list[dict[str, Any]] = []
        for data, _ in self.to(topic):
            body = data["message"] if isinstance(data, dict) and data["type"] == "routeMsg" else data
            found += body if isinstance(body, list) else [body]
        return found


def push(
    data: Any,
    attributes: Mapping[str, str] | None = None,
    message_id: str = "m1",
    subscription: str = "projects/p/subscriptions/s",
    attempt: int = 1,
) -> bytes:
    """The body of a push; ``data`` is JSON, or bytes as they are."""
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    message = {
        "data": base64.b64encode(raw).decode(),
        "attributes": dict(attributes or {}),
        "messageId": message_id,
        "publishTime": "2026-11-24T10:00:00.000Z",
    }
    return json.dumps({"message": message, "subscription": subscription, "deliveryAttempt": attempt}).encode()


class Service:
    """A function behind a push, with fakes of its stores and topics."""

    def __init__(self, name: str, monkeypatch: Any, topics: Iterable[str]) -> None:
        self.documents = Documents()
        self.topics = Topics(set(topics))
        monkeypatch.setattr(firestore, "batch_get", self.documents.batch_get)
        monkeypatch.setattr(firestore, "batch_write", self.documents.batch_write)
        monkeypatch.setattr(firestore, "run_query", self.documents.run_query)
        monkeypatch.setattr(pubsub, "publish", self.topics.publish)
        source = str(ROOT / "functions" / name / "main.py")
        app = functions_framework.aio.create_asgi_app(target=name, source=source)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")

    async def post(self, body: bytes) -> int:
        """Post a push; returns the status."""
        return (await self.client.post("/", content=body)).status_code
