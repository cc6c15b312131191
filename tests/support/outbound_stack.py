"""Messages to devices through the real services: ingest, message_processor and rest_outbound as processes.

They stand on Pub/Sub, Firestore and Cloud Tasks, all on one clock that a test moves.
"""

from __future__ import annotations

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
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.processes import ROOT, Child, python, spawn
from shared import clock
from tests.support.api import OUTBOUND_KEY
from tests.support.emulators import Address, embedded
from tests.support.ingest import KEY
from tests.support.push_stack import CLOUD_PROJECT, _documents, _free_port, _listens
from tests.support.timer_stack import eventually

_PREFIX = f"projects/{CLOUD_PROJECT}"
_LOCATION = f"{_PREFIX}/locations/europe-west1"
TOPICS = ("default-processor", "outbound", "quarantine", "writer")
SERVICES = ("ingest", "message_processor", "rest_outbound")
PUSHED = {"message_processor": "default-processor", "rest_outbound": "outbound"}


@dataclass
class OutboundStack:
    """The services, and what is behind them."""

    pubsub: Address
    firestore: Address
    tasks: Address
    clock_file: Path
    documents: Any
    publisher: Any
    subscriber: Any
    ports: dict[str, int]
    environment: dict[str, str]
    folder: Path
    children: dict[str, Child]

    # Processes and clock

    def url(self, service: str) -> str:
        """Where a service listens."""
        return f"http://127.0.0.1:{self.ports[service]}/"

    def start(self, service: str) -> None:
        """Start a service and wait until it listens."""
        source = f"functions/{service}/main.py"
        command = python("-m", "functions_framework", "--source", source, "--target", service)
        command += ["--port", str(self.ports[service])]
        env = {**self.environment, "PYTHONPATH": str(ROOT), "HOST": "127.0.0.1", "K_SERVICE": service}
        with (self.folder / f"{service}.log").open("ab") as stream:
            self.children[service] = spawn(service, command, env, stream, stream)
        eventually(lambda: _listens(self.ports[service]), 60)

    def kill(self, service: str) -> None:
        """SIGKILL."""
        self.children[service].kill()

    def now(self) -> int:
        """Epoch ms by the clock of all processes."""
        import time

        offset = int.from_bytes(self.clock_file.read_bytes(), "little", signed=True)
        return (time.time_ns() + offset) // 1_000_000

    def advance(self, seconds: float) -> None:
        """Move it."""
        clock.advance(self.clock_file, seconds)

    # What there is

    def network(self, project: str, network: str, outbound: dict[str, Any] | None, **more: Any) -> None:
        """A network with a key, and how messages reach its devices."""
        keys = {KEY.id: {"hash": KEY.hash, "created": 1}}
        fields = {"projectId": project, "aliasKeys": ["serial"], "keys": keys, "outbound": outbound, **more}
        self.documents.document(f"networks/{network}").set(fields)

    def device(self, project: str, device: str, network: str, alias: str | None = None) -> None:
        """A device of a network, with its outside name if it has one."""
        from fulcrum.core import ids

        self.documents.document(f"projects/{project}").set({"revision": 1}, merge=True)
        fields: dict[str, Any] = {"networkId": network, "systemId": "y1", "blueprintId": "b1"}
        if alias:
            fields["networkAliases"] = {network: {"serial": alias}}
            named = {"projectId": project, "deviceId": device, "networkId": network}
            self.documents.document(f"aliases/{ids.alias_id(network, 'serial', alias)}").set(named)
        self.documents.document(f"projects/{project}/devices/{device}").set(fields)

    def record(self, project: str, message: str) -> dict[str, Any]:
        """What is known of a message; empty if nothing is."""
        found = self.documents.document(f"projects/{project}/outbound/{message}").get().to_dict()
        return found or {}

    def state(self, project: str, message: str) -> str | None:
        """The state of a message."""
        return self.record(project, message).get("state")

    # Messages

    def init(self, project: str, named: str, device: str = "d1", **more: Any) -> dict[str, Any]:
        """A message that asks for a message to a device."""
        now = self.now()
        made = {"type": "outboundInitMsg", "msgId": named, "time": now, "expireTime": now + 3_600_000}
        return {**made, "projectId": project, "deviceId": device, "message": {"n": 1}, **more}

    def publish(self, topic: str, *messages: dict[str, Any], **attributes: str) -> None:
        """Publish messages in one."""
        data = json.dumps(list(messages)).encode()
        message = types.PubsubMessage(data=data, attributes=attributes)
        self.publisher.publish(topic=f"{_PREFIX}/topics/{topic}", messages=[message])

    def ask(self, method: str, path: str, body: Any = None, **params: str) -> httpx.Response:
        """Ask ingest as a device of the network does."""
        headers = {"Authorization": f"Bearer {KEY.text}"}
        return httpx.request(
            method, self.url("ingest") + path, json=body, headers=headers, params=params, timeout=30
        )

    def pull(self, topic: str) -> list[tuple[Any, dict[str, str]]]:
        """What was published to a topic since the last look: data (decoded) and attributes."""
        name = f"{_PREFIX}/subscriptions/look-{topic}"
        request = types.PullRequest(subscription=name, max_messages=500, return_immediately=True)
        found: list[tuple[Any, dict[str, str]]] = []
        while True:
            answer = self.subscriber.transport.pull(request)
            if not answer.received_messages:
                return found
            for received in answer.received_messages:
                found.append((json.loads(received.message.data), dict(received.message.attributes)))
            ids = [received.ack_id for received in answer.received_messages]
            self.subscriber.acknowledge(subscription=name, ack_ids=ids)

    def settle(self, seconds: float = 60.0) -> None:
        """Wait until all that was published is taken, and no task is due."""
        eventually(lambda: not self._left(), seconds)

    def _left(self) -> int:
        counts = httpx.get(f"{self.pubsub.http}/backlog").json()
        left = [
            one["undelivered"] + one["outstanding"] for name, one in counts.items() if "/look-" not in name
        ]
        tasks = httpx.get(f"{self.tasks.http}/backlog").json()
        return int(sum(left) + sum(one["running"] + one["due"] + one["waiting"] for one in tasks.values()))

    def faults(self, address: Address, *rules: dict[str, Any]) -> None:
        """Replace the fault rules of an emulator; none without rules."""
        httpx.post(f"{address.http}/faults", json={"rules": list(rules), "seed": 7}).raise_for_status()


