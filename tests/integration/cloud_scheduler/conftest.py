"""The stand-in for Cloud Scheduler with Google's own client, on a clock that a test moves."""

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
from google.cloud.scheduler_v1 import CloudSchedulerClient
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerGrpcTransport

from shared import clock
from tests.integration.pubsub.endpoint import Endpoint
from tests.support.emulators import Address, embedded

PARENT = "projects/p/locations/europe-west1"


def name(short: str) -> str:
    """The full name of a job."""
    return f"{PARENT}/jobs/{short}"


class Scheduler:
    """The emulator."""

    def __init__(self, address: Address, clock_file: Path) -> None:
        self.grpc = address.grpc
        self._http = address.http
        self._clock = clock_file
        self.channel = grpc.insecure_channel(address.grpc)
        self.client = CloudSchedulerClient(transport=CloudSchedulerGrpcTransport(channel=self.channel))

    def create(self, url: str, short: str = "job", cron: str = "* * * * *", **job: Any) -> Any:
        """CreateJob."""
        made = {"name": name(short), "schedule": cron, "http_target": {"uri": url}, **job}
        return self.client.create_job(parent=PARENT, job=made, retry=None)

    def get(self, short: str = "job") -> Any:
        """GetJob."""
        return self.client.get_job(name=name(short), retry=None)

    def now(self) -> float:
        """Seconds since the epoch by the emulator's clock."""
        return time.time() + clock.offset_in(self._clock) / 1e9

    def to_second(self, second: int, after: int = 60) -> None:
        """Move the clock to the next instant that is so many seconds past a multiple of ``after``."""
        self.advance(after - (self.now() - second) % after)

    def advance(self, seconds: float) -> None:
        """Move the clock."""
        clock.advance(self._clock, seconds)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A control route."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._http + path, data, method=method)  # noqa: S310 loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 loopback
            return json.load(answer)

    def shown(self, short: str = "job") -> dict[str, Any]:
        """What ``GET /jobs`` says of a job."""
        found: dict[str, Any] = self.control("GET", "/jobs")[name(short)]
        return found


@contextmanager
def running(folder: Path, clock_file: Path, *args: str) -> Iterator[Scheduler]:
    """An emulator on a folder; leaving kills it with SIGKILL."""
    if not clock_file.exists():
        clock.create(clock_file)
    env = {"FULCRUM_CLOCK_FILE": str(clock_file)}
    with embedded("scheduler", "--data", str(folder), *args, env=env) as address:
        made = Scheduler(address, clock_file)
        yield made
        made.channel.close()


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduler]:
    folder = tmp_path_factory.mktemp("cloud-scheduler")
    with running(folder / "data", folder / "clock") as made:
        yield made


@pytest.fixture
def scheduler(emulator: Scheduler) -> Iterator[Scheduler]:
    emulator.control("POST", "/reset")
    emulator.to_second(2)
    yield emulator
    for job in emulator.client.list_jobs(parent=PARENT):
        emulator.client.delete_job(name=job.name)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    value = Endpoint()
    yield value
    value.close()
