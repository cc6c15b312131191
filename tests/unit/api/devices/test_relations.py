"""Links: who may have how many, what owned and forwarding relations do, circles, races, permissions."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.api import Api
from tests.unit.api.devices.support import World


@pytest.fixture
def world(api: Api) -> World:
    return World(api)


async def link(http: httpx.AsyncClient, parent: str, relation: str, child: str) -> httpx.Response:
    return await http.post(f"/v1/device/{parent}/relations", json={"relation": relation, "childId": child})


async def cut(http: httpx.AsyncClient, parent: str, relation: str, child: str) -> httpx.Response:
    return await http.delete(f"/v1/device/{parent}/relations/{child}", params={"relation": relation})


async def test_a_child_is_linked_listed_and_cut(api: Api, world: World) -> None:
    room = world.add_blueprint("room")
    relation = world.relation(world.blueprint, "north/rooms", room, owned=True, forwardData=True)
    parent, child = world.add_device(), world.add_device(room)
    async with api.client(world.user()) as http:
        made = await link(http, parent, "north/rooms", child)
        assert made.status_code == 200, made.text
        again = await link(http, parent, relation, child)
        assert again.json() == made.json()
        stored = world.device(child)
        assert stored["links"] == [f"{relation}:{parent}"]
        assert stored["parentDeviceId"] == parent
        assert stored["forwardTo"] == [parent]
        listed = await http.get(f"/v1/device/{parent}/relations", params={"relation": "north/rooms"})
        assert [item["id"] for item in listed.json()["items"]] == [child]
        refused = await http.patch(f"/v1/device/{child}", json={"parentDeviceId": None})
        assert refused.json()["error"] == "device.owned"
        assert (await cut(http, parent, "north/rooms", child)).status_code == 200
        assert (await cut(http, parent, "north/rooms", child)).json()["error"] == "relation.notLinked"
    stored = world.device(child)
    assert stored["links"] == []
    assert "parentDeviceId" not in stored
    assert "forwardTo" not in stored


async def test_what_two_relations_give_stays_until_both_are_cut(api: Api, world: World) -> None:
    room = world.add_blueprint("room")
    for path in ("a", "b"):
        world.relation(world.blueprint, path, room, "manyToMany", owned=True, forwardData=True)
    parent, child = world.add_device(), world.add_device(room)
    async with api.client(world.user()) as http:
        for path in ("a", "b"):
            assert (await link(http, parent, path, child)).status_code == 200
        await cut(http, parent, "a", child)
        assert world.device(child)["parentDeviceId"] == parent
        assert world.device(child)["forwardTo"] == [parent]
        await cut(http, parent, "b", child)
    assert not {"parentDeviceId", "forwardTo"} & world.device(child).keys()


CARDINALITIES = [
    # Kind, whether two children of one parent, two parents of one child.
    ("oneToOne", False, False),
    ("oneToMany", True, False),
    ("manyToOne", False, True),
    ("manyToMany", True, True),
]


@pytest.mark.parametrize(("kind", "children", "parents"), CARDINALITIES)
async def test_cardinalities_hold_when_many_link_at_once(
    api: Api, world: World, kind: str, children: bool, parents: bool
) -> None:
    room = world.add_blueprint("room")
    world.relation(world.blueprint, "r", room, kind)
    top, many = world.add_device(), [world.add_device(room) for _ in range(8)]
    low, tops = world.add_device(room), [world.add_device() for _ in range(8)]
    async with api.client(world.user()) as http:
        down = await asyncio.gather(*(link(http, top, "r", child) for child in many))
        up = await asyncio.gather(*(link(http, parent, "r", low) for parent in tops))
        won = [a.json()["id"] for a in down if a.status_code == 200]
        assert len(won) == (8 if children else 1), [a.text for a in down]
        assert sum(a.status_code == 200 for a in up) == (8 if parents else 1), [a.text for a in up]
        errors = {a.json()["error"] for a in (*down, *up) if a.status_code != 200}
        assert errors <= {"device.childTaken", "relation.parentTaken"}
        # The place is free again for another one.
        await cut(http, top, "r", won[0])
        loser = next(child for child in many if child not in won or (children and child == won[0]))
        assert (await link(http, top, "r", loser)).status_code == 200
    assert len(world.device(low)["links"]) == (8 if parents else 1)


async def test_owned_relations_close_no_circle(api: Api, world: World) -> None:
    world.relation(world.blueprint, "parts", world.blueprint, owned=True)
    a, b, c = (world.add_device() for _ in range(3))
    async with api.client(world.user()) as http:
        assert (await link(http, a, "parts", b)).status_code == 200
        assert (await link(http, b, "parts", c)).status_code == 200
        assert (await link(http, c, "parts", a)).json()["error"] == "device.circle"
        assert (await link(http, a, "parts", a)).json()["error"] == "device.circle"
        d, e = world.add_device(), world.add_device()
        both = await asyncio.gather(link(http, d, "parts", e), link(http, e, "parts", d))
    assert sorted(answer.status_code for answer in both) == [200, 409]


async def test_foreign_devices_and_blueprints_are_refused(api: Api, world: World) -> None:
    room = world.add_blueprint("room")
    world.relation(world.blueprint, "r", room)
    other = World(api)
    parent, child = world.add_device(), world.add_device(room)
    elsewhere = world.add_device(room, world.add_system())
    wrong, foreign = world.add_device(), other.add_device(room)
    async with api.client(world.user()) as http:
        errors: list[Any] = []
        for relation, device in (("r", elsewhere), ("r", wrong), ("r", foreign), ("none", child)):
            answer = await link(http, parent, relation, device)
            errors.append(answer.json()["error"])
    assert errors == [
        "device.otherSystem",
        "relation.otherBlueprint",
        "device.notFound",
        "relation.notFound",
    ]


async def test_who_may_link_by_one_relation_may_not_by_another(api: Api, world: World) -> None:
    room = world.add_blueprint("room")
    one = world.relation(world.blueprint, "one", room)
    world.relation(world.blueprint, "two", room)
    parent, child = world.add_device(), world.add_device(room)
    async with api.client(world.user(f"relationship.create:{one}")) as http:
        assert (await link(http, parent, "two", child)).status_code == 403
        assert (await link(http, parent, "one", child)).status_code == 200
        assert (await cut(http, parent, "one", child)).status_code == 403
    async with api.client(world.user("device.createRelationship", on=("device", parent))) as http:
        stranger = world.add_device(room)
        assert (await link(http, parent, "two", stranger)).status_code == 403


async def test_no_link_to_a_parent_that_goes_meanwhile(api: Api, world: World) -> None:
    room = world.add_blueprint("room")
    world.relation(world.blueprint, "r", room, "manyToMany")
    parent, children = world.add_device(), [world.add_device(room) for _ in range(6)]
    async with api.client(world.user()) as http:

        async def gone() -> httpx.Response:
            await asyncio.sleep(0.01)
            return await http.delete(f"/v1/device/{parent}")

        *links, deleted = await asyncio.gather(*(link(http, parent, "r", c) for c in children), gone())
        late = await link(http, parent, "r", children[0])
    assert deleted.status_code == 200
    assert late.status_code == 410
    assert {answer.status_code for answer in links} <= {200, 400, 410}
