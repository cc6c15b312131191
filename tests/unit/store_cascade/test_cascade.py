"""What a deletion writes beside itself, and which kinds start a job."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fulcrum.core import ids
from functions.jobs import hanging
from shared.cascade import job
from shared.errors import ApiError
from shared.model.base import Kind
from shared.model.blueprint import BLUEPRINT
from shared.model.device import DEVICE
from shared.model.network import NETWORK
from shared.model.scenario import SCENARIO
from shared.model.system import SYSTEM
from shared.store import cascade
from shared.store.audit import Actor
from shared.store.change import Change
from shared.store.scope import Scope
from tests.support.api import Api
from tests.support.jobs import Jobs, everything, references
from tests.support.projects import Farm


def test_every_kind_with_rules_starts_a_job() -> None:
    assert set(hanging.RULES) | {"project"} == job.KINDS


def test_what_is_buried_is_of_the_kind_that_its_collection_holds() -> None:
    collections = {"device": "devices", "attribute": "attributes", "timer": "timers"}
    collections |= {
        "pendingUser": "pendingUsers",
        "scenario": "scenarios",
        "dashboard": "dashboards",
        "view": "views",
    }
    for rules in hanging.RULES.values():
        for rule in rules:
            if rule.effect == "bury":
                assert collections[rule.kind] == rule.collection


async def _deleted(project: str, *resources: tuple[Kind[Any], str]) -> list[str | None]:
    scope = Scope(project)
    change = Change(scope, Actor("user", "u1", "jo"), "r1")
    jobs = []
    for kind, resource_id in resources:
        stored = await scope.get(kind, resource_id)
        jobs.append(await cascade.begin(change, stored))
        change.delete(stored)
    await change.commit()
    return jobs


async def test_a_change_that_deletes_several_has_one_job_for_all(api: Api, jobs: Jobs) -> None:
    farm = Farm(api)
    first, second = await _deleted(
        farm.project, (SYSTEM, farm.names["north"]), (BLUEPRINT, farm.names["sensor"])
    )
    assert first == second
    await cascade.publish(Scope(farm.project), first)
    await jobs.finish()
    assert await references(farm.names["north"], farm.names["sensor"], *farm.sensors) == []


async def test_a_kind_on_which_nothing_hangs_has_no_job(api: Api, jobs: Jobs) -> None:
    farm = Farm(api)
    assert await _deleted(farm.project, (SCENARIO, farm.names["scenario"])) == [None]
    assert list(api.documents.collection(farm.below("jobs")).stream()) == []
    assert await cascade.resume(Scope(farm.project), "scenario", farm.names["scenario"]) is None


async def test_a_tombstone_keeps_the_definition_and_no_secret(api: Api, jobs: Jobs) -> None:
    farm = Farm(api)
    sensor = next(iter(farm.sensors))
    api.documents.document(f"networks/{farm.network}").update({"keys": {"k": {"hash": "top secret"}}})
    await _deleted(farm.project, (DEVICE, sensor), (NETWORK, farm.network))
    kept = api.documents.document(farm.below("deletions", f"device:{sensor}")).get().to_dict() or {}
    content = json.loads(kept["content"])
    assert content["networkAliases"] == {farm.network: {"serial": sensor}}
    assert "data" not in content
    assert "registers" not in content
    other = api.documents.document(farm.below("deletions", f"network:{farm.network}")).get()
    assert "secret" not in json.dumps(other.to_dict())


async def test_publishing_that_fails_is_said_and_can_be_done_again(api: Api, jobs: Jobs) -> None:
    farm, scope = Farm(api), None
    scope = Scope(farm.project)
    (job_id,) = await _deleted(farm.project, (SYSTEM, farm.names["north"]))
    jobs.topics.down = True
    try:
        with pytest.raises(ApiError) as caught:
            await cascade.publish(scope, job_id)
        assert (caught.value.status, caught.value.error) == (503, "job.notStarted")
        with pytest.raises(ApiError):
            await cascade.resume(scope, "system", farm.names["north"])
    finally:
        jobs.topics.down = False
    assert await cascade.resume(scope, "system", farm.names["north"]) == job_id
    await jobs.finish()
    assert await cascade.resume(scope, "system", farm.names["north"]) is None
    assert await cascade.resume(scope, "system", "never") is None


async def test_a_whole_project_goes_with_what_stands_beside_it(api: Api, jobs: Jobs) -> None:
    farm, other = Farm(api), Farm(api)
    member = ids.new_id()
    api.documents.document(f"users/{member}").set({"projects": [farm.project, other.project], "version": 1})
    entry = api.documents.document(farm.below("quarantine", "q1"))
    entry.set({"parts": 1})
    entry.collection("parts").document("0000").set({"data": b"x"})
    before = {path: fields for path, fields in (await everything()).items() if other.project in path}
    async with api.client(api.admin()) as http:
        query = {"projectId": farm.project}
        deleted = await http.delete(f"/v1/project/{farm.project}", params=query)
        assert deleted.status_code == 200, deleted.text
        await jobs.finish()
        done = await http.get(f"/v1/job/{deleted.json()['jobId']}", params=query)
        assert done.json()["state"] == "done", done.text
        assert (await http.get(f"/v1/project/{farm.project}", params=query)).status_code == 410
    left = [path for path in await everything() if path.startswith(f"projects/{farm.project}")]
    assert {path.split("/")[2] for path in left if path.count("/") > 1} == {"jobs", "deletions"}
    assert await references(farm.project, farm.network) == []
    assert api.documents.document(f"users/{member}").get().get("projects") == [other.project]
    after = {path: fields for path, fields in (await everything()).items() if other.project in path}
    assert after == before


async def test_a_relation_to_one_child_has_room_again(api: Api, jobs: Jobs) -> None:
    farm = Farm(api, greenhouses=1, sensors=2)
    (parent,) = farm.greenhouses
    relation = farm.names["sees"]
    api.documents.document(farm.below("attributes", relation)).update({"relationshipType": "oneToOne"})
    (child,) = farm.sensors_of(parent, "sees")
    lock = api.documents.document(farm.below("locks", ids.digest("device", "child", relation, parent)))
    lock.set({"kind": "device", "field": "child", "holder": child})
    (job_id,) = await _deleted(farm.project, (DEVICE, parent))
    await cascade.publish(Scope(farm.project), job_id)
    await jobs.finish()
    assert not lock.get().exists
    assert api.documents.document(farm.below("devices", child)).get().exists