@contextmanager
def outbound_stack(folder: Path, networks: str = "") -> Iterator[OutboundStack]:
    """Run the services on emulators of their own. ``networks``: private ones that may be called."""
    clock_file = folder / "clock"
    clock.create(clock_file)
    env = {"FULCRUM_CLOCK_FILE": str(clock_file)}
    indexes = ("--strict", "--indexes", str(ROOT / "firestore.indexes.json"))
    with contextlib.ExitStack() as stack:
        pubsub = stack.enter_context(embedded("pubsub", env=env))
        store = stack.enter_context(embedded("firestore", *indexes, env=env))
        tasks = stack.enter_context(embedded("tasks", env=env))
        channel = stack.enter_context(grpc.insecure_channel(pubsub.grpc))
        documents = _documents(store.grpc)
        stack.callback(documents.close)
        ports = {service: _free_port() for service in SERVICES}
        environment = {
            "PUBSUB_EMULATOR_HOST": pubsub.grpc,
            "FIRESTORE_EMULATOR_HOST": store.grpc,
            "FULCRUM_TASKS_ENDPOINT": tasks.grpc,
            "FULCRUM_TASKS_TARGET": f"http://127.0.0.1:{ports['rest_outbound']}/",
            "FULCRUM_URL_NETWORKS": networks,
            "FULCRUM_OUTBOUND_KEY": OUTBOUND_KEY,
            "GOOGLE_CLOUD_PROJECT": CLOUD_PROJECT,
            **env,
        }
        made = OutboundStack(
            pubsub,
            store,
            tasks,
            clock_file,
            documents,
            PublisherClient(transport=PublisherGrpcTransport(channel=channel)),
            SubscriberClient(transport=SubscriberGrpcTransport(channel=channel)),
            ports,
            environment,
            folder,
            {},
        )
        _provision(made, stack)
        for service in SERVICES:
            made.start(service)
            stack.callback(made.kill, service)
        for service, topic in PUSHED.items():
            _subscribe(made, service, topic)
        yield made


def _provision(made: OutboundStack, stack: contextlib.ExitStack) -> None:
    for topic in TOPICS:
        name: Mapping[str, str] = {"topic": f"{_PREFIX}/topics/{topic}"}
        made.publisher.create_topic(name=name["topic"])
        made.subscriber.create_subscription(name=f"{_PREFIX}/subscriptions/look-{topic}", **name)
    channel = stack.enter_context(grpc.insecure_channel(made.tasks.grpc))
    client = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
    retry: dict[str, Any] = {"min_backoff": {"nanos": 50_000_000}, "max_backoff": {"nanos": 200_000_000}}
    # They come so often here that a lease would outlast any number of them.
    retry["max_attempts"] = -1
    queue = {"name": f"{_LOCATION}/queues/outbound", "retry_config": retry}
    client.create_queue(parent=_LOCATION, queue=queue)


def _subscribe(made: OutboundStack, service: str, topic: str) -> None:
    made.subscriber.create_subscription(
        request=types.Subscription(
            name=f"{_PREFIX}/subscriptions/{topic}-{service}",
            topic=f"{_PREFIX}/topics/{topic}",
            push_config=types.PushConfig(push_endpoint=made.url(service)),
            retry_policy=types.RetryPolicy(
                minimum_backoff=Duration(nanos=50_000_000), maximum_backoff=Duration(nanos=100_000_000)
            ),
        )
    )
