"""A job whose process ends at any boundary is finished by the next run, and no orphan is left."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from functions.jobs import run
from shared.cascade import job
from shared.clients import firestore, history, pubsub
from shared.model.blueprint import BLUEPRINT
from shared.model.system import SYSTEM
from tests.support.api import Api
from tests.support.jobs import Jobs, references
from tests.support.projects import Farm, delete


class Killed(BaseException):
    """The process ended here."""


class Kills:
    """Ends the process at the n-th crossing of a boundary: each call has one before and one after it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.left = -1
        self.crossed = 0
        for module, name in ((firestore, "commit"), (history, "append"), (pubsub, "publish")):
            patch.setattr(module, name, self._wrapped(getattr(module, name)))

    def _wrapped(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def wrapped(*args: Any) -> Any:
            self._cross()
            answer = await call(*args)
            self._cross()
            return answer

        return wrapped

    def _cross(self) -> None:
        self.crossed += 1
        if self.left == 0:
            self.left = -1
            raise Killed
        self.left -= 1


async def _redelivered(jobs: Jobs, message: bytes, kills: Kills, at: int) -> bool:
    """Push a message until it is acknowledged; the process is killed once, at that boundary."""
    kills.left = at
    try:
        assert await jobs.post(message) == 204
        killed = False
    except Killed:
        killed = True
    kills.left = -1
    if killed:
        assert await jobs.post(message) == 204
    await jobs.finish()
    return killed


def _state(api: Api, farm: Farm, job_id: str | None) -> dict[str, Any]:
    found: dict[str, Any] | None = api.documents.document(farm.below("jobs", str(job_id))).get().to_dict()
    assert found is not None
    return found


async def test_killed_at_each_boundary_in_turn(api: Api, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    # Small steps, so that there are many boundaries.
    monkeypatch.setattr(run, "MAX_WRITES", 24)
    monkeypatch.setattr(run, "BUDGET", 0.0)
    kills, at, killed = Kills(monkeypatch), 0, True
    while killed:
        farm = Farm(api, greenhouses=2, sensors=2)
        job_id = await delete(farm.project, BLUEPRINT, farm.names["greenhouse"])
        (message,) = jobs.topics.take(job.TOPIC)
        killed = await _redelivered(jobs, message, kills, at)
        assert _state(api, farm, job_id)["state"] == "done"
        owned = [s for greenhouse in farm.greenhouses for s in farm.sensors_of(greenhouse, "owns")]
        assert await references(farm.names["greenhouse"], *farm.greenhouses, *owned) == []
        at += 1
    assert at > 4


@pytest.mark.parametrize("seed", range(3))
async def test_killed_again_and_again(
    api: Api, jobs: Jobs, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(run, "MAX_WRITES", 40)
    dice, kills = random.Random(seed), Kills(monkeypatch)
    farm = Farm(api, greenhouses=4, sensors=6)
    job_id = await delete(farm.project, SYSTEM, farm.names["north"])
    waiting, died = jobs.topics.take(job.TOPIC), 0
    while waiting:
        message = waiting.pop(0)
        kills.left = dice.randrange(12)
        try:
            assert await jobs.post(message) == 204
        except Killed:
            died += 1
            waiting.append(message)
        kills.left = -1
        waiting += jobs.topics.take(job.TOPIC)
    assert died
    assert _state(api, farm, job_id)["state"] == "done"
    gone = [d.get("resourceId") for d in api.documents.collection(farm.below("deletions")).stream()]
    assert len(gone) > len(farm.greenhouses)
    assert await references(*gone) == []


async def test_two_that_run_at_once_do_each_thing_once(api: Api, jobs: Jobs) -> None:
    import asyncio

    farm = Farm(api, greenhouses=4, sensors=6)
    job_id = await delete(farm.project, SYSTEM, farm.names["north"])
    (message,) = jobs.topics.take(job.TOPIC)
    assert await asyncio.gather(*(jobs.post(message) for _ in range(4))) == [204] * 4
    await jobs.finish()
    assert _state(api, farm, job_id)["state"] == "done"
    entries = [d.to_dict() for d in api.documents.collection(farm.below("audit")).stream()]
    seen = [(e["verb"], e["kind"], e["resourceId"]) for e in entries if e["actor"]["kind"] == "platform"]
    assert len(seen) == len(set(seen))
    assert _state(api, farm, job_id)["done"] > len(seen)


@pytest.mark.parametrize("method", ["Commit", "RunQuery", "BatchGetDocuments"])
async def test_while_the_store_is_down_the_message_comes_again(api: Api, jobs: Jobs, method: str) -> None:
    farm = Farm(api)
    job_id = await delete(farm.project, SYSTEM, farm.names["north"])
    (message,) = jobs.topics.take(job.TOPIC)
    _faults(api, {"method": method, "error_rate": 1.0})
    assert await jobs.post(message) == 500
    _faults(api)
    state = _state(api, farm, job_id)
    assert (state["state"], state["tries"]) == ("waiting", 0)
    assert await jobs.post(message) == 204
    assert _state(api, farm, job_id)["state"] == "done"


async def test_answers_of_the_store_that_are_lost_lose_nothing(api: Api, jobs: Jobs) -> None:
    farm = Farm(api, greenhouses=4, sensors=6)
    job_id = await delete(farm.project, SYSTEM, farm.names["north"])
    _faults(api, {"method": "Commit", "drop_answer_rate": 0.5, "error_rate": 0.2})
    waiting = jobs.topics.take(job.TOPIC)
    while waiting:
        message = waiting.pop(0)
        if await jobs.post(message) != 204:
            waiting.append(message)
        waiting += jobs.topics.take(job.TOPIC)
    _faults(api)
    assert _state(api, farm, job_id)["state"] == "done"
    gone = [d.get("resourceId") for d in api.documents.collection(farm.below("deletions")).stream()]
    assert await references(*gone) == []


async def test_a_step_that_is_refused_for_good_fails_the_job_with_its_reason(
    api: Api, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = Farm(api)
    job_id = await delete(farm.project, SYSTEM, farm.names["north"])
    (message,) = jobs.topics.take(job.TOPIC)
    jobs.refusals = {0: "column data: not JSON"}
    answers = [await jobs.post(message) for _ in range(run.MAX_TRIES)]
    assert answers == [500] * (run.MAX_TRIES - 1) + [204]
    failed = _state(api, farm, job_id)
    assert failed["state"] == "failed"
    assert "not JSON" in failed["reason"]
    # Sent again, once the reason is gone.
    jobs.refusals = {}
    assert await jobs.post(message) == 204
    done = _state(api, farm, job_id)
    assert done["state"] == "done"
    assert "reason" not in done


@pytest.mark.parametrize(
    "data", [b"", b"nonsense", b"[]", b'{"projectId": 1}', b'{"projectId": "a/b", "jobId": "x"}']
)
async def test_a_message_that_is_none_is_set_aside(api: Api, jobs: Jobs, data: bytes) -> None:
    assert await jobs.post(data, {"projectId": "farm"}) == 204
    (aside,) = [message for message in jobs.topics.messages if message[0] == "quarantine"]
    assert aside[1] == data
    assert (aside[2]["service"], aside[2]["projectId"]) == ("jobs", "farm")
    jobs.topics.down = True
    try:
        assert await jobs.post(data) == 500
    finally:
        jobs.topics.down = False


async def test_a_job_of_another_type_and_one_that_is_not_there(api: Api, jobs: Jobs) -> None:
    assert await jobs.run("nowhere", "nothing") == 204
    api.documents.document("projects/p1/jobs/j1").set({"type": "dance", "state": "waiting"})
    assert await jobs.run("p1", "j1") == 204
    (aside,) = [message for message in jobs.topics.messages if message[0] == "quarantine"]
    assert json.loads(aside[1]) == {"projectId": "p1", "jobId": "j1"}


def _faults(api: Api, *rules: dict[str, Any]) -> None:
    body = {"rules": list(rules), "seed": 7}
    httpx.post(f"{api.address.http}/faults", json=body).raise_for_status()
