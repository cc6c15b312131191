from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.cloud import firestore
from google.pubsub_v1 import PublisherClient, PullRequest, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.processes import python, spawn
from shared import clock
from tests.support.emulators import Address, embedded
from tests.support.ingest import KEY

CLOUD_PROJECT = "fulcrum-local"
TOPIC = f"projects/{CLOUD_PROJECT}/topics/default-processor"
SUBSCRIPTION = f"projects/{CLOUD_PROJECT}/subscriptions/test"


@dataclass
class Stack:
    """A real ingest process with real emulators behind it."""

    url: str
    pubsub: Address
    firestore: Address
    log: Path
    clock: Path

    def post(
        self, body: Any, key: str = KEY.text, network: str = "farm-net", **headers: str
    ) -> httpx.Response:
        """Post JSON as a device would."""
        with httpx.Client(timeout=30) as client:
            return client.post(
                f"{self.url}/rcv/{network}",
                json=body,
                headers=({"Authorization": f"Bearer {key}"} if key else {}) | headers,
            )

    async def post_many(self, bodies: list[Any]) -> list[httpx.Response]:
        """Post all at the same time."""
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(timeout=30, limits=limits) as client:
            return await asyncio.gather(
                *(
                    client.post(
                        f"{self.url}/rcv/farm-net", json=body, headers={"Authorization": f"Bearer {KEY.text}"}
                    )
                    for body in bodies
                )
            )

    def calls(self, emulator: Address) -> dict[str, int]:
        """How often each method was called since the last reset."""
        answer: dict[str, int] = httpx.get(f"{emulator.http}/calls").json()
        return answer

    def faults(self, emulator: Address, *rules: dict[str, Any]) -> None:
        """Let an emulator fail."""
        httpx.post(f"{emulator.http}/faults", json={"rules": list(rules)}).raise_for_status()

    def subscriber(self) -> Any:
        """Google's own client on the emulator."""
        import grpc

        channel = grpc.insecure_channel(self.pubsub.grpc)
        return SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))

    def publisher(self) -> Any:
        """Google's own client on the emulator."""
        import grpc

        channel = grpc.insecure_channel(self.pubsub.grpc)
        return PublisherClient(transport=PublisherGrpcTransport(channel=channel))

    def pull(self, count: int, seconds: float = 10.0) -> list[Any]:
        """Messages of the topic: at least ``count`` if they come in time, then whatever else is there."""
        subscriber = self.subscriber()
        received: list[Any] = []
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            # The stub below the client, which warns of what suits a test.
            answer = subscriber.transport.pull(
                PullRequest(subscription=SUBSCRIPTION, max_messages=1000, return_immediately=True)
            )
            received += answer.received_messages
            if len(received) >= count and not answer.received_messages:
                break
            time.sleep(0.02)
        if received:
            subscriber.acknowledge(
                request={"subscription": SUBSCRIPTION, "ack_ids": [m.ack_id for m in received]}
            )
        subscriber.transport.close()
        return received

    def forget(self) -> None:
        """Let so much time pass that ingest reads its documents again."""
        clock.advance(self.clock, 5.5)

    def write(self, documents: dict[str, dict[str, Any]]) -> None:
        """Write documents by full name with Google's own client."""
        client = firestore.Client(project=CLOUD_PROJECT)
        for name, fields in documents.items():
            client.document(name.split("/documents/", 1)[1]).set(fields)
        client.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str, seconds: float = 30.0) -> None:
    """Wait until something answers there."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One process of each for all tests of a module."""
    folder = tmp_path_factory.mktemp("ingest")
    log = folder / "log"
    clock.create(folder / "clock")
    port = _free_port()
    with contextlib.ExitStack() as stack:
        pubsub = stack.enter_context(embedded("pubsub"))
        store = stack.enter_context(embedded("firestore"))
        env = {
            "PUBSUB_EMULATOR_HOST": pubsub.grpc,
            "FIRESTORE_EMULATOR_HOST": store.grpc,
            "GOOGLE_CLOUD_PROJECT": CLOUD_PROJECT,
            "FULCRUM_RATE_DEVICE_PER_SECOND": "100000",
            "FULCRUM_CLOCK_FILE": str(folder / "clock"),
            "HOST": "127.0.0.1",
            "PYTHONPATH": ".",
        }
        command = python(
            "-m", "functions_framework", "--source", "functions/ingest/main.py", "--target", "ingest"
        )
        file = stack.enter_context(log.open("wb"))
        child = spawn("ingest", [*command, "--port", str(port)], env, stdout=file, stderr=file)
        stack.callback(child.kill)
        url = f"http://127.0.0.1:{port}"
        wait_for(url)
        yield Stack(url, pubsub, store, log, folder / "clock")


@pytest.fixture
def stack(running: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """Empty emulators with the topic, a subscription to it, and the network of the unit tests."""
    from tests.support.ingest import documents

    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", running.firestore.grpc)
    for emulator in (running.pubsub, running.firestore):
        httpx.post(f"{emulator.http}/reset").raise_for_status()
    publisher, subscriber = running.publisher(), running.subscriber()
    publisher.create_topic(name=TOPIC)
    subscriber.create_subscription(name=SUBSCRIPTION, topic=TOPIC)
    publisher.transport.close()
    subscriber.transport.close()
    running.write(documents())
    running.forget()
    for emulator in (running.pubsub, running.firestore):
        httpx.delete(f"{emulator.http}/calls").raise_for_status()
    yield running
    for emulator in (running.pubsub, running.firestore):
        httpx.delete(f"{emulator.http}/faults").raise_for_status()
