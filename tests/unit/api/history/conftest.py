"""The API on an embedded Firestore and an embedded BigQuery; what it publishes is kept in a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from fulcrum.core import ids
from shared.clients import pubsub
from shared.errors import Transient
from tests.support.api import Api
from tests.support.history import History, embedded_history, history_environment


@dataclass
class Published:
    """What went to topics: (topic, message, attributes). ``fails``: it cannot be published."""

    messages: list[tuple[str, Any, Mapping[str, str]]] = field(default_factory=list)
    fails: bool = False

    async def publish(self, topic: str, messages: Sequence[tuple[bytes, Mapping[str, str]]]) -> list[str]:
        """As ``shared.clients.pubsub.publish``."""
        if self.fails:
            raise Transient("the topic does not answer")
        self.messages += [(topic, msgspec.json.decode(data), attributes) for data, attributes in messages]
        return [str(index) for index in range(len(messages))]


@pytest.fixture(scope="module")
def module_history() -> Iterator[History]:
    with embedded_history() as made:
        yield made


@pytest.fixture
def history(api: Api, module_history: History) -> Iterator[History]:
    with history_environment(module_history.address):
        yield module_history
        module_history.faults()


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Published:
    made = Published()
    monkeypatch.setattr(pubsub, "publish", made.publish)
    return made


@dataclass(frozen=True)
class Farm:
    """A project with systems ``s1``, ``s2`` and devices: d1 (s1), its child d2 (s1), d3 (s2)."""

    api: Api
    project: str

    def token(self, *permissions: str, on: tuple[str, str] | None = None) -> str:
        """A token of a new user who holds permissions on the project, or on a system or device."""
        return self.api.user(self.project, *permissions, on=on)


@pytest.fixture
def farm(api: Api) -> Farm:
    project = api.project(ids.new_id())
    where = api.documents.document(f"projects/{project}")
    for system in ("s1", "s2"):
        where.collection("systems").document(system).set({"name": system, "version": 1})
    for device, system, parent in (("d1", "s1", None), ("d2", "s1", "d1"), ("d3", "s2", None)):
        where.collection("devices").document(device).set(
            {
                "name": device,
                "systemId": system,
                "blueprintId": "b1",
                "networkId": "n1",
                **({"parentDeviceId": parent} if parent else {}),
            }
        )
    where.collection("deletions").document("device:gone").set({"kind": "device", "time": 5})
    return Farm(api, project)
