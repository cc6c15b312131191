"""The stand-in for Cloud Tasks with Google's own client, on a clock that a test moves."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud.tasks_v2 import CloudTasksClient
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from shared import clock
from tests.integration.pubsub.endpoint import Endpoint
from tests.support.emulators import Address, embedded

PARENT = "projects/p/locations/europe-west1"
QUEUE = f"{PARENT}/queues/timers"


class Tasks:
    """The emulator, and a queue ``timers`` in it."""

    def __init__(self, address: Address, clock_file: Path) -> None:
        self.http = address.http
        self._clock = clock_file
        self.channel = grpc.insecure_channel(address.grpc)
        self.client = CloudTasksClient(transport=CloudTasksGrpcTransport(channel=self.channel))

    def queue(self, **retry: Any) -> None:
        """Make the queue, or set how it tries again."""
        self.client.update_queue(request={"queue": {"name": QUEUE, "retry_config": retry}})

    def create(self, url: str, name: str = "", ahead: float = 0.0, **request: Any) -> Any:
        """CreateTask, ``ahead`` seconds of the emulator's clock from now."""
        task: dict[str, Any] = {"http_request": {"url": url, **request}}
        if name:
            task["name"] = f"{QUEUE}/tasks/{name}"
        if ahead:
            task["schedule_time"] = {"seconds": int(self.now() + ahead)}
        return self.client.create_task(request={"parent": QUEUE, "task": task}, retry=None)

    def now(self) -> float:
        """Seconds since the epoch by the emulator's clock."""
        offset = int.from_bytes(self._clock.read_bytes(), "little", signed=True)
        return time.time() + offset / 1e9

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        clock.advance(self._clock, seconds)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A control route."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.http + path, data, method=method)  # noqa: S310 loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 loopback
            return json.load(answer)

    def backlog(self) -> dict[str, int]:
        """Of the queue."""
        found: dict[str, int] = self.control("GET", "/backlog")[QUEUE]
        return found


@contextmanager
def running(folder: Path, clock_file: Path) -> Iterator[Tasks]:
    """An emulator on a folder; leaving kills it with SIGKILL."""
    if not clock_file.exists():
        clock.create(clock_file)
    env = {"FULCRUM_CLOCK_FILE": str(clock_file)}
    with embedded("tasks", "--data", str(folder), env=env) as address:
        made = Tasks(address, clock_file)
        yield made
        made.channel.close()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tasks]:
    folder = tmp_path_factory.mktemp("tasks")
    with running(folder / "data", folder / "clock") as made:
        yield made


@pytest.fixture
def tasks(emulator: Tasks) -> Iterator[Tasks]:
    emulator.control("POST", "/reset")
    emulator.queue(min_backoff={"seconds": 10}, max_backoff={"seconds": 60}, max_doublings=2, max_attempts=4)
    yield emulator
    emulator.control("POST", "/reset")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    value = Endpoint()
    yield value
    value.close()
