"""In-memory stand-ins for what transponder talks to, and the function behind its true entry."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import functions_framework.aio
import httpx

from shared import history, history_wire, names
from shared.clients import firestore, pubsub
from shared.clients import history as history_client
from shared.clients.firestore import Document, Written
from shared.clients.firestore_pb import messages
from shared.config import settings
from shared.values import from_value, to_value

MAIN = Path(__file__).resolve().parents[2] / "functions" / "transponder" / "main.py"
PROJECT = "farm"
T = 1_700_000_000_000


def event(event_id: str, device: str = "d1", **changes: Any) -> dict[str, Any]:
    """A message as message_processor sends it."""
    return {
        "type": "deviceDataEventMsg",
        "id": event_id,
        "hash": f"h-{event_id}",
        "time": T,
        "receivedTime": T + 5,
        "projectId": PROJECT,
        "deviceId": device,
        **changes,
    }


def sets(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Paths and values as writes."""
    return [{"path": path, "value": value} for path, value in values.items()]


def push(data: Any, message_id: str = "m1", hops: str = "2", **attributes: str) -> dict[str, Any]:
    """The body that Pub/Sub posts. ``data`` is JSON, or bytes as they are."""
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    return {
        "message": {
            "messageId": message_id,
            "data": base64.b64encode(content).decode(),
            "attributes": {"v": "1", "hops": hops, **attributes},
            "publishTime": "2026-01-01T00:00:00Z",
        },
        "subscription": "projects/x/subscriptions/writer-transponder",
        "deliveryAttempt": 1,
    }


def _timestamp(seconds: int) -> Any:
    """A Timestamp of the family that the client's messages are of."""
    made = messages().Precondition().update_time
    made.seconds = seconds
    return made


@dataclass
class Firestore:
    """Device documents as plain values. Rules as the real one's where transponder leans on them."""

    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    reads: list[list[str]] = field(default_factory=list)
    writes: list[list[str]] = field(default_factory=list)
    # Each is called with the writes of a call before it is carried out; it may raise or change documents.
    before_write: list[Callable[[Sequence[Any]], None]] = field(default_factory=list)
    read_errors: list[Exception] = field(default_factory=list)
    invalid: Callable[[Any], bool] = lambda write: False
    _clock: Any = field(default_factory=lambda: itertools.count(1))

    def put(self, device: str = "d1", **fields: Any) -> str:
        """Create or change a device as somebody else does."""
        name = names.device(PROJECT, device)
        self.documents.setdefault(name, {}).update(fields)
        self.times[name] = next(self._clock)
        return name

    def delete(self, device: str = "d1") -> None:
        """Delete a device."""
        del self.documents[names.device(PROJECT, device)]

    def device(self, device: str = "d1") -> dict[str, Any]:
        """A device's fields."""
        return self.documents[names.device(PROJECT, device)]

    async def batch_get(
        self, document_names: Iterable[str], mask: Sequence[str] | None = None
    ) -> dict[str, Document]:
        wanted = list(document_names)
        self.reads.append(wanted)
        if self.read_errors:
            raise self.read_errors.pop(0)
        await asyncio.sleep(0)
        return {
            name: Document(
                name,
                {
                    key: to_value(value)
                    for key, value in self.documents[name].items()
                    if mask is None or key in mask
                },
                _timestamp(self.times[name]),
            )
            for name in wanted
            if name in self.documents
        }

    async def batch_write_timed(self, writes: Sequence[Any]) -> list[Written]:
        self.writes.append([write.update.name for write in writes])
        if self.before_write:
            self.before_write.pop(0)(writes)
        await asyncio.sleep(0)
        assert len({write.update.name for write in writes}) == len(writes)
        if any(map(self.invalid, writes)):
            from shared.errors import Rejected

            raise Rejected("store.invalid", "BatchWrite: INVALID_ARGUMENT: one of them")
        return [self._apply(write) for write in writes]

    def _apply(self, write: Any) -> Written:
        name = write.update.name
        if name not in self.documents or write.current_document.update_time.seconds != self.times[name]:
            return Written(9, None)
        fields = {key: from_value(value) for key, value in write.update.fields.items()}
        for path in write.update_mask.field_paths:
            *parents, last = [part.strip("`") for part in path.split(".")]
            source, target = fields, self.documents[name]
            for key in parents:
                source = source.get(key, {})
                target = target.setdefault(key, {})
            if last in source:
                target[last] = source[last]
            else:
                target.pop(last, None)
        self.times[name] = next(self._clock)
        return Written(0, _timestamp(self.times[name]))


@dataclass
class History:
    """Rows as they were appended, decoded."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    calls: int = 0
    errors: list[Exception] = field(default_factory=list)
    poisoned: Callable[[dict[str, Any]], bool] = lambda row: False

    async def append(self, rows: Sequence[bytes], within: float = 20.0) -> dict[int, str]:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        await asyncio.sleep(0)
        message: Any = history_wire.row_class(history.schema())
        refused = {}
        for index, data in enumerate(rows):
            row: dict[str, Any] = {"cleared": []}
            for descriptor, value in message.FromString(data).ListFields():
                row[descriptor.name] = list(value) if descriptor.name in ("cleared", "written") else value
            row.setdefault("historical", False)
            if self.poisoned(row):
                refused[index] = "bad row"
            else:
                self.rows.append(row)
        return refused


@dataclass
class Topics:
    """What was published: (topic, data, attributes)."""

    published: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    async def publish(
        self, topic: str, messages: Sequence[tuple[bytes, Mapping[str, str]]], within: float = 10.0
    ) -> list[str]:
        if self.errors:
            raise self.errors.pop(0)
        self.published += [(topic, data, dict(attributes)) for data, attributes in messages]
        return [str(index) for index in range(len(messages))]

    def on(self, topic: str) -> list[tuple[Any, dict[str, str]]]:
        """Data (as JSON) and attributes of one topic."""
        return [(json.loads(data), attributes) for name, data, attributes in self.published if name == topic]


class Transponder:
    """The function with fakes behind it."""

    def __init__(self, monkeypatch: Any) -> None:
        self.firestore, self.history, self.topics = Firestore(), History(), Topics()
        monkeypatch.setattr(firestore, "batch_get", self.firestore.batch_get)
        monkeypatch.setattr(firestore, "batch_write_timed", self.firestore.batch_write_timed)
        monkeypatch.setattr(history_client, "append", self.history.append)
        monkeypatch.setattr(pubsub, "publish", self.topics.publish)
        settings.cache_clear()
        app = functions_framework.aio.create_asgi_app(target="transponder", source=str(MAIN))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t", timeout=30)

    async def push(self, data: Any, **more: str) -> int:
        """Deliver one message; returns the status of the answer."""
        return (await self.client.post("/", json=push(data, **more))).status_code
