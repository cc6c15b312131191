"""Sending in this process, on embedded Firestore and Cloud Tasks, with a provider that does as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.cloud.tasks_v2 import CloudTasksClient
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from shared import clock, outbox, sending, values
from shared.clients import firestore, pubsub, tasks
from shared.config import settings
from shared.sending import Message, Outcome, Provider, SendMsg, Service
from tests.support.emulators import Address, embedded
from tests.support.processing import Topics

CLOUD_PROJECT = "fulcrum-local"
_LOCATION = f"projects/{CLOUD_PROJECT}/locations/europe-west1"
# Nobody listens there: tests take tasks out of the queue themselves.
_NOWHERE = "http://127.0.0.1:9/"


def again(message: Message, new_id: str) -> bytes:
    """What asks for a message once more."""
    return json.dumps({"type": "smsMsg", "id": new_id, "message": message.fields["message"]}).encode()


SERVICE = Service("messenger", "messenger", "text messages", "sms", again)


@dataclass
class Told:
    """A provider: it has a list of what came, and does what is told, in turn; otherwise it takes all."""

    came: list[Message] = field(default_factory=list)
    told: list[BaseException] = field(default_factory=list)
    before: list[BaseException] = field(default_factory=list)
    # It waits for it, if it is there.
    gate: asyncio.Event | None = None
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: Message) -> str:
        """Take a message, or fail as told."""
        self.came.append(message)
        self.entered.set()
        number = len(self.came)
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0)
        if self.told:
            raise self.told.pop(0)
        return f"SM{number}"

    async def ask(self, message: Message) -> None:
        """What comes before: fail as told."""
        if self.before:
            raise self.before.pop(0)

    @property
    def provider(self) -> Provider:
        """It, as the services take it."""
        return Provider(self.send, self.ask)


@dataclass(frozen=True)
class Emulators:
    """What is behind: started once for many tests."""

    firestore: Address
    tasks: Address
    clock_file: Path


@dataclass
class Sending:
    """One test's view of it."""

    emulators: Emulators
    topics: Topics
    queue: Any
    project: str
    queue_name: str = "sms"

    def entry(self, message_id: str, text: str = "Hello", **fields: Any) -> outbox.Entry:
        """A message that is to be sent."""
        return outbox.Entry(self.project, message_id, "sms", {"message": text, **fields}, "effect-1", "m-1")

    async def deliver(self, told: Told, message_id: str = "a", **fields: Any) -> Outcome:
        """A delivery of a message."""
        return await sending.deliver(self.entry(message_id, **fields), SERVICE, told.provider)

    async def resume(self, told: Told, task: SendMsg) -> Outcome:
        """A task comes."""
        return await sending.resume(task, SERVICE, told.provider)

    async def stored(self, message_id: str = "a") -> dict[str, Any]:
        """A message's document."""
        name = outbox.name(self.project, message_id)
        return values.from_fields((await firestore.batch_get([name]))[name].fields)

    @property
    def queue_path(self) -> str:
        """The full name of the queue."""
        return f"{_LOCATION}/queues/{self.queue_name}"

    def tasks(self) -> list[tuple[SendMsg, float]]:
        """Tasks of this project's messages: what they say, and in how many seconds they are due."""
        request = {"parent": self.queue_path, "response_view": 2}
        found = []
        for task in self.queue.list_tasks(request=request):
            body = json.loads(task.http_request.body)
            if body["projectId"] == self.project:
                message = SendMsg(body["projectId"], body["id"], body["attempt"])
                found.append((message, task.schedule_time.timestamp() - clock.now_ms() / 1000))
        return found

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        clock.advance(self.emulators.clock_file, seconds)

    def faults(self, address: Address, *rules: dict[str, Any]) -> None:
        """Replace the fault rules of an emulator; none without rules."""
        httpx.post(f"{address.http}/faults", json={"rules": list(rules), "seed": 7}).raise_for_status()


@contextmanager
def emulators(folder: Path) -> Iterator[Emulators]:
    """Run the emulators, on one clock that a test moves."""
    clock_file = folder / "clock"
    clock.create(clock_file)
    env = {"FULCRUM_CLOCK_FILE": str(clock_file)}
    with ExitStack() as stack:
        store = stack.enter_context(embedded("firestore", env=env))
        queue = stack.enter_context(embedded("tasks", env=env))
        yield Emulators(store, queue, clock_file)


@contextmanager
def sending_on(
    found: Emulators, project: str, monkeypatch: pytest.MonkeyPatch, queue: str = "sms"
) -> Iterator[Sending]:
    """The clients of this process, on the emulators."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", found.firestore.grpc)
    monkeypatch.setenv("FULCRUM_TASKS_ENDPOINT", found.tasks.grpc)
    monkeypatch.setenv("FULCRUM_TASKS_TARGET", _NOWHERE)
    monkeypatch.setenv("FULCRUM_CLOCK_FILE", str(found.clock_file))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", CLOUD_PROJECT)
    settings.cache_clear()
    topics = Topics({"quarantine"})
    monkeypatch.setattr(pubsub, "publish", topics.publish)
    with grpc.insecure_channel(found.tasks.grpc) as channel:
        client = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        client.update_queue(request={"queue": {"name": f"{_LOCATION}/queues/{queue}"}})
        made = Sending(found, topics, client, project, queue)
        yield made
        for address in (found.firestore, found.tasks):
            made.faults(address)
    settings.cache_clear()


async def close() -> None:
    """Close the clients of the running loop."""
    await firestore.close()
    await tasks.close()
