"""Real transponder processes on real emulators."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import AlreadyExists, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, firestore
from google.pubsub_v1 import PublisherClient, PullRequest, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from fulcrum.core import ids
from local.processes import python, spawn
from local.provision_bigquery import provision
from tests.support.emulators import Address, embedded, google, google_missing
from tests.support.transponder import event, push

CLOUD_PROJECT = "fulcrum-local"
_ALWAYS = "TIMESTAMP '2000-01-01', TIMESTAMP '2100-01-01'"
TOPICS = ("writer", "quarantine", "audit")


@dataclass
class Stack:
    """Two transponder processes with emulators behind them, and a look at what they store."""

    urls: list[str]
    pubsub: Address
    firestore: Address
    bigquery: Address
    log: Path
    documents: Any
    queries: Any
    # Each test has a project of its own: the processes remember the devices of the tests before.
    project: str = ""

    def event(self, event_id: str, device: str = "d1", **changes: Any) -> dict[str, Any]:
        """A message of this test's project, as message_processor sends it."""
        return event(event_id, device, **{"projectId": self.project, **changes})

    async def push(self, data: Any, instance: int = 0, **more: str) -> int:
        """Deliver one message to an instance; returns the status of the answer."""
        async with httpx.AsyncClient(timeout=60) as client:
            return (await client.post(self.urls[instance], json=push(data, **more))).status_code

    async def push_until_stored(self, data: Any, instance: int = 0, **more: str) -> int:
        """Deliver as Pub/Sub does, again and again until it is acknowledged; returns how often."""
        deadline = time.monotonic() + 60
        for times in range(1, 1000):
            if await self.push(data, instance, **more) == 204:
                return times
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            await asyncio.sleep(0.02)
        raise AssertionError("never acknowledged")

    def device(self, device_id: str = "d1") -> dict[str, Any]:
        """A device's document, read by Google's client."""
        return self._device(device_id).get().to_dict() or {}

    def put(self, device_id: str = "d1", **fields: Any) -> None:
        """Make or change a device as the API does."""
        self._device(device_id).set({"created": 1, **fields}, merge=True)

    def delete(self, device_id: str = "d1") -> None:
        """Delete a device."""
        self._device(device_id).delete()

    def _device(self, device_id: str) -> Any:
        return self.documents.document(f"projects/{self.project}/devices/{device_id}")

    def rows(self, condition: str = "TRUE") -> list[dict[str, Any]]:
        """Rows of the history, repeats included, read by Google's client."""
        scope = f"project_id = '{self.project}' AND time > '2000-01-01'"
        return self._query(f"SELECT * FROM history.device_events WHERE {scope} AND {condition}")

    def events(self) -> list[dict[str, Any]]:
        """What people read: data rows without repeats."""
        return self._query(f"SELECT * FROM history.events('{self.project}', {_ALWAYS})")

    def records(self) -> list[dict[str, Any]]:
        """What people read: event records with their acknowledgements."""
        return self._query(f"SELECT * FROM history.event_records('{self.project}', {_ALWAYS})")

    def _query(self, sql: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.queries.query(sql, retry=None).result(retry=None)]

    def published(self, topic: str) -> list[tuple[Any, dict[str, str]]]:
        """What stands in a topic: data (as JSON) and attributes."""
        channel = grpc.insecure_channel(self.pubsub.grpc)
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        name = f"projects/{CLOUD_PROJECT}/subscriptions/{topic}"
        request = PullRequest(subscription=name, max_messages=1000, return_immediately=True)
        # The stub below the client, which warns of what suits a test.
        received = subscriber.transport.pull(request).received_messages
        if received:
            subscriber.acknowledge(
                request={"subscription": name, "ack_ids": [one.ack_id for one in received]}
            )
        channel.close()
        return [(json.loads(one.message.data), dict(one.message.attributes)) for one in received]

    def faults(self, emulator: Address, *rules: dict[str, Any], seed: int = 0) -> None:
        """Let an emulator fail."""
        if not emulator.http:
            pytest.skip("Google's emulators inject no faults")
        httpx.post(f"{emulator.http}/faults", json={"rules": rules, "seed": seed}).raise_for_status()

    def calls(self, emulator: Address) -> dict[str, int]:
        """How often each method was called since the start of the test."""
        if not emulator.http:
            pytest.skip("Google's emulators count no calls")
        answer: dict[str, int] = httpx.get(f"{emulator.http}/calls").json()
        return answer


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.05)


