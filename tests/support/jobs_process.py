"""The function ``jobs`` as a process behind a real push subscription, to be killed and started again."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud import firestore as official
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import PublisherClient, SubscriberClient, types
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.processes import ROOT, Child, python, spawn
from local.provision_bigquery import provision
from shared.config import settings
from tests.support.api import CLOUD_PROJECT, Api
from tests.support.emulators import Address, embedded

_PREFIX = f"projects/{CLOUD_PROJECT}"


@dataclass
class JobsProcess:
    """The process, its stores and topics. ``api`` looks at the store as tests of the API do."""

    api: Api
    pubsub: Address
    warehouse: Address
    environment: dict[str, str]
    log: Path
    port: int
    child: Child | None = None
    kills: int = 0
    _open: list[Any] = field(default_factory=list)

    def start(self) -> None:
        """Start the process and wait until it listens."""
        source = "functions/jobs/main.py"
        command = python("-m", "functions_framework", "--source", source, "--target", "jobs")
        with self.log.open("ab") as stream:
            env = {**self.environment, "PYTHONPATH": str(ROOT), "HOST": "127.0.0.1", "K_SERVICE": "jobs"}
            self.child = spawn("jobs", [*command, "--port", str(self.port)], env, stream, stream)
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 0.5).close()
                return
            assert self.child.alive(), self.log.read_text()[-2000:]
            assert time.monotonic() < deadline, "not listening"
            time.sleep(0.05)

    def kill(self) -> None:
        """End the process at once, wherever it is."""
        assert self.child is not None
        self.child.kill()
        self.kills += 1

    def faults(self, which: Address, *rules: dict[str, Any]) -> None:
        """Replace the fault rules of an emulator."""
        httpx.post(f"{which.http}/faults", json={"rules": list(rules), "seed": 7}).raise_for_status()

    def until(self, check: Callable[[], Any], seconds: float = 120.0) -> Any:
        """The first true value of a check."""
        deadline = time.monotonic() + seconds
        while not (value := check()):
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.05)
        return value

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query of the history."""
        client = bigquery.Client(
            project=CLOUD_PROJECT,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": self.warehouse.http},
        )
        try:
            return [dict(row) for row in client.query(sql).result()]
        finally:
            client.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def jobs_process(folder: Path) -> Iterator[JobsProcess]:
    """Emulators, strict ones, and the process; the environment of this one leads to the emulators as well."""
    strict = ("--strict", "--indexes", str(ROOT / "firestore.indexes.json"))
    with contextlib.ExitStack() as stack:
        pubsub = stack.enter_context(embedded("pubsub"))
        store = stack.enter_context(embedded("firestore", *strict))
        warehouse = stack.enter_context(embedded("bigquery"))
        environment = {
            "PUBSUB_EMULATOR_HOST": pubsub.grpc,
            "FIRESTORE_EMULATOR_HOST": store.grpc,
            "BIGQUERY_EMULATOR_HOST": warehouse.http,
            "FULCRUM_BIGQUERY_STORAGE_ENDPOINT": warehouse.grpc,
            "GOOGLE_CLOUD_PROJECT": CLOUD_PROJECT,
        }
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in environment.items():
            patch.setenv(name, value)
        settings.cache_clear()
        stack.callback(settings.cache_clear)
        provision(CLOUD_PROJECT, warehouse.http)
        documents = official.Client(project=CLOUD_PROJECT, credentials=AnonymousCredentials())
        stack.callback(documents.close)
        made = JobsProcess(
            Api(store, documents), pubsub, warehouse, environment, folder / "jobs.log", _free_port()
        )
        channel = stack.enter_context(grpc.insecure_channel(pubsub.grpc))
        _subscribe(channel, f"http://127.0.0.1:{made.port}/")
        made.start()
        try:
            yield made
        finally:
            if made.child is not None:
                made.child.kill()


def _subscribe(channel: grpc.Channel, endpoint: str) -> None:
    publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
    subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
    for topic in ("jobs", "quarantine", "dead-letter"):
        publisher.create_topic(name=f"{_PREFIX}/topics/{topic}")
    subscriber.create_subscription(
        name=f"{_PREFIX}/subscriptions/look-quarantine", topic=f"{_PREFIX}/topics/quarantine"
    )
    subscriber.create_subscription(
        request=types.Subscription(
            name=f"{_PREFIX}/subscriptions/jobs-jobs",
            topic=f"{_PREFIX}/topics/jobs",
            ack_deadline_seconds=60,
            push_config=types.PushConfig(push_endpoint=endpoint),
            retry_policy=types.RetryPolicy(
                minimum_backoff=Duration(nanos=50_000_000), maximum_backoff=Duration(nanos=200_000_000)
            ),
        )
    )
