"""The curator in this process, on embedded stores: pushes to its true entry, and what it left behind."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import functions_framework.aio
import httpx
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore as official

from fulcrum.core import fold, ids
from local.processes import ROOT
from shared import history
from shared.clients import bigquery, firestore, pubsub
from shared.clients import history as history_client
from shared.config import settings
from shared.retention import curation
from tests.support.api import CLOUD_PROJECT, Topics
from tests.support.emulators import embedded
from tests.support.history import History, embedded_history
from tests.support.processing import push

DAY_MS = 86_400_000


@dataclass
class Curator:
    """The function, the stores that it works on, and the topics that it publishes to."""

    client: httpx.AsyncClient
    history: History
    documents: official.Client
    topics: Topics = field(default_factory=Topics)

    async def post(self, data: bytes, attributes: Mapping[str, str] | None = None) -> int:
        """Push a message; the status of the answer."""
        body = push(data, dict(attributes or {}), "m1", "projects/p/subscriptions/curation-db-curator")
        return (await self.client.post("/", content=body)).status_code

    async def tick(self, body: bytes = b'{"type": "curateMsg"}') -> int:
        """What Cloud Scheduler posts."""
        return (await self.client.post("/", content=body)).status_code

    async def store(self, project_id: str, store: str, now: int, run: str = "") -> int:
        """Push the message of one store, and what follows it; the last answer's status."""
        message = {"type": "curateStoreMsg", "projectId": project_id, "store": store, "now": now}
        status = await self.post(json.dumps({**message, "run": run or ids.new_id()}).encode())
        while status == 204 and (waiting := self.topics.take(curation.TOPIC)):
            for data in waiting:
                status = await self.post(data)
        return status

    async def finish(self) -> list[int]:
        """Push what was published until nothing is; the answers' statuses."""
        statuses = []
        while waiting := self.topics.take(curation.TOPIC):
            statuses += [await self.post(data) for data in waiting]
        return statuses

    def project(self, project_id: str, retention: Any = None) -> str:
        """Make a project's document."""
        made = {"name": project_id, "revision": 1, "version": 1}
        if retention is not None:
            made["retention"] = retention
        self.documents.document(f"projects/{project_id}").set(made)
        return project_id

    def blueprint(self, project_id: str, blueprint_id: str, retention: dict[str, Any]) -> None:
        """Make a blueprint's document."""
        where = f"projects/{project_id}/blueprints/{blueprint_id}"
        self.documents.document(where).set({"alias": blueprint_id, "retention": retention})

    def deletion(self, project_id: str, device_id: str, time: int) -> None:
        """Note that a device was deleted, as the API does."""
        where = f"projects/{project_id}/deletions/device:{device_id}"
        self.documents.document(where).set({"kind": "device", "resourceId": device_id, "time": time})

    def tasks(self, project_id: str) -> dict[str, dict[str, Any]]:
        """The documents of a project's curations."""
        found = self.documents.collection(f"projects/{project_id}/curations").stream()
        # Beside them stands what they remember of the last one.
        return {one.id: one.to_dict() or {} for one in found if not one.id.startswith("last-")}

    def result(self, project_id: str, store: str) -> dict[str, Any]:
        """What all curations of a store did, added up."""
        counts: dict[str, Any] = {}
        for task in self.tasks(project_id).values():
            if task["store"] == store:
                for name, count in json.loads(task["result"]).items():
                    counts[name] = counts.get(name, 0) + count
        return counts


async def rows(project_id: str, table: str = history.TABLE) -> list[dict[str, Any]]:
    """All rows of a project: its times in epoch microseconds, lists joined by commas."""
    return await asked(
        "SELECT kind, device_id, blueprint_id, system_id, UNIX_MICROS(time) AS time, event_id, "
        "original_time, UNIX_MICROS(stored_time) AS stored_time, record_id, historical, data, "
        "ARRAY_TO_STRING(cleared, ',') AS cleared, ARRAY_TO_STRING(written, ',') AS written, content_hash "
        f"FROM `{settings().bigquery_dataset}.{table}` "
        "WHERE project_id = @project AND time >= TIMESTAMP '2000-01-01'",
        project_id,
        (
            *("kind", "device_id", "blueprint_id", "system_id", "time", "event_id", "original_time"),
            *("stored_time", "record_id", "historical", "data", "cleared", "written", "content_hash"),
        ),
    )


async def asked(sql: str, project_id: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """The rows of a query of one project, by name."""
    job = await bigquery.start(sql, [("project", "STRING", project_id)], f"t_{ids.new_id()}", 2**40, 30)
    found = [cells async for page in bigquery.pages(job, 10_000, 30) for cells in page.rows]
    return [dict(zip(names, cells, strict=True)) for cells in found]


async def states(project_id: str) -> dict[str, dict[str, Any]]:
    """Device → nested data: the fold of what history there is."""
    registers = await folded(project_id)
    made = {device_id: fold.derive(one) for device_id, one in registers.items()}
    return {device_id: data for device_id, data in made.items() if data}


async def folded(project_id: str) -> dict[str, fold.Registers]:
    """Device → its registers, folded from what history there is."""
    found: dict[str, fold.Registers] = {}
    for row in await rows(project_id):
        event = history.folded(
            {
                **row,
                "time": int(row["time"]),
                "historical": row["historical"] == "true",
                "cleared": row["cleared"].split(",") if row["cleared"] else (),
            }
        )
        if event is not None:
            fold.fold(found.setdefault(row["device_id"], {}), [event])
    return found


@contextmanager
def curator_stores() -> Iterator[tuple[History, official.Client]]:
    """BigQuery with the platform's tables and a strict Firestore, and this process pointed at them."""
    options = ("--strict", "--indexes", str(ROOT / "firestore.indexes.json"))
    with (
        embedded_history() as past,
        embedded("firestore", *options) as address,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("FIRESTORE_EMULATOR_HOST", address.grpc)
        settings.cache_clear()
        documents = official.Client(project=CLOUD_PROJECT, credentials=AnonymousCredentials())
        yield past, documents
        documents.close()


@asynccontextmanager
async def curator_function(past: History, documents: official.Client) -> AsyncIterator[Curator]:
    """The function on stores that :func:`curator_stores` made."""
    app = functions_framework.aio.create_asgi_app(
        target="db_curator", source=str(ROOT / "functions/db_curator/main.py"), signature_type="http"
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://curator") as client:
        made = Curator(client, past, documents)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pubsub, "publish", made.topics.publish)
            yield made
    await history_client.close()
    await firestore.close()
