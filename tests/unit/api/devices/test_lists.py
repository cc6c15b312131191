"""Lists of devices: filters, sorts, pages, and that everybody sees what he may, of his project alone."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest

from tests.support.api import Api
from tests.unit.api.devices.support import World


@pytest.fixture
def world(api: Api) -> World:
    return World(api)


async def pages(http: httpx.AsyncClient, path: str, **params: Any) -> list[str]:
    """The ids of all pages of a list, in their order."""
    seen: list[str] = []
    while True:
        answer = await http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["count"] == len(page["items"]) <= page["perPage"]
        seen += [item["id"] for item in page["items"]]
        if "next" not in page:
            return seen
        params["cursor"] = page["next"]


class Fleet:
    """Some devices of two blueprints and systems, and what lists of them should answer."""

    def __init__(self, world: World) -> None:
        self.blueprint, self.system = world.add_blueprint("other"), world.add_system()
        self.parent = world.add_device(name="zz top")
        self.fields = {self.parent: world.device(self.parent)}
        for number in range(12):
            more: dict[str, Any] = {"parentDeviceId": self.parent} if number % 2 else {}
            device = world.add_device(
                self.blueprint if number % 3 == 0 else "",
                self.system if number % 4 == 0 else "",
                name=f"{'ab'[number % 2]}{number}",
                tags=["odd"] if number % 2 else ["even", "x"],
                **more,
            )
            self.fields[device] = world.device(device)

    def expected(self, given: dict[str, str], sort: str) -> list[str]:
        """The ids that a list has to answer, in its order."""
        wanted = [device for device, fields in self.fields.items() if self._meets(fields, given)]
        by_name = sort != "id" or "name" in given
        wanted.sort(key=lambda one: (self.fields[one]["name"] if by_name else "", one))
        return wanted[::-1] if sort.startswith("-") else wanted

    def _meets(self, fields: dict[str, Any], given: dict[str, str]) -> bool:
        for key, value in given.items():
            if key == "tag":
                met = value in fields.get("tags", [])
            elif key == "name":
                met = fields["name"].startswith(value)
            else:
                met = fields.get(key) == value
            if not met:
                return False
        return True


async def test_every_filter_and_sort_is_answered_by_an_index(api: Api, world: World) -> None:
    fleet = Fleet(world)
    path = f"/v1/project/{world.project}/devices"
    filters = {
        "blueprintId": fleet.blueprint,
        "systemId": fleet.system,
        "parentDeviceId": fleet.parent,
        "tag": "odd",
        "name": "a",
    }
    async with api.client(world.user()) as http:
        for chosen in itertools.product((False, True), repeat=len(filters)):
            given = {key: value for (key, value), use in zip(filters.items(), chosen, strict=True) if use}
            for sort in ("id", "name", "-name"):
                assert await pages(http, path, perPage=4, sort=sort, **given) == fleet.expected(given, sort)
        counted = await http.get(path, params={"total": True, "tag": "odd", "perPage": 1, "refs": True})
        refused = await http.get(path, params={"sort": "-id"})
        foreign = await http.get(path, params={"cursor": counted.json()["next"], "tag": "even"})
    assert counted.json()["total"] == 6
    assert refused.json()["error"] == "request.invalid"
    assert foreign.json()["error"] == "cursor.invalid"


async def test_everybody_sees_what_he_may(api: Api, world: World) -> None:
    systems = [world.system, world.add_system(), world.add_system()]
    devices = {system: sorted(world.add_device(system=system) for _ in range(5)) for system in systems}
    one = devices[systems[2]][3]
    below = world.add_device(system=systems[2], parentDeviceId=one)
    path = f"/v1/project/{world.project}/devices"
    token = world.api.user(world.project, "device.list", "device.read", on=("system", systems[0]))
    async with api.client(token) as http:
        assert await pages(http, path, perPage=2) == devices[systems[0]]
        assert await pages(http, path, systemId=systems[1]) == []
        total = await http.get(path, params={"total": True, "perPage": 2})
        assert total.json()["total"] == 5
        assert (await http.get(f"/v1/device/{one}")).status_code == 403
    async with api.client(world.user("device.list", "device.read", on=("device", one))) as http:
        assert await pages(http, path) == [one]
        assert await pages(http, path, sort="-name") == [one]
        assert await pages(http, path, parentDeviceId=one) == [below]
        assert await pages(http, path, parentDeviceId=devices[systems[2]][0]) == []
        assert (await http.get(f"/v1/device/{below}")).status_code == 200
    async with api.client(world.user("device.read")) as http:
        assert (await http.get(path)).status_code == 403


async def test_systems_and_single_devices_together_make_one_list(api: Api, world: World) -> None:
    systems = [world.add_system() for _ in range(35)]
    inside = [world.add_device(system=system, name=f"n{place % 5}") for place, system in enumerate(systems)]
    alone = [world.add_device(name="n2") for _ in range(3)]
    unseen = world.add_device()
    token = world.user("device.list", on=("system", systems[0]))
    grants = api.documents.collection(f"projects/{world.project}/userRoles")
    (first,) = [grant.to_dict() for grant in grants.stream()]
    for kind, resources in (("system", systems[1:]), ("device", [*alone, inside[0]])):
        for resource in resources:
            grants.add(first | {"resourceKind": kind, "resourceId": resource})
    path = f"/v1/project/{world.project}/devices"
    async with api.client(token) as http:
        seen = await pages(http, path, perPage=4)
        assert seen == sorted([*inside, *alone])
        assert unseen not in seen
        assert sorted(await pages(http, path, perPage=4, sort="-name")) == seen
        total = await http.get(path, params={"total": True, "perPage": 1, "name": "n2"})
        assert total.json()["total"] == 7 + 3


async def test_two_projects_never_mix(api: Api, world: World) -> None:
    other = World(api)
    mine, theirs = world.add_device(tags=["t"]), other.add_device(tags=["t"])
    async with api.client(world.user()) as http:
        assert await pages(http, f"/v1/project/{world.project}/devices", tag="t") == [mine]
        assert (await http.get(f"/v1/project/{other.project}/devices")).status_code == 403
        listed = await http.get(f"/v1/system/{other.system}/devices")
        assert listed.json()["error"] == "system.notFound"
        for method, path, body in (
            ("GET", "", None),
            ("PATCH", "", {"name": "x"}),
            ("DELETE", "", None),
            ("GET", "/data", None),
            ("GET", "/verify", None),
            ("POST", "/setValue", {"path": "a", "value": 1}),
            ("PUT", "/data/a", 1),
            ("GET", "/relations?relation=a", None),
            ("POST", "/relations", {"relation": "a", "childId": mine}),
        ):
            answer = await http.request(method, f"/v1/device/{theirs}{path}", json=body)
            assert answer.status_code == 404, (method, path, answer.text)
    assert other.device(theirs)["name"] == theirs
