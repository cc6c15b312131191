"""A script from its deployment to its events, on a whole stack: kills and restarts included."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import msgspec
import psutil
import pytest
from google.cloud import firestore
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

from local import seed, watchdog
from local.stack import Stack
from shared import script_documents
from tests.support.scripts import (
    PROJECT,
    ask_deployment,
    put_script,
    put_version,
    read_deployment,
    read_state,
)

SCRIPT = "scaling"
ROUTE = [[{"topic": "reason", "options": {"reasoner": {"id": SCRIPT, "targetFunction": "run"}}}, "writer"]]
WORKSHOP = seed.SeedProject(
    id=PROJECT,
    networks=(seed.SeedNetwork("gateways"),),
    blueprints={"room": ROUTE},
    devices=[seed.SeedDevice("room-1", "room", "gateways", "serial-1")],
)
CODE = """
def run(message, context):
    for write in message["data"]:
        write["value"] = write["value"] * {factor}
    return message
"""


@dataclass
class Workshop:
    """A project on a stack, with a script in the route of its device."""

    stack: Stack
    documents: Any
    key: str
    sent: int = 0

    def ask(self, version: int) -> str:
        """Have a version deployed; the deployment's id."""
        message = ask_deployment(self.documents, SCRIPT, version)
        with grpc.insecure_channel(self.stack.env()["PUBSUB_EMULATOR_HOST"]) as channel:
            publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
            topic = f"projects/{self.stack.project}/topics/{script_documents.TOPIC}"
            publisher.publish(topic=topic, messages=[{"data": msgspec.json.encode(message)}])
        return message.deployment_id

    def deployment(self, deployment_id: str) -> dict[str, Any]:
        """A deployment once it is finished."""
        ends = ("serving", "failed", "done")
        eventually(lambda: read_deployment(self.documents, deployment_id)["state"] in ends)
        return read_deployment(self.documents, deployment_id)

    def send(self, value: float) -> None:
        """Send an event of the device."""
        self.sent += 1
        event = {"deviceId": "serial-1", "id": str(self.sent), "data": {"level": value}}
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        url = f"{self.stack.url}/rcv/gateways"
        request = urllib.request.Request(url, json.dumps(event).encode(), headers)  # noqa: S310 loopback
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 loopback
            assert answer.status == 202

    def level(self) -> Any:
        """What the device's state says."""
        found = self.documents.document(f"projects/{PROJECT}/devices/room-1").get().to_dict() or {}
        return found.get("data", {}).get("level")


def eventually(check: Callable[[], Any], seconds: float = 60.0) -> Any:
    """The first true value that ``check`` gives; AssertionError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < deadline, f"still {value!r}"
        time.sleep(0.02)
    return value


@contextmanager
def client(stack: Stack, patch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Google's client of a stack's Firestore."""
    patch.setenv("FIRESTORE_EMULATOR_HOST", stack.env()["FIRESTORE_EMULATOR_HOST"])
    made = firestore.Client(project=stack.project)
    yield made
    made.close()


@pytest.mark.slow
def test_script_serves_through_new_versions_kills_and_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    with Stack(tmp_path / "one", data=data) as stack, client(stack, monkeypatch) as documents:
        workshop = Workshop(stack, documents, seed.create(documents, WORKSHOP)["gateways"])
        put_script(documents, SCRIPT, CODE.format(factor=2))
        for version, code in (
            (1, CODE.format(factor=2)),
            (2, "import nothing\n"),
            (3, CODE.format(factor=3)),
        ):
            put_version(documents, SCRIPT, version, code)

        first = workshop.deployment(workshop.ask(1))
        assert (first["state"], "serves: run" in first["message"]) == ("serving", True), first
        workshop.send(21.0)
        stack.drain()
        assert workshop.level() == 42.0

        # A broken one changes nothing.
        failed = workshop.deployment(workshop.ask(2))
        assert (failed["state"], "main.py:1: there is no module" in failed["message"]) == ("failed", True)
        workshop.send(22.0)
        stack.drain()
        assert workshop.level() == 44.0

        # The deployer dies in the middle; the message comes again, and what was begun is gone on with.
        third = workshop.ask(3)
        eventually(lambda: read_deployment(documents, third).get("operation"))
        stack.kill_function("deployer")
        stack.drain(skip_backoff=True)
        assert workshop.deployment(third)["state"] == "serving"
        workshop.send(20.0)
        stack.drain(skip_backoff=True)
        assert workshop.level() == 60.0

        # So does what serves it.
        stack.kill_emulator("functions")
        workshop.send(30.0)
        stack.drain(skip_backoff=True)
        assert workshop.level() == 90.0
        mark = json.loads((tmp_path / "one" / "stack.json").read_text())["mark"]
        assert [pid for pid in watchdog.marked(mark) if "script-" in _said(pid)], "scripts bear the mark"

    assert not watchdog.marked(mark), "what a stack has started ends with it"
    with Stack(tmp_path / "two", data=data) as stack, client(stack, monkeypatch) as documents:
        again = Workshop(stack, documents, workshop.key, workshop.sent)
        assert read_state(documents, SCRIPT)["version"] == 3
        again.send(31.0)
        stack.drain(skip_backoff=True)
        assert again.level() == 93.0


def _said(pid: int) -> str:
    """The environment of a process that says which function it is."""
    try:
        return psutil.Process(pid).environ().get("K_SERVICE", "")
    except psutil.Error:
        return ""  # it ended meanwhile
