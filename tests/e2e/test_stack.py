"""The whole platform on one machine: from a device's request to its state and history."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, firestore

from local import seed
from local.stack import Emulator, Stack

EMULATORS: tuple[Emulator, ...] = ("pubsub", "firestore", "bigquery")
EVENTS = 100
pytestmark = pytest.mark.xdist_group("whole-stack")  # one stack for all, and in order
PROJECT = seed.SeedProject(
    id="whole",
    networks=(seed.SeedNetwork("gateways"),),
    blueprints={"room": None},
    devices=[seed.SeedDevice(f"room-{n}", "room", "gateways", f"serial-{n}") for n in range(10)],
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("whole")) as running:
        yield running


@pytest.fixture(scope="module")
def store(stack: Stack) -> Iterator[firestore.Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", stack.env()["FIRESTORE_EMULATOR_HOST"])
        client = firestore.Client(project=stack.project)
        yield client
        client.close()


@pytest.fixture(scope="module")
def key(store: firestore.Client) -> str:
    return seed.create(store, PROJECT)["gateways"]


def post(stack: Stack, key: str, events: list[dict[str, object]]) -> int:
    """Send events as a gateway does; the status."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps(events).encode()
    request = urllib.request.Request(f"{stack.url}/rcv/gateways", body, headers)  # noqa: S310 loopback
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 loopback
        return int(answer.status)


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


def test_events_become_state_and_history(stack: Stack, store: firestore.Client, key: str) -> None:
    assert post(stack, key, events(0)) == 202
    stack.drain()
    states = {item.id: item.to_dict()["data"] for item in store.collection("projects/whole/devices").stream()}
    assert states == {f"room-{n}": {"n": 90 + n} for n in range(10)}
    assert history_rows(stack) == EVENTS


def test_hundred_warm_events_cost_five_calls(stack: Stack, store: firestore.Client, key: str) -> None:
    post(stack, key, events(1000))
    stack.drain()
    for service in EMULATORS:
        stack.reset_calls(service)
    post(stack, key, events(2000))
    stack.drain()
    calls = {f"{service} {name}": n for service in EMULATORS for name, n in stack.calls(service).items()}
    del calls["pubsub Push"]  # Pub/Sub's own calls of the functions
    assert sum(calls.values()) <= 5, calls


def test_killed_functions_lose_nothing(stack: Stack, store: firestore.Client, key: str) -> None:
    before = history_rows(stack)
    for round_ in range(3):
        assert post(stack, key, events(3000 + round_ * EVENTS)) == 202
        stack.kill_function("message_processor")
        stack.kill_function("transponder")
    stack.drain(skip_backoff=True)
    assert history_rows(stack) == before + 3 * EVENTS
    state = store.document("projects/whole/devices/room-9").get().to_dict()
    assert state is not None
    assert state["data"] == {"n": 3299}