_GOOGLE = pytest.param("google", marks=[pytest.mark.google, pytest.mark.slow])


def _reset(emulator: Address) -> None:
    """Empty an emulator. Google's need not be: each test has a project of its own."""
    if emulator.http:
        httpx.post(f"{emulator.http}/reset").raise_for_status()


@pytest.fixture(scope="module", params=["embedded", _GOOGLE])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The processes, for all tests of a module; with Google's own Pub/Sub and Firestore where it has them."""
    kind = embedded if request.param == "embedded" else google
    if kind is google and (reason := google_missing("pubsub") or google_missing("firestore")):
        pytest.skip(reason)
    log = tmp_path_factory.mktemp("transponder") / "log"
    command = python(
        "-m", "functions_framework", "--source", "functions/transponder/main.py", "--target", "transponder"
    )
    with contextlib.ExitStack() as stack:
        pubsub, store = (stack.enter_context(kind(name)) for name in ("pubsub", "firestore"))
        history = stack.enter_context(embedded("bigquery"))
        env = {
            "PUBSUB_EMULATOR_HOST": pubsub.grpc,
            "FIRESTORE_EMULATOR_HOST": store.grpc,
            "FULCRUM_BIGQUERY_STORAGE_ENDPOINT": history.grpc,
            "GOOGLE_CLOUD_PROJECT": CLOUD_PROJECT,
            "HOST": "127.0.0.1",
            "PYTHONPATH": ".",
        }
        file = stack.enter_context(log.open("wb"))
        urls = []
        for _ in range(2):
            port = _free_port()
            child = spawn("transponder", [*command, "--port", str(port)], env, stdout=file, stderr=file)
            stack.callback(child.kill)
            urls.append(f"http://127.0.0.1:{port}/")
        for url in urls:
            _wait_for(url, log)
        before = os.environ.get("FIRESTORE_EMULATOR_HOST")
        os.environ["FIRESTORE_EMULATOR_HOST"] = store.grpc
        documents = firestore.Client(project=CLOUD_PROJECT)
        os.environ.pop("FIRESTORE_EMULATOR_HOST")
        if before is not None:
            os.environ["FIRESTORE_EMULATOR_HOST"] = before
        queries = bigquery.Client(
            project=CLOUD_PROJECT,
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=history.http),
        )
        stack.callback(documents.close)
        stack.callback(queries.close)
        yield Stack(urls, pubsub, store, history, log, documents, queries)


@pytest.fixture
def stack(running: Stack) -> Iterator[Stack]:
    """Empty emulators with the topics, a subscription to each, and the history's table."""
    emulators = (running.pubsub, running.firestore, running.bigquery)
    for emulator in emulators:
        _reset(emulator)
    channel = grpc.insecure_channel(running.pubsub.grpc)
    publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
    subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
    for topic in TOPICS:
        name = f"projects/{CLOUD_PROJECT}/topics/{topic}"
        subscription = f"projects/{CLOUD_PROJECT}/subscriptions/{topic}"
        # Google's emulator has them from the test before, with what stands in them.
        with contextlib.suppress(NotFound):
            subscriber.delete_subscription(subscription=subscription)
        with contextlib.suppress(AlreadyExists):
            publisher.create_topic(name=name)
        subscriber.create_subscription(name=subscription, topic=name)
    channel.close()
    provision(CLOUD_PROJECT, running.bigquery.http)
    for emulator in emulators:
        if emulator.http:
            httpx.delete(f"{emulator.http}/calls").raise_for_status()
    yield replace(running, project=ids.new_id())
    for emulator in emulators:
        if emulator.http:
            httpx.delete(f"{emulator.http}/faults").raise_for_status()
