"""A real reason process on real emulators, and a script's function beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fulcrum.core import ids
from fulcrum.script import loading
from local.processes import python, read_ready_line, spawn
from local.provision_bigquery import provision
from tests.support.emulators import Address, embedded
from tests.support.history import history_environment
from tests.support.push_stack import CLOUD_PROJECT, KINDS, PushStack, push_stack
from tests.support.reason import event


@dataclass
class Reason:
    """The process behind its subscription. Each test has a project and a script of its own."""

    stack: PushStack
    warehouse: Address
    folder: Path
    url: str
    project: str = ""
    _versions: Iterator[int] = field(default_factory=lambda: iter(range(1, 1000)))

    def event(self, event_id: str, device: str = "d1", **changes: Any) -> dict[str, Any]:
        """A message of this test's project, as message_processor sends it."""
        return event(event_id, device, **{"projectId": self.project, **changes})

    def device(self, device_id: str, **fields: Any) -> None:
        """Make a device."""
        known = {"name": device_id, "systemId": "s1", "blueprintId": "b1"}
        self.stack.put(f"projects/{self.project}/devices/{device_id}", **{**known, **fields})

    def deploy(self, text: str) -> int:
        """Serve a script as ``alarm``; returns its version."""
        version = next(self._versions)
        target = self.folder / str(version)
        target.mkdir()
        (target / "main.py").write_text(text)
        code = loading.load(target, version)
        loading.deactivate()
        (self.folder / "current").write_text(str(version))
        entries = msgspec.json.encode(list(code.entries.values())).decode()
        state = {"scriptId": "alarm", "state": "deployed", "version": version, "url": self.url}
        self.stack.put(f"projects/{self.project}/scriptStates/alarm", **state, entries=entries)
        return version

    def publish(self, data: Any, hops: int = 2) -> None:
        """Publish to the topic that reason takes."""
        self.stack.publish("reason", data, v="1", hops=str(hops), projectId=self.project)

    def below(self, collection: str) -> list[dict[str, Any]]:
        """The documents of a collection of the project."""
        return self.stack.collection(f"projects/{self.project}/{collection}")


@pytest.fixture(scope="module", params=KINDS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reason]:
    folder = tmp_path_factory.mktemp("reason")
    scripts = folder / "scripts"
    scripts.mkdir()
    with embedded("bigquery") as warehouse, history_environment(warehouse):
        provision(CLOUD_PROJECT, warehouse.http)
        further = {
            "FULCRUM_BIGQUERY_STORAGE_ENDPOINT": os.environ["FULCRUM_BIGQUERY_STORAGE_ENDPOINT"],
            "FULCRUM_CUSTOM_TOPICS": "dead-letter",
        }
        with push_stack(folder, "reason", kind=request.param, further=further) as stack:
            function = spawn("script", python("-m", "tests.support.script_function", str(scripts)))
            url = f"http://127.0.0.1:{read_ready_line(function)['http']}"
            stack.subscribe("reason", "reason")
            try:
                yield Reason(stack, warehouse, scripts, url)
            finally:
                function.kill()


@pytest.fixture
def reason(running: Reason) -> Iterator[Reason]:
    running.project = ids.new_id()
    running.device("d1")
    for topic in ("writer", "quarantine", "default-processor", "dead-letter"):
        running.stack.pull(topic)
    yield running
    running.stack.faults("pubsub")
    running.stack.faults("firestore")
