"""Real push services on embedded Pub/Sub and Firestore: processes, push subscriptions, and a look inside."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.cloud import firestore
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.processes import python, spawn
from shared import clock
from tests.support.api import SIGNING_KEY
from tests.support.emulators import Address, embedded, google, google_missing

CLOUD_PROJECT = "fulcrum-local"
KINDS = ["embedded", pytest.param("google", marks=[pytest.mark.google, pytest.mark.slow])]
TOPICS = ("default-processor", "writer", "quarantine", "dead-letter", "reason")


@dataclass
class PushStack:
    """Services by name (their URLs) with the emulators behind them."""

    urls: dict[str, str]
    pubsub: Address
    firestore: Address
    documents: Any
    publisher: Any
    subscriber: Any
    logs: Mapping[str, Path]
    clock_file: Path
    # What the services have in their environment beside the emulators' addresses.
    further: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to reach the emulators."""
        return {
            "PUBSUB_EMULATOR_HOST": self.pubsub.grpc,
            "FIRESTORE_EMULATOR_HOST": self.firestore.grpc,
            "GOOGLE_CLOUD_PROJECT": CLOUD_PROJECT,
            "FULCRUM_SIGNING_KEY": SIGNING_KEY,
            "FULCRUM_CLOCK_FILE": str(self.clock_file),
            **self.further,
        }

    def advance(self, seconds: float) -> None:
        """Move the services' clock forward."""
        clock.advance(self.clock_file, seconds)

    def put(self, path: str, **fields: Any) -> None:
        """Write a document, merged."""
        self.documents.document(path).set(fields, merge=True)

    def get(self, path: str) -> dict[str, Any] | None:
        """A document's fields."""
        found: dict[str, Any] | None = self.documents.document(path).get().to_dict()
        return found

    def collection(self, path: str) -> list[dict[str, Any]]:
        """The fields of a collection's documents, with their ids as ``_id``."""
        return [{**d.to_dict(), "_id": d.id} for d in self.documents.collection(path).stream()]

    def publish(self, topic: str, data: Any, /, **attributes: str) -> str:
        """Publish JSON, or bytes as they are; returns the message id."""
        raw = data if isinstance(data, bytes) else json.dumps(data).encode()
        name = f"projects/{CLOUD_PROJECT}/topics/{topic}"
        answer = self.publisher.publish(
            topic=name, messages=[types.PubsubMessage(data=raw, attributes=attributes)]
        )
        return str(answer.message_ids[0])

    def pull(self, topic: str) -> list[tuple[Any, dict[str, str]]]:
        """What was published to a topic since the last look: data (decoded) and attributes."""
        name = f"projects/{CLOUD_PROJECT}/subscriptions/look-{topic}"
        request = types.PullRequest(subscription=name, max_messages=100, return_immediately=True)
        found: list[tuple[Any, dict[str, str]]] = []
        while True:
            # The stub below the client, which warns of what suits a test.
            answer = self.subscriber.transport.pull(request)
            if not answer.received_messages:
                return found
            for received in answer.received_messages:
                found.append((json.loads(received.message.data), dict(received.message.attributes)))
            ids = [received.ack_id for received in answer.received_messages]
            self.subscriber.acknowledge(subscription=name, ack_ids=ids)

    def subscribe(self, topic: str, service: str, attempts: int = 0) -> None:
        """Push a topic to a service, by a subscription named as services.yaml names them."""
        prefix = f"projects/{CLOUD_PROJECT}"
        self.subscriber.create_subscription(
            request=types.Subscription(
                name=f"{prefix}/subscriptions/{topic}-{service.replace('_', '-')}",
                topic=f"{prefix}/topics/{topic}",
                push_config=types.PushConfig(push_endpoint=self.urls[service]),
                retry_policy=types.RetryPolicy(
                    minimum_backoff=Duration(nanos=50_000_000), maximum_backoff=Duration(nanos=100_000_000)
                ),
                dead_letter_policy=types.DeadLetterPolicy(
                    dead_letter_topic=f"{prefix}/topics/dead-letter", max_delivery_attempts=attempts
                )
                if attempts
                else None,
            )
        )

    def faults(self, kind: str, *rules: dict[str, Any]) -> None:
        """Replace the fault rules of an emulator (``pubsub`` or ``firestore``); none without rules."""
        address = self.pubsub if kind == "pubsub" else self.firestore
        if not address.http:
            if rules:
                pytest.skip("Google's emulators inject no faults")
            return
        body = {"rules": list(rules), "seed": 7}
        httpx.post(f"{address.http}/faults", json=body).raise_for_status()

    def calls(self, kind: str) -> dict[str, int]:
        """The calls that an emulator has seen since the last look."""
        address = self.pubsub if kind == "pubsub" else self.firestore
        if not address.http:
            pytest.skip("Google's emulators count no calls")
        found: dict[str, int] = httpx.get(f"{address.http}/calls").json()
        httpx.delete(f"{address.http}/calls").raise_for_status()
        return found

    def log(self, service: str) -> list[dict[str, Any]]:
        """The log lines of a service."""
        lines = self.logs[service].read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith('{"severity"')]


def eventually(check: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first true value that ``check`` gives; AssertionError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < deadline, f"still {value!r}"
        time.sleep(0.05)
    return value


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return False
    return True


def _documents(emulator: str) -> Any:
    # Google's client takes the emulator's address from the environment alone.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", emulator)
        return firestore.Client(project=CLOUD_PROJECT)


def _start(service: str, environment: Mapping[str, str], log: Path) -> tuple[Any, str]:
    port = _free_port()
    source = f"functions/{service}/main.py"
    command = python("-m", "functions_framework", "--source", source, "--target", service)
    command += ["--port", str(port)]
    with log.open("wb") as stream:
        full = {**environment, "PYTHONPATH": ".", "HOST": "127.0.0.1"}
        child = spawn(service, command, full, stream, stream)
    eventually(lambda: _listens(port) or not child.alive(), 60)
    assert child.alive(), log.read_text()[-2000:]
    return child, f"http://127.0.0.1:{port}/"


@contextmanager
def push_stack(
    folder: Path, *services: str, kind: str = "embedded", further: Mapping[str, str] | None = None
) -> Iterator[PushStack]:
    """Run services on emulators of their own, ours or (``kind`` google) Google's.

    ``further``: what they have in their environment beside the emulators' addresses.
    Topics have subscriptions ``look-<topic>`` to pull from.
    """
    start = embedded if kind == "embedded" else google
    if kind == "google" and (reason := google_missing("pubsub") or google_missing("firestore")):
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        pubsub = stack.enter_context(start("pubsub"))
        store = stack.enter_context(start("firestore"))
        channel = stack.enter_context(grpc.insecure_channel(pubsub.grpc))
        documents = _documents(store.grpc)
        stack.callback(documents.close)
        made = PushStack(
            {},
            pubsub,
            store,
            documents,
            PublisherClient(transport=PublisherGrpcTransport(channel=channel)),
            SubscriberClient(transport=SubscriberGrpcTransport(channel=channel)),
            {service: folder / f"{service}.log" for service in services},
            folder / "clock",
            further or {},
        )
        clock.create(made.clock_file)
        prefix = f"projects/{CLOUD_PROJECT}"
        for topic in TOPICS:
            made.publisher.create_topic(name=f"{prefix}/topics/{topic}")
            made.subscriber.create_subscription(
                name=f"{prefix}/subscriptions/look-{topic}", topic=f"{prefix}/topics/{topic}"
            )
        for service in services:
            child, made.urls[service] = _start(service, made.environment, made.logs[service])
            stack.callback(child.kill)
        yield made
