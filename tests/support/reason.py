"""In-memory stand-ins for what reason talks to, a script's function among them, behind its true entry."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import functions_framework.aio
import httpx
import msgspec

from fulcrum.script import loading, running, wire
from shared import history_wire, names, script_documents, script_runs
from shared.clients import firestore, pubsub, script_calls
from shared.clients import history as history_client
from shared.clients.firestore import Document
from shared.clients.firestore_pb import messages
from shared.config import settings
from shared.errors import Transient
from shared.values import from_value, to_value
from tests.support.processing import Topics, push

MAIN = Path(__file__).resolve().parents[2] / "functions" / "reason" / "main.py"
PROJECT = "farm"
T = 1_790_000_000_000
TOPICS = (
    "writer",
    "default-processor",
    "email",
    "messenger",
    "scheduler",
    "outbound",
    "reason",
    "quarantine",
    "audit",
)


def event(event_id: str, device: str = "d1", **changes: Any) -> dict[str, Any]:
    """A message as message_processor sends it; ``values``: paths and values of its data."""
    values: Mapping[str, Any] = changes.pop("values", {"t": 1})
    return {
        "type": "deviceDataEventMsg",
        "id": event_id,
        "hash": f"h-{event_id}",
        "time": T,
        "receivedTime": T + 5,
        "projectId": PROJECT,
        "deviceId": device,
        "systemId": "s1",
        "blueprintId": "b1",
        "networkId": "n1",
        "data": [{"path": path, "value": value} for path, value in values.items()],
        **changes,
    }


def routed(
    message: Any, script: str = "alarm", route: Any = None, entry: str | None = None, **params: Any
) -> dict[str, Any]:
    """A message or batch on its way to a script, with the rest of its route."""
    reasoner = {"id": script, **params, **({"targetFunction": entry} if entry else {})}
    wrapped: dict[str, Any] = {"type": "routeMsg", "message": message, "options": {"reasoner": reasoner}}
    return wrapped | ({"route": route} if route is not None else {})


class Code:
    """A version of a script: its text, loaded as a script's function loads it."""

    def __init__(self, folder: Path, text: str, version: int = 1) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "main.py").write_text(text)
        self._code = loading.load(folder, version)
        self._runner = running.Runner(self._code)
        self.version = version

    @property
    def entries(self) -> list[wire.Entry]:
        """Its entry points."""
        return list(self._code.entries.values())

    def answer(self, body: bytes) -> bytes:
        """What its function answers."""
        if json.loads(body).get("describe"):
            described = wire.Description(script_version=self.version, entries=self.entries)
            return msgspec.json.encode(described)
        return msgspec.json.encode(self._runner.run(msgspec.json.decode(body, type=wire.Call)))


@dataclass
class ScriptFunctions:
    """Scripts' functions by URL. Failures are raised instead of an answer, the first first."""

    codes: dict[str, Code] = field(default_factory=dict)
    calls: list[wire.Call] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    # Called before each answer, with the call; may change anything.
    before: list[Callable[[wire.Call], None]] = field(default_factory=list)

    async def call(self, url: str, body: bytes, within: float) -> bytes:
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        if not json.loads(body).get("describe"):
            call = msgspec.json.decode(body, type=wire.Call)
            self.calls.append(call)
            for hook in list(self.before):
                hook(call)
        if url not in self.codes:
            raise script_calls.Gone(f"{url}: 404")
        return self.codes[url].answer(body)


def _timestamp(seconds: int) -> Any:
    made = messages().Precondition().update_time
    made.seconds = seconds
    return made


