"""The interface: walks to any depth, all by a star, one child without an id, writing at the end of a path."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from tests.support.api import Api
from tests.unit.api.devices.support import World


class House(World):
    """Sites with buildings with rooms, each room with one meter and many sensors."""

    def __init__(self, api: Api) -> None:
        super().__init__(api)
        self.system = self.add_system("north")
        site, building = self.add_blueprint("site"), self.add_blueprint("building")
        room, meter = self.add_blueprint("room"), self.add_blueprint("meter")
        self.kinds = {"site": site, "building": building, "room": room, "meter": meter}
        self.relations = {
            "buildings": self.relation(site, "buildings", building, owned=True),
            "rooms": self.relation(building, "rooms", room, owned=True),
            "rooms/cold": self.relation(building, "rooms/cold", room, "manyToMany"),
            "meter": self.relation(room, "meter", meter, "oneToOne"),
        }
        self.site = self.add("site")
        self.other_site = self.add("site")
        self.building = self.add("building", buildings=self.site)
        self.other_building = self.add("building", buildings=self.other_site)
        self.rooms = sorted(self.add("room", rooms=self.building) for _ in range(3))
        self.far_room = self.add("room", rooms=self.other_building)
        self.meters = [self.add("meter", meter=room) for room in self.rooms]
        self.cold = self.rooms[0]
        links = [
            f"{self.relations['rooms']}:{self.building}",
            f"{self.relations['rooms/cold']}:{self.building}",
        ]
        self.api.documents.document(f"projects/{self.project}/devices/{self.cold}").update({"links": links})

    def add(self, kind: str, **above: str) -> str:
        """A device of a blueprint below others."""
        links = [f"{self.relations[path]}:{parent}" for path, parent in above.items()]
        owner = next(iter(above.values()), None)
        more: dict[str, Any] = {"parentDeviceId": owner} if owner else {}
        return self.add_device(self.kinds[kind], self.system, links=links, **more)


@pytest.fixture
def house(api: Api) -> House:
    return House(api)


async def found(http: httpx.AsyncClient, path: str) -> list[str]:
    answer = await http.get(f"/v1/interface/{path}")
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_a_walk_of_three_by_aliases_and_ids(api: Api, house: House) -> None:
    async with api.client(house.user()) as http:
        assert await found(http, "north/site") == sorted([house.site, house.other_site])
        assert await found(http, f"north/site/{house.site}/buildings") == [house.building]
        path = f"north/site/{house.site}/buildings/{house.building}/rooms"
        assert await found(http, path) == house.rooms
        by_id = path.replace("north", house.system).replace("/site/", f"/{house.kinds['site']}/", 1)
        assert await found(http, by_id) == house.rooms
        one = await http.get(f"/v1/interface/{path}/{house.rooms[1]}")
        assert one.json()["id"] == house.rooms[1]
        assert one.headers["etag"] == '"1"'
        # One child needs no id.
        meter = await http.get(f"/v1/interface/{path}/{house.rooms[1]}/meter")
        assert meter.json()["id"] == house.meters[1]


async def test_the_longer_path_wins(api: Api, house: House) -> None:
    async with api.client(house.user()) as http:
        path = f"north/building/{house.building}"
        assert await found(http, f"{path}/rooms/cold") == [house.cold]
        assert await found(http, f"{path}/rooms") == house.rooms


async def test_all_of_every_level(api: Api, house: House) -> None:
    async with api.client(house.user()) as http:
        every = sorted([*house.rooms, house.far_room])
        assert await found(http, "north/site/*/buildings/*/rooms") == every
        assert await found(http, "north/site/*/buildings/*/rooms/*") == every
        assert await found(http, f"north/site/{house.site}/buildings/*/rooms") == house.rooms
        assert await found(http, f"north/site/*/buildings/{house.building}/rooms") == house.rooms
        meters = await found(http, f"north/site/{house.site}/buildings/*/rooms/*/meter")
        assert meters == sorted(house.meters)


async def test_what_does_not_stand_there_is_not_found(api: Api, house: House) -> None:
    wrong = [
        f"north/site/{house.building}",
        f"north/site/{house.site}/buildings/{house.other_building}",
        f"north/site/{house.other_site}/buildings/{house.building}/rooms",
        f"north/site/*/buildings/{house.rooms[0]}",
        f"north/site/{ids.new_id()}",
        f"south/site/{house.site}",
        f"north/sight/{house.site}",
        f"north/site/{house.site}/nothing",
        f"north/site/{house.site}/buildings/{house.building}/meter",
    ]
    async with api.client(house.user()) as http:
        for path in wrong:
            answer = await http.get(f"/v1/interface/{path}")
            assert answer.status_code == 404, (path, answer.text)
        deep = "/".join(["*", "parts"] * 20)
        house.relation(house.kinds["site"], "parts", house.kinds["site"])
        house.put(f"projects/{house.project}", name="p", revision=9)
        answer = await http.get(f"/v1/interface/north/site/{deep}")
        assert answer.json()["error"] == "interface.tooDeep"


async def test_pages_from_below_give_each_once(api: Api, house: House) -> None:
    buildings = [house.add("building", buildings=house.site) for _ in range(35)]
    rooms = [house.add("room", rooms=building) for building in buildings]
    strays = [house.add("room") for _ in range(20)]
    seen: list[str] = []
    async with api.client(house.user()) as http:
        params: dict[str, Any] = {"perPage": 7}
        while True:
            answer = await http.get(f"/v1/interface/north/site/{house.site}/buildings/*/rooms", params=params)
            page = answer.json()
            seen += [item["id"] for item in page["items"]]
            if "next" not in page:
                break
            params["cursor"] = page["next"]
    assert seen == sorted([*house.rooms, *rooms])
    assert not set(seen) & set(strays)


async def test_creating_linking_changing_and_deleting_at_the_end(api: Api, house: House) -> None:
    async with api.client(house.user()) as http:
        base = "/v1/interface/north/site"
        made = await http.post(f"{base}/create", json=house.aliased("S-1", blueprintId=house.kinds["site"]))
        assert made.status_code == 201, made.text
        site = made.json()["id"]
        assert made.json()["blueprintId"] == house.kinds["site"]
        key = {"Idempotency-Key": "k"}
        below = await http.post(f"{base}/{site}/buildings", json={"name": "B"}, headers=key)
        again = await http.post(f"{base}/{site}/buildings", json={"name": "B"}, headers=key)
        assert below.status_code == 201, below.text
        assert again.json() == below.json()
        building = below.json()["id"]
        stored = house.device(building)
        assert stored["links"] == [f"{house.relations['buildings']}:{site}"]
        assert stored["parentDeviceId"] == site
        room = house.add("room")
        path = f"{base}/{site}/buildings/{building}/rooms/cold"
        linked = await http.post(path, json={"deviceId": room})
        assert linked.status_code == 200, linked.text
        meter = await http.post(f"{path}/{room}/meter", json={"name": "M"})
        assert meter.status_code == 201, meter.text
        second = await http.post(f"{path}/{room}/meter", json={"name": "M"})
        assert second.json()["error"] == "device.childTaken"
        changed = await http.patch(f"{path}/{room}", json={"name": "Renamed"})
        assert changed.json()["name"] == "Renamed"
        cut = await http.delete(f"{path}/{room}", params={"unlink": True})
        assert cut.json()["status"] == "unlinked"
        assert house.device(room)["links"] == []
        assert (await http.delete(f"{path}/{room}")).status_code == 404
        gone = await http.delete(f"{base}/{site}/buildings/{building}")
        assert gone.json()["status"] == "deleted"
        found_by = await http.get(
            f"{base}/getDeviceByNetworkAlias",
            params={"networkId": house.network, "aliasKey": "serial", "value": "S-1"},
        )
        assert found_by.json()["id"] == site
        elsewhere = await http.get(
            f"/v1/interface/north/room/{house.rooms[0]}/meter/getDeviceByNetworkAlias",
            params={"networkId": house.network, "aliasKey": "serial", "value": "S-1"},
        )
        assert elsewhere.status_code == 404


async def test_who_names_all_changes_none_though_there_is_only_one(api: Api, house: House) -> None:
    site = house.add("site")
    async with api.client(house.user()) as http:
        path = f"/v1/interface/north/site/{site}/buildings"
        only = (await http.post(path, json={"name": "B"})).json()["id"]
        room = (await http.post(f"{path}/{only}/rooms", json={"name": "R"})).json()["id"]
        meter = (await http.post(f"{path}/{only}/rooms/{room}/meter", json={"name": "M"})).json()["id"]
        for end in ("", "/", "/*", f"/{only}/rooms", f"/{only}/rooms/*/meter"):
            for answer in (
                await http.delete(f"{path}{end}"),
                await http.delete(f"{path}{end}", params={"unlink": True}),
                await http.patch(f"{path}{end}", json={"name": "all"}),
            ):
                assert (answer.status_code, answer.json()["error"]) == (400, "interface.several"), end
        below = await http.post(f"{path}/*/rooms", json={"name": "x"})
        assert below.json()["error"] == "interface.several"
        assert [house.device(device)["name"] for device in (only, room, meter)] == ["B", "R", "M"]
        # By names, or by the one child of one that is named, it is clear who is meant.
        assert (await http.delete(f"{path}/{only}/rooms/{room}/meter")).status_code == 200
        assert (await http.delete(f"/v1/interface/north/site/*/buildings/{only}")).status_code == 200


async def test_only_what_one_may_see_is_walked(api: Api, house: House) -> None:
    async with api.client(house.user(on=("device", house.building))) as http:
        assert await found(http, "north/building") == [house.building]
        assert await found(http, f"north/building/{house.building}/rooms") == house.rooms
        assert await found(http, "north/building/*/rooms") == house.rooms
        assert (await http.get(f"/v1/interface/north/building/{house.other_building}")).status_code == 403
        assert (await http.get(f"/v1/interface/north/site/{house.site}/buildings")).status_code == 403
        refused = await http.post(f"/v1/interface/north/site/{house.site}/buildings", json={"name": "x"})
        assert refused.status_code == 403
        assert (await http.get(f"/v1/device/{house.rooms[0]}")).status_code == 200
    async with api.client(house.user(on=("system", house.add_system()))) as http:
        assert await found(http, "north/building") == []
        assert (await http.get(f"/v1/interface/north/building/{house.building}")).status_code == 403


async def test_another_projects_walk_is_not_found(api: Api, house: House) -> None:
    other = House(api)
    async with api.client(house.user()) as http:
        for path in (f"{other.system}/site", f"north/site/{other.site}", f"north/{other.kinds['site']}"):
            answer = await http.get(f"/v1/interface/{path}")
            assert answer.status_code == 404, (path, answer.text)


async def test_a_search_below_a_device(api: Api, house: House) -> None:
    async with api.client(house.user()) as http:
        body = {"sort": [{"field": "id"}]}
        for path, expected in (
            ("site.search", sorted([house.site, house.other_site])),
            (f"site/{house.site}/buildings/{house.building}/rooms.search", house.rooms),
        ):
            answer = await http.post(f"/v1/interface/north/{path}", json=body)
            assert answer.status_code == 200, answer.text
            assert sorted(item["id"] for item in answer.json()["items"]) == expected
        wrong = await http.post(f"/v1/interface/north/site/{house.site}", json={"name": "x"})
        assert wrong.status_code == 405
