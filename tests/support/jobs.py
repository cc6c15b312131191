"""The function that runs jobs, in this process: pushes to its true entry, a look at what it leaves behind."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import functions_framework.aio
import httpx
import pytest

from local.processes import ROOT
from shared import history_wire, names, values
from shared.cascade import job
from shared.clients import firestore, history
from shared.clients.firestore_pb import messages
from shared.history import schema
from tests.support.api import Topics
from tests.support.processing import push

# Where an id may stand after its resource is gone: what says that it was there.
MEMORY = ("deletions", "jobs", "audit", "idempotency")


@dataclass
class Jobs:
    """The function, its topics, and the rows that it appended to the history."""

    client: httpx.AsyncClient
    topics: Topics
    rows: list[dict[str, Any]] = field(default_factory=list)
    refusals: dict[int, str] = field(default_factory=dict)

    async def append(self, rows: Sequence[bytes]) -> dict[int, str]:
        """Take rows as :func:`shared.clients.history.append` does."""
        if self.refusals:
            return self.refusals
        read = history_wire.row_class(schema())
        for row in rows:
            found = read.FromString(row)
            self.rows.append({f.name: value for f, value in found.ListFields()})
        return {}

    async def post(self, data: bytes, attributes: Mapping[str, str] | None = None) -> int:
        """Push a message; the status of the answer."""
        body = push(data, dict(attributes or {}), "m1", "projects/p/subscriptions/jobs-jobs")
        return (await self.client.post("/", content=body)).status_code

    async def run(self, project_id: str, job_id: str) -> int:
        """Push one message of a job."""
        return await self.post(json.dumps({"projectId": project_id, "jobId": job_id}).encode())

    async def finish(self) -> int:
        """Push what was published until nothing is; returns how many messages that were."""
        count = 0
        while waiting := self.topics.take(job.TOPIC):
            for data in waiting:
                count += 1
                assert await self.post(data) == 204
        return count


@asynccontextmanager
async def jobs_function(topics: Topics) -> AsyncIterator[Jobs]:
    """The function on the Firestore that the environment names; it publishes to ``topics``."""
    app = functions_framework.aio.create_asgi_app(
        target="jobs", source=str(ROOT / "functions/jobs/main.py"), signature_type="http"
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://jobs") as client:
        made = Jobs(client, topics)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(history, "append", made.append)
            yield made
    await firestore.close()


async def everything() -> dict[str, dict[str, Any]]:
    """All documents of the store: path → fields."""
    built: Any = messages().StructuredQuery()
    built.from_.add(all_descendants=True)
    root = f"{names.database()}/documents"
    found = await firestore.run_query(root, built)
    return {d.name.removeprefix(f"{root}/"): values.from_fields(d.fields) for d in found}


async def references(*resource_ids: str) -> list[str]:
    """The documents that still name one of these ids, beside those that say that it was there."""
    found = []
    for path, fields in (await everything()).items():
        collections = path.split("/")[::2]
        if any(collection in MEMORY for collection in collections):
            continue
        text = path + json.dumps(fields, default=str)
        if any(resource_id in text for resource_id in resource_ids):
            found.append(path)
    return found
