"""The whole platform on one machine: from a device's request to its state and history."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, firestore

from local import seed
from local.stack import Emulator, Stack
from shared import clock

EMULATORS: tuple[Emulator, ...] = ("pubsub", "firestore", "bigquery")
EVENTS = 100


@dataclass(frozen=True)
class Place:
    """A project with ten devices on a stack."""

    stack: Stack
    store: firestore.Client
    project: str
    key: str

    def post(self, events: list[dict[str, object]]) -> int:
        """Send events as a gateway does; the status."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        url = f"{self.stack.url}/rcv/{self.project}-gateways"
        request = urllib.request.Request(url, json.dumps(events).encode(), headers)  # noqa: S310 loopback
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 loopback
            return int(answer.status)

    def states(self) -> dict[str, object]:
        """The data of each device."""
        found = self.store.collection(f"projects/{self.project}/devices").stream()
        return {item.id: item.to_dict()["data"] for item in found}

    def history_rows(self) -> int:
        """How many events people see in the project's history."""
        client = bigquery.Client(
            project=self.stack.project,
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=self.stack.env()["BIGQUERY_EMULATOR_HOST"]),
        )
        between = "TIMESTAMP '2026-09-01', TIMESTAMP '2026-11-01'"
        query = f"SELECT COUNT(*) AS n FROM history.events('{self.project}', {between})"
        (row,) = client.query(query).result()
        client.close()
        return int(row.n)


@contextmanager
def place(stack: Stack, project: str) -> Iterator[Place]:
    """The project, made in the stack's store."""
    devices = [seed.SeedDevice(f"room-{n}", "room", f"{project}-gateways", f"serial-{n}") for n in range(10)]
    made = seed.SeedProject(project, (seed.SeedNetwork(f"{project}-gateways"),), {"room": None}, devices)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", stack.env()["FIRESTORE_EMULATOR_HOST"])
        store = firestore.Client(project=stack.project)
        try:
            yield Place(stack, store, project, seed.create(store, made)[f"{project}-gateways"])
        finally:
            store.close()


def events(first: int) -> list[dict[str, object]]:
    """A hundred events of ten devices; times and values grow."""
    return [
        {"deviceId": f"serial-{n % 10}", "id": str(n), "time": 1_790_000_000_000 + n, "data": {"n": n}}
        for n in range(first, first + EVENTS)
    ]


def history_rows(stack: Stack) -> int:
    """How many events people see in the project's history."""
    client = bigquery.Client(
        project=stack.project,
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=stack.env()["BIGQUERY_EMULATOR_HOST"]),
    )
    query = (
        "SELECT COUNT(*) AS n FROM history.events('whole', TIMESTAMP '2026-09-01', TIMESTAMP '2026-11-01')"
    )
    (row,) = client.query(query).result()
    client.close()
    return int(row.n)


def test_events_become_state_and_history(stack: Stack) -> None:
    with place(stack, "whole") as here:
        assert here.post(events(0)) == 202
        stack.drain()
        assert here.states() == {f"room-{n}": {"n": 90 + n} for n in range(10)}
        assert here.history_rows() == EVENTS


def test_hundred_warm_events_cost_five_calls(stack: Stack) -> None:
    with place(stack, "warm") as here:
        assert here.post(events(1000)) == 202
        stack.drain()
        calls = warm_calls(here)
        del calls["pubsub Push"]  # Pub/Sub's own calls of the functions
        assert sum(calls.values()) <= 5, calls
        assert here.history_rows() == EVENTS * 2


def warm_calls(here: Place) -> dict[str, int]:
    """Calls of each emulator for a hundred events, in a while without the sweep that comes every minute."""
    while True:
        while here.stack.processes()["scheduler"].in_flight:
            time.sleep(0.05)
        minute = clock.now_ms() // 60_000
        for service in EMULATORS:
            here.stack.reset_calls(service)
        assert here.post(events(2000)) == 202
        here.stack.drain()
        calls = {f"{name} {call}": n for name in EMULATORS for call, n in here.stack.calls(name).items()}
        if clock.now_ms() // 60_000 == minute:
            return calls


def test_killed_functions_lose_nothing(moving_stack: Stack) -> None:
    with place(moving_stack, "killed") as here:
        for round_ in range(3):
            assert here.post(events(3000 + round_ * EVENTS)) == 202
            moving_stack.kill_function("message_processor")
            moving_stack.kill_function("transponder")
        moving_stack.drain(skip_backoff=True)
        assert here.history_rows() == 3 * EVENTS
        assert here.states()["room-9"] == {"n": 3299}