@dataclass
class Documents:
    """Documents by full name as plain values, with update times; commits hold all or not at all."""

    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    reads: list[list[str]] = field(default_factory=list)
    commits: list[list[str]] = field(default_factory=list)
    # How many texts each count asked for.
    counts: list[int] = field(default_factory=list)
    # Each is called at the next commit, before it: it may raise, or change documents as somebody else does.
    before_commit: list[Callable[[], None]] = field(default_factory=list)
    # The same once it is written: its answer is lost if it raises.
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    read_errors: list[Exception] = field(default_factory=list)
    _clock: Any = field(default_factory=lambda: itertools.count(1))

    def put(self, document: str, /, **fields: Any) -> None:
        """Write a document, merged."""
        self.stored.setdefault(document, {}).update(fields)
        self.times[document] = next(self._clock)

    def below(self, collection: str) -> dict[str, dict[str, Any]]:
        """A collection of the project, by id."""
        prefix = names.document("projects", PROJECT, collection) + "/"
        return {name[len(prefix) :]: found for name, found in self.stored.items() if name.startswith(prefix)}

    async def batch_get(
        self, document_names: Iterable[str], mask: Sequence[str] | None = None
    ) -> dict[str, Document]:
        wanted = list(document_names)
        self.reads.append(wanted)
        await asyncio.sleep(0)
        if self.read_errors:
            raise self.read_errors.pop(0)
        return {
            name: Document(
                name,
                {
                    key: to_value(value)
                    for key, value in self.stored[name].items()
                    if mask is None or key in mask
                },
                _timestamp(self.times[name]),
            )
            for name in wanted
            if name in self.stored
        }

    async def run_query(self, parent: str, query: Any) -> list[Document]:
        names_ = [each.reference_value for each in query.where.field_filter.value.array_value.values]
        assert 0 < len(names_) <= 30
        return list((await self.batch_get(names_)).values())

    async def count(self, parent: str, query: Any, limit: int | None = None) -> int:
        condition = query.where.field_filter
        among = {each.string_value for each in condition.value.array_value.values}
        assert 0 < len(among) <= 30
        self.counts.append(len(among))
        await asyncio.sleep(0)
        if self.read_errors:
            raise self.read_errors.pop(0)
        below = f"{parent}/{query.from_[0].collection_id}/"
        return sum(
            name.startswith(below) and found.get(condition.field.field_path) in among
            for name, found in self.stored.items()
        )

    async def commit(self, writes: Sequence[Any]) -> list[Any]:
        await asyncio.sleep(0)
        if self.before_commit:
            self.before_commit.pop(0)()
        self.commits.append([write.update.name for write in writes])
        for write in writes:
            name, condition = write.update.name, write.current_document
            kind = condition.WhichOneof("condition_type")
            exists = name in self.stored
            if (kind == "exists" and condition.exists != exists) or (
                kind == "update_time" and (not exists or condition.update_time.seconds != self.times[name])
            ):
                raise firestore.PreconditionFailed("store.precondition", name)
        for write in writes:
            fields = {key: from_value(value) for key, value in write.update.fields.items()}
            if not write.HasField("update_mask"):
                self.stored.pop(write.update.name, None)
            self.put(write.update.name, **fields)
        if self.after_commit:
            self.after_commit.pop(0)()
        return [_timestamp(self.times[write.update.name]) for write in writes]


@dataclass
class Runs:
    """Rows of ``script_runs`` as they were appended, decoded."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)

    async def append(self, rows: Sequence[bytes], within: float = 20.0) -> dict[int, str]:
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        message: Any = history_wire.row_class(script_runs.schema())
        for data in rows:
            fields = message.FromString(data).ListFields()
            self.rows.append({descriptor.name: value for descriptor, value in fields})
        return self.refused


class Reason:
    """The function with fakes behind it."""

    def __init__(self, monkeypatch: Any, folder: Path, custom: str = "audit") -> None:
        self.patch = monkeypatch
        self._folders = (folder / str(number) for number in itertools.count())
        self.documents, self.runs, self.functions = Documents(), Runs(), ScriptFunctions()
        self.topics = Topics(set(TOPICS))
        monkeypatch.setattr(firestore, "batch_get", self.documents.batch_get)
        monkeypatch.setattr(firestore, "run_query", self.documents.run_query)
        monkeypatch.setattr(firestore, "count", self.documents.count)
        monkeypatch.setattr(firestore, "commit", self.documents.commit)
        monkeypatch.setattr(history_client, "append_runs", self.runs.append)
        monkeypatch.setattr(pubsub, "publish", self.topics.publish)
        monkeypatch.setattr(script_calls, "call", self.functions.call)
        monkeypatch.setenv("FULCRUM_CUSTOM_TOPICS", custom)
        settings.cache_clear()
        app = functions_framework.aio.create_asgi_app(target="reason", source=str(MAIN))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t", timeout=60)
        self.device("d1")

    def device(self, device_id: str, **fields: Any) -> None:
        """Make a device, or change it."""
        known = {"name": device_id, "systemId": "s1", "blueprintId": "b1", "networkId": "n1"}
        self.documents.put(names.device(PROJECT, device_id), **{**known, **fields})

    def deploy(self, text: str, version: int = 1, script: str = "alarm", *, told: bool = True) -> None:
        """Serve a version; ``told``: the script's state says so too."""
        code = Code(next(self._folders), text, version)
        url = f"http://{script}"
        self.functions.codes[url] = code
        if told:
            entries = msgspec.json.encode(code.entries).decode()
            name = script_documents.state(PROJECT, script)
            self.documents.put(name, state="deployed", version=version, url=url, entries=entries)

    def state(self, script: str = "alarm") -> dict[str, Any]:
        """A script's state."""
        return self.documents.stored[script_documents.state(PROJECT, script)]

    async def push(self, data: Any, hops: int = 2, message_id: str = "m1", project: str = PROJECT) -> int:
        """Deliver one message; returns the status of the answer."""
        attributes = {"v": "1", "hops": str(hops), "projectId": project}
        return (await self.client.post("/", content=push(data, attributes, message_id))).status_code

    async def push_until_done(self, data: Any, **more: Any) -> int:
        """Deliver as Pub/Sub does, again and again until it is acknowledged; returns how often."""
        for times in range(1, 200):
            if await self.push(data, **more) == 204:
                return times
        raise AssertionError("never acknowledged")

    def quarantined(self) -> list[tuple[Any, dict[str, str]]]:
        """What was set aside: data and attributes."""
        return self.topics.to("quarantine")


def lost() -> None:
    """Raise what a lost answer raises."""
    raise Transient("the answer is lost")
