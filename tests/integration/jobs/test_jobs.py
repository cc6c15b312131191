"""The function on real topics and stores: thousands of devices in bounded steps, poison beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.clients import firestore, pubsub
from shared.model.blueprint import BLUEPRINT
from shared.model.system import SYSTEM
from tests.support.jobs import references
from tests.support.jobs_process import JobsProcess, jobs_process
from tests.support.projects import Farm, delete


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobsProcess]:
    folder: Path = tmp_path_factory.mktemp("jobs")
    with jobs_process(folder) as made:
        yield made


async def _begin(farm: Farm, kind: object, resource_id: str) -> str:
    job_id = str(await delete(farm.project, kind, resource_id))  # type: ignore[arg-type]  # a Kind of any model
    await firestore.close()
    await pubsub.close()
    return job_id


def test_a_deletion_is_cleared_by_pushes_while_poison_is_set_aside(running: JobsProcess) -> None:
    farm = Farm(running.api)

    async def poison() -> None:
        await pubsub.publish("jobs", [(b"no job", {"projectId": farm.project})])
        await pubsub.close()

    asyncio.run(poison())
    job_id = asyncio.run(_begin(farm, BLUEPRINT, farm.names["sensor"]))
    job = running.api.documents.document(farm.below("jobs", job_id))
    running.until(lambda: job.get().get("state") == "done")
    assert job.get().get("done") > len(farm.sensors)

    async def look() -> list[str]:
        try:
            return await references(farm.names["sensor"], *farm.sensors)
        finally:
            await firestore.close()

    assert asyncio.run(look()) == []


@pytest.mark.slow
def test_five_thousand_devices_go_in_bounded_steps(running: JobsProcess) -> None:
    farm = Farm(running.api, greenhouses=50, sensors=99)
    # All of them in one system.
    south = running.api.documents.collection(farm.below("devices")).where(
        filter=_equal("systemId", farm.names["south"])
    )
    moved = [document.reference for document in south.select([]).stream()]
    for start in range(0, len(moved), 500):
        batch = running.api.documents.batch()
        for reference in moved[start : start + 500]:
            batch.update(reference, {"systemId": farm.names["north"]})
        batch.commit()
    httpx.delete(f"{running.api.address.http}/calls").raise_for_status()
    job_id = asyncio.run(_begin(farm, SYSTEM, farm.names["north"]))
    job = running.api.documents.document(farm.below("jobs", job_id))
    running.until(lambda: job.get(["state"]).get("state") == "done", 400)
    calls = httpx.get(f"{running.api.address.http}/calls").json()
    assert job.get().get("done") > 5_000 * 4
    # 5,000 devices with an alias, a token, a role and a timer each are more than 40,000 writes.
    assert calls["Commit"] < 600, calls
    assert list(running.api.documents.collection(farm.below("devices")).limit(1).stream()) == []
    assert list(running.api.documents.collection("aliases").where(filter=_mine(farm)).stream()) == []


def _mine(farm: Farm) -> object:
    return _equal("projectId", farm.project)


def _equal(field: str, value: str) -> object:
    from google.cloud.firestore_v1.base_query import FieldFilter

    return FieldFilter(field, "==", value)
