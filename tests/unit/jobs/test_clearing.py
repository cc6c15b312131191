"""What a deletion clears: everything that hung on it, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.cascade import job
from shared.model.api_access import API_ACCESS
from shared.model.attribute import ATTRIBUTE
from shared.model.base import Kind, Model, Resource
from shared.model.blueprint import BLUEPRINT
from shared.model.device import DEVICE
from shared.model.message_route import MESSAGE_ROUTE
from shared.model.role import ROLE
from shared.model.script import SCRIPT
from shared.model.system import SYSTEM
from shared.model.user import USER
from tests.support.api import Api
from tests.support.jobs import Jobs, everything, references
from tests.support.projects import Farm, delete

NETWORK: Kind[Resource] = Kind("network", "networks", Resource, Model, frozenset(), top_level=True)
_KINDS: dict[str, Kind[Any]] = {
    "north": SYSTEM,
    "greenhouse": BLUEPRINT,
    "sensor": BLUEPRINT,
    "owns": ATTRIBUTE,
    "seenBy": ATTRIBUTE,
    "route": MESSAGE_ROUTE,
    "role": ROLE,
    "user": USER,
    "key": API_ACCESS,
    "script": SCRIPT,
}


def job_of(api: Api, farm: Farm, job_id: str | None) -> dict[str, Any]:
    found: dict[str, Any] | None = api.documents.document(farm.below("jobs", str(job_id))).get().to_dict()
    assert found is not None
    return found


@pytest.mark.parametrize("name", sorted(_KINDS))
async def test_nothing_names_what_was_deleted(api: Api, jobs: Jobs, name: str) -> None:
    farm, other = Farm(api), Farm(api)
    before = {path: fields for path, fields in (await everything()).items() if other.project in path}
    job_id = await delete(farm.project, _KINDS[name], farm.names[name])
    await jobs.finish()
    done = job_of(api, farm, job_id)
    assert (done["state"], done["kind"]) == ("done", _KINDS[name].name)
    assert done["done"] > 0
    assert await references(farm.names[name]) == []
    after = {path: fields for path, fields in (await everything()).items() if other.project in path}
    assert after == before
    gone = [
        tombstone.get("resourceId")
        for tombstone in api.documents.collection(farm.below("deletions")).stream()
    ]
    assert await references(*gone) == []


async def test_a_device_takes_what_it_owns_and_leaves_what_it_sees(api: Api, jobs: Jobs) -> None:
    farm = Farm(api)
    parent = farm.greenhouses[0]
    owned, seen = farm.sensors_of(parent, "owns"), farm.sensors_of(parent, "sees")
    assert owned
    assert seen
    await delete(farm.project, DEVICE, parent)
    await jobs.finish()
    devices = {d.id: d.to_dict() for d in api.documents.collection(farm.below("devices")).stream()}
    assert not set(owned) & set(devices)
    for sensor in seen:
        assert devices[sensor]["links"] == []
        assert devices[sensor]["forwardTo"] == []
        assert devices[sensor]["version"] == 2
        assert devices[sensor]["data"] == {"a": 1}
    assert len(devices) == len(farm.greenhouses) + len(farm.sensors) - 1 - len(owned)
    assert await references(parent, *owned) == []
    told = {row["device_id"]: row["data"] for row in jobs.rows}
    assert {device for device, data in told.items() if '"deleted":true' in data} == {parent, *owned}
    assert set(told) == {parent, *owned, *seen}


async def test_a_relation_leaves_its_devices_without_links_and_copies(api: Api, jobs: Jobs) -> None:
    farm = Farm(api)
    await delete(farm.project, ATTRIBUTE, farm.names["sees"])
    await jobs.finish()
    devices = {d.id: d.to_dict() for d in api.documents.collection(farm.below("devices")).stream()}
    assert len(devices) == len(farm.greenhouses) + len(farm.sensors)
    for greenhouse in farm.greenhouses:
        for sensor in farm.sensors_of(greenhouse, "sees"):
            assert (devices[sensor]["links"], devices[sensor]["forwardTo"]) == ([], [])
        for sensor in farm.sensors_of(greenhouse, "owns"):
            assert devices[sensor]["forwardTo"] == [greenhouse]
    assert await references(farm.names["sees"], farm.names["seenBy"]) == []


async def test_a_relation_leaves_nobody_standing_under_who_owned_him(api: Api, jobs: Jobs) -> None:
    farm = Farm(api)
    parent = farm.greenhouses[0]
    owned = farm.sensors_of(parent, "owns")
    assert len(owned) > 1
    api.documents.document(farm.below("attributes", "also")).set(
        {"type": "relationship", "blueprintId": farm.names["greenhouse"], "owned": True, "path": "also"}
    )
    devices = api.documents.collection(farm.below("devices"))
    for sensor in owned:
        devices.document(sensor).update({"parentDeviceId": parent})
    links = devices.document(owned[0]).get().get("links")
    devices.document(owned[0]).update({"links": [*links, f"also:{parent}"]})
    await delete(farm.project, ATTRIBUTE, farm.names["owns"])
    await jobs.finish()
    found = {sensor: devices.document(sensor).get().to_dict() for sensor in owned}
    assert found[owned[0]]["parentDeviceId"] == parent
    assert not [sensor for sensor in owned[1:] if "parentDeviceId" in found[sensor]]


async def test_a_network_takes_its_outside_names_with_it(api: Api, jobs: Jobs) -> None:
    farm = Farm(api)
    await delete(farm.project, NETWORK, farm.network)
    await jobs.finish()
    assert await references(farm.network) == []
    devices = [d.to_dict() for d in api.documents.collection(farm.below("devices")).stream()]
    assert all(not device.get("networkAliases") for device in devices)
    assert len(devices) == len(farm.greenhouses) + len(farm.sensors)


async def test_the_event_path_and_the_audit_learn_of_it(api: Api, jobs: Jobs) -> None:
    farm = Farm(api)
    before = api.documents.document(f"projects/{farm.project}").get().get("revision")
    await delete(farm.project, DEVICE, farm.greenhouses[0])
    await jobs.finish()
    assert api.documents.document(f"projects/{farm.project}").get().get("revision") > before + 1
    entries = [d.to_dict() for d in api.documents.collection(farm.below("audit")).stream()]
    by_job = [entry for entry in entries if entry["actor"]["kind"] == "platform"]
    assert {entry["verb"] for entry in by_job} == {"deleted", "updated"}
    assert {entry["requestId"] for entry in by_job} == {"r1"}


async def test_large_resources_go_in_small_steps(api: Api, jobs: Jobs) -> None:
    farm = Farm(api, greenhouses=1, sensors=2)
    bulk = json.dumps(["x" * 300_000])
    for number in range(12):
        place = farm.below("scenarios", f"s{number}")
        api.documents.document(place).set({"blueprintId": farm.names["sensor"], "tracks": bulk})
    for sensor in farm.sensors:
        api.documents.document(farm.below("devices", sensor)).update({"metadata": {"x": "y" * 700_000}})
    job_id = await delete(farm.project, BLUEPRINT, farm.names["sensor"])
    await jobs.finish()
    assert job_of(api, farm, job_id)["state"] == "done"
    assert list(api.documents.collection(farm.below("scenarios")).stream()) == []
    entry = api.documents.collection(farm.below("audit")).where(filter=_equal("resourceId", "s3")).get()[0]
    assert len(entry.get("changes")) < 10_000


def _equal(name: str, value: str) -> Any:
    from google.cloud.firestore_v1.base_query import FieldFilter

    return FieldFilter(name, "==", value)


async def test_a_finished_job_that_is_told_again_does_nothing(api: Api, jobs: Jobs) -> None:
    farm = Farm(api)
    job_id = str(await delete(farm.project, SYSTEM, farm.names["north"]))
    await jobs.finish()
    before = await everything()
    assert await jobs.run(farm.project, job_id) == 204
    assert await everything() == before
    assert jobs.topics.take(job.TOPIC) == []
