"""The API over an embedded Firestore and an embedded BigQuery; each test has a project of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from fulcrum.core import ids
from fulcrum.script import identity
from fulcrum.script.replay import lines
from shared import clock, script_runs
from shared.config import settings
from tests.support.api import Api, embedded_api, environment
from tests.support.history import History, embedded_history, history_environment

_TIMES = ("started", "stored_time", "event_time", "received_time")
_JSON = ("message", "params", "effects", "cache", "script_cache", "logs")


@dataclass
class Place:
    """A project with a script, its history, and the operation that is tested."""

    api: Api
    history: History
    project: str = field(default_factory=ids.new_id)
    script: str = "s1"

    def put(self, collection: str, identity_: str, /, **fields: Any) -> None:
        """A document of the project."""
        self.api.documents.document(f"projects/{self.project}/{collection}/{identity_}").set(fields)

    def key(self, device: str, event: str) -> str:
        """The name of a run."""
        return identity.run_key(self.project, device, event, f"h-{event}", self.script, "")

    def ran(self, started: int, event: str | None, device: str | None = "d1", **changes: Any) -> None:
        """A row of a run. Times are epoch ms."""
        key = self.key(device or "", event or str(started))
        row: dict[str, Any] = {
            "project_id": self.project,
            "script_id": self.script,
            "started": started,
            "run_key": key,
            "stored_time": started,
            "version": 1,
            "entry": "run",
            "device_id": device,
            "blueprint_id": "b1",
            "event_id": event,
            "content_hash": f"h-{event}",
            "event_time": started,
            "received_time": started,
            "status": "done",
            "result": "unchanged",
        } | changes
        row = {name: value for name, value in row.items() if value is not None}
        plain = {
            name: clock.from_ms(value).isoformat()
            if name in _TIMES
            else json.dumps(value)
            if name in _JSON
            else value
            for name, value in row.items()
        }
        client = bigquery.Client(
            project=settings().cloud_project,
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=self.history.address.http),
        )
        table = client.get_table(f"{settings().bigquery_dataset}.{script_runs.TABLE}")
        assert client.insert_rows_json(table, [plain]) == []
        client.close()

    async def ask(self, body: dict[str, Any], token: str = "") -> list[lines.AnyLine]:
        """The lines that the operation answers."""
        status, content = await self.raw(body, token)
        assert status == 200, content
        found = [lines.decoder.decode(line) for line in content.splitlines()]
        assert isinstance(found[0], lines.Header)
        assert isinstance(found[-1], lines.End)
        return found

    async def raw(self, body: dict[str, Any], token: str = "") -> tuple[int, bytes]:
        """Status and body of an answer."""
        token = token or self.api.user(self.project, "script.read", "device.readHistory")
        async with self.api.client(token) as client:
            answer = await client.post(f"/v1/script/{self.script}/replayInput", json=body)
            return answer.status_code, answer.content


@pytest.fixture(scope="package")
def running_history() -> Iterator[History]:
    with embedded_history() as made:
        yield made


@pytest.fixture(scope="package")
def running_api(running_history: History) -> Iterator[Api]:
    with embedded_api() as made:
        yield made


@pytest.fixture
def place(running_api: Api, running_history: History) -> Iterator[Place]:
    with history_environment(running_history.address), environment(running_api.address, running_api.topics):
        made = Place(running_api, running_history)
        running_api.project(made.project, name="Farm")
        made.put("scripts", "s1", name="Too warm", alias="tooWarm", code="def run(m, c): pass\n", version=1)
        for device in ("d1", "d2"):
            made.put("devices", device, name=device, systemId="sys", blueprintId="b1", version=1)
        made.put("systems", "sys", name="North", version=1)
        made.put("blueprints", "b1", name="Sensor", alias="sensor", version=1)
        yield made
        running_history.faults()
