"""Who places a device under one on which he holds more gains nothing on it by that."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from fulcrum.core import ids
from functions.api.access import tokens
from tests.support.api import Api
from tests.unit.api.devices.support import World

ON_SYSTEM = ("device.update", "device.createRelationship", "device.create")


@pytest.fixture
def world(api: Api) -> World:
    return World(api)


@pytest.fixture
def mine(world: World) -> str:
    """A device on which the caller may do everything."""
    return world.add_device()


@pytest.fixture
async def http(api: Api, world: World, mine: str) -> AsyncIterator[httpx.AsyncClient]:
    """A caller who may move the devices of the system, and do everything with one of them."""
    token = world.user(*ON_SYSTEM, on=("system", world.system))
    world.put(f"projects/{world.project}/roles/everything", name="everything", permissions=["*"])
    given = {"subjectKind": "user", "subjectId": tokens.verify(token)["sub"], "roleId": "everything"}
    on = {"resourceKind": "device", "resourceId": mine}
    world.put(f"projects/{world.project}/userRoles/{ids.new_id()}", **given, **on)
    async with api.client(token) as client:
        yield client


async def test_by_its_parent(http: httpx.AsyncClient, world: World, mine: str) -> None:
    below, other, another = world.add_device(parentDeviceId=mine), world.add_device(), world.add_device()
    for parent in (mine, below):
        moved = await http.patch(f"/v1/device/{other}", json={"parentDeviceId": parent})
        assert (moved.status_code, moved.json()["error"]) == (403, "device.exceedsYours")
    assert (await http.get(f"/v1/device/{other}")).status_code == 403
    # Where he holds no more than before, and what he may do everything with already, he moves.
    assert (await http.patch(f"/v1/device/{other}", json={"parentDeviceId": another})).status_code == 200
    assert (await http.patch(f"/v1/device/{below}", json={"parentDeviceId": another})).status_code == 200


async def test_by_an_owned_relation(http: httpx.AsyncClient, world: World, mine: str) -> None:
    world.relation(world.blueprint, "owned", world.blueprint, owned=True)
    world.relation(world.blueprint, "beside", world.blueprint)
    other = world.add_device()
    body = {"relation": "owned", "childId": other}
    linked = await http.post(f"/v1/device/{mine}/relations", json=body)
    assert (linked.status_code, linked.json()["error"]) == (403, "device.exceedsYours")
    beside = await http.post(f"/v1/device/{mine}/relations", json=body | {"relation": "beside"})
    assert beside.status_code == 200
    assert (await http.get(f"/v1/device/{other}")).status_code == 403


async def test_by_a_table(http: httpx.AsyncClient, world: World, mine: str) -> None:
    other = world.add_device()
    path = f"/v1/project/{world.project}/devices/import"
    head = "id,externalId,name,blueprint,system,parent"
    tables = [
        [f"{other},,,,,{mine}"],
        [f",new,N,{world.blueprint},{world.system},{mine}", f"{other},,,,,new"],
    ]
    for rows in tables:
        table = "\r\n".join([head, *rows])
        answer = await http.post(path, content=table, headers={"Content-Type": "text/csv"})
        assert answer.status_code == 422
        assert "device.exceedsYours" in answer.text
    assert world.device(other).get("parentDeviceId") is None
