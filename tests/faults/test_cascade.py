"""A cascade whose process is killed at random points is finished by redelivery, and leaves no orphan."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

from shared.clients import firestore, history, pubsub
from shared.model.device import DEVICE
from shared.model.system import SYSTEM
from tests.support.jobs import references
from tests.support.jobs_process import JobsProcess, jobs_process
from tests.support.projects import Farm, delete

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobsProcess]:
    with jobs_process(tmp_path_factory.mktemp("jobs")) as made:
        yield made


def _delete(farm: Farm, kind: Any, resource_id: str) -> str:
    async def do() -> str:
        try:
            return str(await delete(farm.project, kind, resource_id))
        finally:
            await firestore.close()
            await pubsub.close()

    return asyncio.run(do())


def _references(*ids: str) -> list[str]:
    async def look() -> list[str]:
        try:
            return await references(*ids)
        finally:
            await firestore.close()
            await history.close()

    return asyncio.run(look())


def _job(running: JobsProcess, farm: Farm, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = running.api.documents.document(farm.below("jobs", job_id)).get().to_dict() or {}
    return found


def _gone(running: JobsProcess, farm: Farm) -> list[str]:
    found = running.api.documents.collection(farm.below("deletions")).stream()
    return [document.get("resourceId") for document in found]


def test_killed_at_random_points_it_is_finished_by_redelivery(running: JobsProcess) -> None:
    dice = random.Random(11)
    farm = Farm(running.api, greenhouses=60, sensors=6)
    job_id = _delete(farm, SYSTEM, farm.names["north"])
    for _ in range(6):
        time.sleep(dice.uniform(0.05, 0.6))
        running.kill()
        running.start()
    running.until(lambda: _job(running, farm, job_id).get("state") == "done")
    gone = _gone(running, farm)
    devices = [place for place in range(60) if place % 2 == 0]
    assert len(gone) >= len(devices) * 7
    assert _references(farm.names["north"]) == []
    assert _references(*gone) == []
    left = [d.to_dict() for d in running.api.documents.collection(farm.below("devices")).stream()]
    assert len(left) == 30 * 7
    assert {device["systemId"] for device in left} == {farm.names["south"]}


@pytest.mark.parametrize(
    "rule",
    [
        {"method": "Commit", "drop_answer_rate": 0.4},
        {"method": "*", "error_rate": 0.2},
        {"method": "Commit", "error_rate": 0.5, "code": "ABORTED"},
    ],
)
def test_while_the_store_fails_now_and_then_nothing_is_left(
    running: JobsProcess, rule: dict[str, Any]
) -> None:
    farm = Farm(running.api, greenhouses=4, sensors=6)
    job_id = _delete(farm, DEVICE, farm.greenhouses[0])
    running.faults(running.api.address, rule)
    time.sleep(0.5)
    running.faults(running.api.address)
    running.until(lambda: _job(running, farm, job_id).get("state") == "done")
    assert _references(*_gone(running, farm)) == []


def test_while_the_history_is_away_the_devices_wait_and_are_told_of_once(running: JobsProcess) -> None:
    farm = Farm(running.api, greenhouses=2, sensors=4)
    running.faults(running.warehouse, {"method": "AppendRows", "error_rate": 1.0})
    job_id = _delete(farm, DEVICE, farm.greenhouses[0])
    time.sleep(1.0)
    assert _job(running, farm, job_id)["state"] != "done"
    running.faults(running.warehouse)
    running.until(lambda: _job(running, farm, job_id).get("state") == "done")
    told = running.rows(
        "SELECT device_id, JSON_VALUE(data, '$.deleted') AS deleted FROM history.device_events "
        f"WHERE project_id = '{farm.project}' AND time > TIMESTAMP '2020-01-01' AND kind = 'device'"
    )
    deleted = {row["device_id"] for row in told if row["deleted"] == "true"}
    assert deleted == {farm.greenhouses[0], *farm.sensors_of(farm.greenhouses[0], "owns")}
