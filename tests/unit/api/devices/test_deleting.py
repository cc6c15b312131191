"""Deleting devices: gone at once, and then nothing that hung on them is left."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.api import Api
from tests.support.jobs import Jobs, jobs_function, references
from tests.unit.api.devices.support import World


@pytest.fixture
def world(api: Api) -> World:
    return World(api)


@pytest.fixture
async def jobs(api: Api) -> AsyncIterator[Jobs]:
    api.topics.messages.clear()
    async with jobs_function(api.topics) as made:
        yield made


async def _create(http: httpx.AsyncClient, path: str, **body: object) -> str:
    answer = await http.post(path, json={"name": "n"} | body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_what_a_device_owns_goes_with_it_and_names_are_free_again(
    api: Api, world: World, jobs: Jobs
) -> None:
    room, meter = world.add_blueprint("room"), world.add_blueprint("meter")
    world.relation(world.blueprint, "rooms", room, owned=True, forwardData=True)
    world.relation(room, "meter", meter, "oneToOne", owned=True)
    world.relation(world.blueprint, "seen", room, "manyToMany", forwardData=True)
    async with api.client(world.user()) as http:
        base = f"/v1/interface/{world.system}/coldStore"
        top = await _create(http, f"{base}/create", **world.aliased("S-1") | {"name": "top"})
        low = await _create(http, f"{base}/{top}/rooms", networkAliases={world.network: {"serial": "S-2"}})
        last = await _create(http, f"{base}/{top}/rooms/{low}/meter")
        friend = await _create(http, f"/v1/system/{world.system}/devices", blueprintId=room)
        seen = await http.post(f"{base}/{top}/seen", json={"deviceId": friend})
        assert seen.status_code == 200, seen.text
        assert world.device(friend)["forwardTo"] == [top]
        gone = await http.delete(f"/v1/device/{top}")
        assert gone.status_code == 200, gone.text
        params = {"networkId": world.network, "aliasKey": "serial", "value": "S-1"}
        assert (await http.get("/v1/device/getByNetworkAlias", params=params)).status_code == 404
        assert (await http.get(f"/v1/device/{top}")).status_code == 410
        assert await jobs.finish()
        for device in (low, last):
            assert (await http.get(f"/v1/device/{device}")).status_code == 410
        left = world.device(friend)
        assert left["links"] == []
        assert not left.get("forwardTo")
        again = await http.post(f"/v1/system/{world.system}/devices", json=world.aliased("S-1"))
        assert again.status_code == 201, again.text
    assert await references(top, low, last) == []


async def test_a_deletion_sent_again_starts_a_job_that_could_not_be_started(
    api: Api, world: World, jobs: Jobs
) -> None:
    device = world.add_device()
    async with api.client(world.user()) as http:
        path = f"/v1/device/{device}"
        first = await http.delete(path, headers={"If-Match": '"7"'})
        assert first.json()["error"] == "device.changed"
        assert world.device(device)["version"] == 1
        gone = await http.delete(path, headers={"If-Match": '"1"'})
        again = await http.delete(path)
        assert gone.status_code == again.status_code == 200
        assert again.json()["jobId"] == gone.json()["jobId"]
        await jobs.finish()
        done = await http.delete(path)
    assert done.status_code == 410
