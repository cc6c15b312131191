"""Devices as resources: aliases, placement, lists, races, and what the event path reads of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fulcrum.core import ids
from shared import history, history_wire
from tests.support.api import Api
from tests.unit.api.devices.support import World, latest_definition


@pytest.fixture
def world(api: Api) -> World:
    return World(api)


def definitions(api: Api, device: str) -> list[dict[str, Any]]:
    """The rows of the history of definitions, decoded."""
    message: Any = history_wire.row_class(history.schema())
    rows = [message.FromString(row) for row in api.topics.rows]
    return [{"kind": row.kind, "data": row.data} for row in rows if row.device_id == device]


async def test_a_device_is_created_read_changed_and_deleted(api: Api, world: World) -> None:
    async with api.client(world.user()) as http:
        made = await http.post(f"/v1/system/{world.system}/devices", json=world.aliased("SN-1"))
        assert made.status_code == 201, made.text
        device = made.json()["id"]
        assert made.headers["etag"] == '"1"'
        assert world.device(device)["networkAliases"] == {world.network: {"serial": "SN-1"}}
        assert world.get(f"aliases/{ids.alias_id(world.network, 'serial', 'SN-1')}") == {
            "projectId": world.project,
            "deviceId": device,
            "networkId": world.network,
            "aliasKey": "serial",
            "value": "SN-1",
        }
        changed = await http.patch(f"/v1/device/{device}", json={"name": "Other", "metadata/floor": 2})
        assert changed.status_code == 200, changed.text
        assert changed.json()["metadata"] == {"floor": 2}
        read = await http.get(f"/v1/device/{device}")
        assert read.json() == changed.json()
        assert read.headers["etag"] == '"2"'
        gone = await http.delete(f"/v1/device/{device}")
        assert gone.json() | {"jobId": ""} == {
            "status": "deleted",
            "id": device,
            "systemId": world.system,
            "jobId": "",
        }
        assert (await http.get(f"/v1/device/{device}")).json()["error"] == "device.gone"
    kinds = definitions(api, device)
    assert [row["kind"] for row in kinds] == ["device"] * 3
    assert '"version":2' in kinds[1]["data"]
    assert '"deleted":true' in kinds[2]["data"]


async def test_the_state_and_the_registers_survive_every_change(api: Api, world: World) -> None:
    state: dict[str, Any] = {
        "data": {"a": {"b": 1}},
        "registers": b"{}",
        "firstSeen": 5,
        "lastSeen": 6,
        "lastEventTime": 6,
    }
    device = world.add_device(**state)
    async with api.client(world.user()) as http:
        answer = await http.patch(f"/v1/device/{device}", json=[{"path": "tags", "value": "x", "op": "add"}])
        assert answer.json()["data"] == {"a": {"b": 1}}
        assert "registers" not in answer.json()
        refused = await http.patch(f"/v1/device/{device}", json={"data/a/b": 2})
        assert refused.json()["error"] == "device.path"
        part = await http.get(f"/v1/device/{device}", params={"paths": "a/b,c"})
        assert part.json()["data"] == {"a": {"b": 1}}
    assert state.items() <= world.device(device).items()


async def test_of_fifty_who_take_one_alias_at_once_one_wins(api: Api, world: World) -> None:
    async with api.client(world.user()) as http:
        path = f"/v1/system/{world.system}/devices"
        answers = await asyncio.gather(*(http.post(path, json=world.aliased("SN-1")) for _ in range(50)))
        listed = await http.get(path, params={"total": True})
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert {answer["error"] for answer in refused} == {"device.aliasTaken"}
    assert f"{world.network}/serial/SN-1" in refused[0]["message"]
    assert listed.json()["total"] == 1


async def test_another_projects_device_is_never_named(api: Api, world: World) -> None:
    other = World(api)
    triple = ids.alias_id(other.network, "serial", "SN-1")
    device = other.add_device()
    other.put(
        f"aliases/{triple}",
        projectId=other.project,
        deviceId=device,
        networkId=other.network,
        aliasKey="serial",
        value="SN-1",
    )
    async with api.client(world.user()) as http:
        body = world.body(networkAliases={other.network: {"serial": "SN-1"}})
        foreign = await http.post(f"/v1/system/{world.system}/devices", json=body)
        params = {"networkId": other.network, "aliasKey": "serial", "value": "SN-1"}
        looked = await http.get("/v1/device/getByNetworkAlias", params=params)
        read = await http.get(f"/v1/device/{device}")
        placed = await http.post(f"/v1/system/{world.system}/devices", json=world.body(parentDeviceId=device))
        elsewhere = await http.post(f"/v1/system/{other.system}/devices", json=world.body())
    assert foreign.json()["error"] == "device.unknownNetwork"
    assert looked.status_code == 404
    assert device not in looked.text
    assert read.status_code == 404
    assert placed.json()["error"] == "device.unknownDevice"
    assert elsewhere.status_code == 404


async def test_leaving_a_network_drops_the_aliases_there(api: Api, world: World) -> None:
    second = f"net-{ids.new_id().lower()}"
    world.put(f"networks/{second}", projectId=world.project, name="2", aliasKeys=["serial"])
    async with api.client(world.user()) as http:
        made = await http.post(f"/v1/system/{world.system}/devices", json=world.aliased("SN-1"))
        device, before = made.json()["id"], world.revision
        moved = await http.patch(
            f"/v1/device/{device}",
            json={"networkId": second, f"networkAliases/{second}": {"serial": "SN-1"}},
        )
        assert moved.status_code == 200, moved.text
        assert moved.json()["networkAliases"] == {second: {"serial": "SN-1"}}
        found = await http.get(
            "/v1/device/getByNetworkAlias",
            params={"networkId": second, "aliasKey": "serial", "value": "SN-1"},
        )
        again = await http.post(f"/v1/system/{world.system}/devices", json=world.aliased("SN-1"))
        unknown = await http.patch(f"/v1/device/{device}", json={f"networkAliases/{second}": {"imei": "1"}})
    assert world.revision > before
    assert found.json()["id"] == device
    assert again.status_code == 201
    assert unknown.json()["error"] == "device.unknownAliasKey"


async def test_what_events_do_not_need_leaves_the_revision(api: Api, world: World) -> None:
    device = world.add_device()
    async with api.client(world.user()) as http:
        before = world.revision
        await http.patch(f"/v1/device/{device}", json={"metadata/floor": 2})
        assert world.revision == before
        route = {"deviceDataEventMsg": ["writer"]}
        routed = await http.patch(f"/v1/device/{device}", json={"messageRoute": route})
        bad = await http.patch(f"/v1/device/{device}", json={"messageRoute": {"smsMsg": 1}})
        nowhere = {"deviceDataEventMsg": ["undeclared"]}
        undeclared = await http.patch(f"/v1/device/{device}", json={"messageRoute": nowhere})
        none = await http.patch(f"/v1/device/{device}", json={"messageRouteId": "nowhere"})
    assert world.revision == before + 1
    assert routed.json()["messageRoute"] == route
    assert world.device(device)["messageRoute"] == '{"deviceDataEventMsg":["writer"]}'
    assert bad.json()["error"] == undeclared.json()["error"] == "device.messageRoute"
    assert none.json()["error"] == "device.unknownMessageRoute"


async def test_of_fifty_changes_at_once_none_is_lost_while_events_come(api: Api, world: World) -> None:
    device = world.add_device(tags=[])
    document = api.documents.document(f"projects/{world.project}/devices/{device}")
    done = asyncio.Event()

    async def events() -> None:
        number = 0
        while not done.is_set():
            number += 1
            await asyncio.to_thread(document.update, {"data.n": number, "lastSeen": number})
            await asyncio.sleep(0.02)

    async with api.client(world.user()) as http:
        path = f"/v1/device/{device}"

        async def add(number: int) -> None:
            while True:
                now = await http.get(path)
                tags = [*now.json()["tags"], f"t{number}"]
                answer = await http.patch(
                    path, json={"tags": tags}, headers={"If-Match": now.headers["etag"]}
                )
                if answer.status_code == 200:
                    return
                assert answer.status_code in (409, 412), answer.text

        writing = asyncio.create_task(events())
        await asyncio.gather(*(add(number) for number in range(50)))
        done.set()
        await writing
    stored = world.device(device)
    assert sorted(stored["tags"]) == sorted(f"t{number}" for number in range(50))
    assert stored["version"] == 51
    assert stored["data"]["n"] == stored["lastSeen"] > 1


async def test_a_creation_sent_again_is_one_device(api: Api, world: World) -> None:
    async with api.client(world.user()) as http:
        path, key = f"/v1/system/{world.system}/devices", {"Idempotency-Key": "k"}
        answers = await asyncio.gather(
            *(http.post(path, json=world.aliased("SN-1"), headers=key) for _ in range(8))
        )
        other = await http.post(path, json=world.aliased("SN-2"), headers=key)
    assert {answer.status_code for answer in answers} == {201}, [a.text for a in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert other.json()["error"] == "idempotency.reused"


async def test_nothing_stands_under_itself(api: Api, world: World) -> None:
    top = world.add_device()
    middle = world.add_device(parentDeviceId=top)
    low = world.add_device(parentDeviceId=middle)
    elsewhere = world.add_device(system=world.add_system())
    async with api.client(world.user()) as http:
        circle = await http.patch(f"/v1/device/{top}", json={"parentDeviceId": low})
        other = await http.patch(f"/v1/device/{top}", json={"parentDeviceId": elsewhere})
        # Each harmless by itself, together they would close a circle.
        a, b = world.add_device(), world.add_device()
        both = await asyncio.gather(
            http.patch(f"/v1/device/{a}", json={"parentDeviceId": b}),
            http.patch(f"/v1/device/{b}", json={"parentDeviceId": a}),
        )
    assert circle.json()["error"] == "device.circle"
    assert other.json()["error"] == "device.otherSystem"
    assert sorted(answer.status_code for answer in both) == [200, 409]


async def test_a_failing_history_changes_nothing(api: Api, world: World) -> None:
    device = world.add_device()
    async with api.client(world.user()) as http:
        api.topics.down = True
        try:
            refused = await http.patch(f"/v1/device/{device}", json={"name": "x"})
        finally:
            api.topics.down = False
    assert refused.status_code == 503
    assert world.device(device)["name"] == device


async def test_the_history_of_definitions_ends_with_what_is_true(api: Api, world: World) -> None:
    device = world.add_device(tags=[])
    async with api.client(world.user()) as http:
        path, match = f"/v1/device/{device}", {"If-Match": '"1"'}
        answers = await asyncio.gather(
            *(http.patch(path, json={"name": f"n{number}"}, headers=match) for number in range(20))
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19
        assert latest_definition(api, device)["name"] == world.device(device)["name"]
        both = await asyncio.gather(
            *(http.post(f"/v1/system/{world.system}/devices", json=world.aliased("S-1")) for _ in range(6))
        )
        (made,) = (answer.json()["id"] for answer in both if answer.status_code == 201)
        await http.delete(path)
    message: Any = history_wire.row_class(history.schema())
    rows = [message.FromString(data) for data in api.topics.rows]
    others = {row.device_id for row in rows if row.project_id == world.project} - {made}
    assert "deleted" not in latest_definition(api, made)
    assert all(latest_definition(api, other)["deleted"] for other in others)


async def test_verify_names_what_is_missing(api: Api, world: World) -> None:
    good = world.add_device()
    bad = world.add_device(networkId="gone", networkAliases={world.network: {"serial": "x"}}, links=["a:b"])
    async with api.client(world.user()) as http:
        assert (await http.get(f"/v1/device/{good}/verify")).json() == {
            "id": good,
            "ok": True,
            "problems": [],
        }
        found = (await http.get(f"/v1/device/{bad}/verify")).json()
    assert not found["ok"]
    assert len(found["problems"]) == 4


BAD_PATCHES: list[tuple[str, str]] = [
    ('{"metadata/\\ud800": 1}', "request.invalid"),
    ('{"metadata": {"a": NaN}}', "device.invalid"),
    ('{"systemId": "x"}', "device.path"),
    ('{"blueprintId": "x"}', "device.path"),
    ('{"links": []}', "device.path"),
    ('{"registers": "x"}', "device.path"),
    ('{"networkAliases": 5}', "device.invalid"),
    ('{"parentDeviceId": "a/b"}', "device.invalid"),
    ('[{"path": "name", "op": "remove"}]', "device.invalid"),
    ("null", "request.invalid"),
]


@pytest.mark.parametrize(("body", "error"), BAD_PATCHES)
async def test_a_bad_change_is_refused_by_name(api: Api, world: World, body: str, error: str) -> None:
    device = world.add_device()
    async with api.client(world.user()) as http:
        headers = {"content-type": "application/json"}
        answer = await http.patch(f"/v1/device/{device}", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert world.device(device)["version"] == 1
