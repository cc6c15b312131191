"""The messenger and the API as processes, on the stand-ins of all that they talk to, on one clock."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
from google.cloud.tasks_v2 import CloudTasksClient
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from emulators.twilio.app import ACCOUNT
from local.processes import ROOT, Child, python, spawn
from shared import clock
from tests.support.api import SIGNING_KEY
from tests.support.emulators import Address, embedded
from tests.support.processing import push
from tests.support.push_stack import CLOUD_PROJECT, _documents, _free_port, _listens, eventually

TOKEN = "the-token-of-an-account-for-tests"
FROM, TO = "+15005550006", "+4791234567"
_PREFIX = f"projects/{CLOUD_PROJECT}"
_LOCATION = f"{_PREFIX}/locations/europe-west1"


@dataclass
class Function:
    """One function's process."""

    name: str
    port: int
    environment: dict[str, str]
    log: Path
    child: Child | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = python("-m", "functions_framework", "--source", f"functions/{self.name}/main.py")
        command += ["--target", self.name, "--port", str(self.port)]
        env = {**self.environment, "PYTHONPATH": str(ROOT), "HOST": "127.0.0.1", "K_SERVICE": self.name}
        with self.log.open("ab") as stream:
            self.child = spawn(self.name, command, env, stream, stream)
        eventually(lambda: _listens(self.port), 60)

    def kill(self) -> None:
        """SIGKILL."""
        if self.child is not None:
            self.child.kill()


@dataclass
class Messaging:
    """What a test sees of it."""

    addresses: Mapping[str, Address]
    messenger: Function
    api: Function
    clock_file: Path
    documents: Any
    subscriber: Any

    async def push(self, *messages: Any, project: str, message_id: str = "m1") -> int:
        """A push to the messenger; its status."""
        body = push(list(messages), {"projectId": project}, message_id)
        async with httpx.AsyncClient(timeout=60) as client:
            return (await client.post(self.messenger.url, content=body)).status_code

    async def push_at_once(self, bodies: list[bytes]) -> list[int]:
        """Pushes that come together; their statuses."""
        async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=None)) as client:
            answers = await asyncio.gather(
                *(client.post(self.messenger.url, content=body) for body in bodies)
            )
        return [answer.status_code for answer in answers]

    def stored(self, project: str) -> list[dict[str, Any]]:
        """The documents of a project's messages."""
        found = self.documents.collection(f"projects/{project}/outbox").stream()
        return [document.to_dict() for document in found]

    def states(self, project: str) -> list[str]:
        """The states of a project's messages, sorted."""
        return sorted(str(fields["state"]) for fields in self.stored(project))

    def taken(self, **wanted: str) -> list[dict[str, Any]]:
        """What Twilio's stand-in has taken, of which these fields are so."""
        found = httpx.get(f"{self.addresses['twilio'].http}/outbox").json()["messages"]
        return [each for each in found if all(each[key] == value for key, value in wanted.items())]

    def faults(self, kind: str, *rules: dict[str, Any]) -> None:
        """Replace the fault rules of an emulator; none without rules."""
        body = {"rules": list(rules), "seed": 7}
        httpx.post(f"{self.addresses[kind].http}/faults", json=body).raise_for_status()

    def post(self, path: str, body: Any) -> None:
        """A control route of Twilio's stand-in."""
        httpx.post(self.addresses["twilio"].http + path, json=body).raise_for_status()

    def advance(self, seconds: float) -> None:
        """Move the clock of all processes."""
        clock.advance(self.clock_file, seconds)

    def quarantined(self, project: str) -> list[tuple[str, Any]]:
        """What was set aside of a project since the last look: why, and what."""
        name = f"{_PREFIX}/subscriptions/look-quarantine"
        found: list[tuple[str, Any]] = []
        while True:
            request = types.PullRequest(subscription=name, max_messages=500, return_immediately=True)
            answer = self.subscriber.transport.pull(request)
            if not answer.received_messages:
                return found
            for received in answer.received_messages:
                attributes = dict(received.message.attributes)
                if attributes.get("projectId") == project:
                    found.append((attributes["errorType"], json.loads(received.message.data)))
            ids = [received.ack_id for received in answer.received_messages]
            self.subscriber.acknowledge(subscription=name, ack_ids=ids)

    def log(self) -> str:
        """What the messenger and the API have said."""
        return self.messenger.log.read_text() + self.api.log.read_text()


@contextmanager
def messaging(folder: Path) -> Iterator[Messaging]:
    """Run it all."""
    clock_file = folder / "clock"
    clock.create(clock_file)
    env = {"FULCRUM_CLOCK_FILE": str(clock_file), "FULCRUM_TWILIO_AUTH_TOKEN": TOKEN}
    with contextlib.ExitStack() as stack:
        addresses = {
            "pubsub": stack.enter_context(embedded("pubsub", env=env)),
            "firestore": stack.enter_context(
                embedded("firestore", "--strict", "--indexes", str(ROOT / "firestore.indexes.json"), env=env)
            ),
            "tasks": stack.enter_context(embedded("tasks", env=env)),
            "twilio": stack.enter_context(embedded("twilio", env=env)),
        }
        documents = _documents(addresses["firestore"].grpc)
        stack.callback(documents.close)
        channel = stack.enter_context(grpc.insecure_channel(addresses["pubsub"].grpc))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        publisher.create_topic(name=f"{_PREFIX}/topics/quarantine")
        subscriber.create_subscription(
            name=f"{_PREFIX}/subscriptions/look-quarantine", topic=f"{_PREFIX}/topics/quarantine"
        )
        queues = stack.enter_context(grpc.insecure_channel(addresses["tasks"].grpc))
        retry = {"min_backoff": {"nanos": 50_000_000}, "max_backoff": {"nanos": 200_000_000}}
        CloudTasksClient(transport=CloudTasksGrpcTransport(channel=queues)).update_queue(
            request={"queue": {"name": f"{_LOCATION}/queues/sms", "retry_config": retry}}
        )
        ports = {name: _free_port() for name in ("messenger", "api")}
        environment = {
            **env,
            "PUBSUB_EMULATOR_HOST": addresses["pubsub"].grpc,
            "FIRESTORE_EMULATOR_HOST": addresses["firestore"].grpc,
            "GOOGLE_CLOUD_PROJECT": CLOUD_PROJECT,
            "FULCRUM_TASKS_ENDPOINT": addresses["tasks"].grpc,
            "FULCRUM_TASKS_TARGET": f"http://127.0.0.1:{ports['messenger']}/",
            "FULCRUM_TWILIO_ENDPOINT": addresses["twilio"].http,
            "FULCRUM_TWILIO_ACCOUNT_SID": ACCOUNT,
            "FULCRUM_TWILIO_FROM": FROM,
            "FULCRUM_CALLBACK_URL": f"http://127.0.0.1:{ports['api']}",
            "FULCRUM_SIGNING_KEY": SIGNING_KEY,
        }
        functions = {
            name: Function(name, port, environment, folder / f"{name}.log") for name, port in ports.items()
        }
        for function in functions.values():
            function.start()
            stack.callback(function.kill)
        yield Messaging(
            addresses, functions["messenger"], functions["api"], clock_file, documents, subscriber
        )
