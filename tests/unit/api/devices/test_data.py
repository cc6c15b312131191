"""Values of devices: the four forms, parts of the data, checks, units, and the event that comes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.api import Api
from tests.unit.api.devices.support import World


@pytest.fixture
def world(api: Api) -> World:
    return World(api)


def sent(api: Api, device: str) -> list[dict[str, Any]]:
    """The events of a device that went to the topic writer since the last look."""
    found = [json.loads(data) for data in api.topics.take("writer")]
    return [event for event in found if event["deviceId"] == device]


FORMS: list[Any] = [
    {"values": [{"path": "a/b", "value": 1}, {"path": "c", "value": None}]},
    [{"path": "a/b", "value": 1}, {"path": "c", "value": None}],
    {"keyValue": {"a/b": 1, "c": None}},
]


@pytest.mark.parametrize("body", FORMS)
async def test_each_form_is_one_event_to_the_writer(api: Api, world: World, body: Any) -> None:
    device = world.add_device(networkId=world.network)
    async with api.client(world.user()) as http:
        answer = await http.post(f"/v1/device/{device}/setValue", json=body)
    assert answer.status_code == 202, answer.text
    (event,) = sent(api, device)
    accepted = answer.json()
    assert event == {
        "type": "deviceDataEventMsg",
        "id": accepted["eventId"],
        "hash": event["hash"],
        "time": accepted["time"],
        "receivedTime": accepted["time"],
        "projectId": world.project,
        "deviceId": device,
        "systemId": world.system,
        "blueprintId": world.blueprint,
        "networkId": world.network,
        "data": [{"path": "a/b", "value": 1}, {"path": "c", "value": None}],
        "source": "api",
        "userId": event["userId"],
    }


async def test_one_value_and_one_event_for_one_key(api: Api, world: World) -> None:
    device = world.add_device()
    async with api.client(world.user()) as http:
        path, key = f"/v1/device/{device}/setValue", {"Idempotency-Key": "k"}
        first = await http.post(path, json={"path": "a", "value": 1}, headers=key)
        again = await http.post(path, json={"path": "a", "value": 1}, headers=key)
        other = await http.post(path, json={"path": "a", "value": 2}, headers=key)
    assert first.json() == again.json()
    assert other.json()["error"] == "idempotency.reused"
    one, two = sent(api, device)
    assert one == two


async def test_parts_are_read_replaced_merged_added_and_deleted(api: Api, world: World) -> None:
    device = world.add_device(data={"a": {"b": 1}, "c": [1, 2]})
    async with api.client(world.user()) as http:
        path = f"/v1/device/{device}/data"
        assert (await http.get(path)).json() == {"a": {"b": 1}, "c": [1, 2]}
        assert (await http.get(f"{path}/a/b")).json() == 1
        assert (await http.get(f"{path}/c")).json() == [1, 2]
        assert (await http.get(f"{path}/a/x")).json()["error"] == "data.notFound"
        await http.put(f"{path}/a", json={"x": 1})
        await http.patch(f"{path}/a", json={"x": 1})
        await http.patch(f"{path}/a", json=5, params={"raw": True})
        added = await http.post(f"{path}/list", json={"n": 1})
        await http.request("DELETE", f"{path}/a/b")
        await http.put(path, json={"a": 1})
        await http.patch(path, json={"a/b": 1})
    replace = {"path": "a", "value": {"x": 1}, "op": "replace"}
    assert [event["data"] for event in sent(api, device)] == [
        [replace],
        [{"path": "a", "value": {"x": 1}}],
        [{"path": "a", "value": 5, "op": "replace"}],
        [{"path": added.json()["path"], "value": {"n": 1}}],
        [{"path": "a/b", "value": None, "op": "delete"}],
        [{"path": "c", "value": None, "op": "delete"}, {"path": "a", "value": 1, "op": "replace"}],
        [{"path": "a/b", "value": 1}],
    ]


async def test_update_data_writes_what_fits_the_blueprint(api: Api, world: World) -> None:
    world.add_attribute(world.blueprint, "engine/temperature", type="temperature", unit="degC", max=150)
    device = world.add_device()
    path = f"/v1/device/{device}/setValue"
    async with api.client(world.user("device.updateData")) as http:
        good = await http.post(path, json={"path": "engine", "value": {"temperature": 20}})
        unit = {"path": "engine/temperature", "value": {"value": 212, "unit": "degF"}}
        converted = await http.post(path, json=unit)
        hot = await http.post(path, json={"path": "engine/temperature", "value": "hot"})
        over = await http.post(path, json={"path": "engine/temperature", "value": 151})
        unknown = await http.post(path, json={"path": "engine/rpm", "value": 1})
    assert good.status_code == converted.status_code == 202
    assert [a.json()["error"] for a in (hot, over, unknown)] == [
        "device.badValue",
        "device.badValue",
        "device.unknownPath",
    ]
    plain, made = sent(api, device)
    assert plain["data"] == [{"path": "engine", "value": {"temperature": 20}}]
    assert made["data"][0]["value"] == pytest.approx(100)
    async with api.client(world.user("device.updateAnyData")) as http:
        assert (await http.post(path, json={"path": "engine/temperature", "value": "hot"})).status_code == 202
        # A new attribute counts at once.
        world.add_attribute(world.blueprint, "engine/rpm", type="int")
        world.put(f"projects/{world.project}", name="p", revision=2)
    async with api.client(world.user("device.updateData")) as http:
        assert (await http.post(path, json={"path": "engine/rpm", "value": 1})).status_code == 202


BAD: list[tuple[str, str]] = [
    ('{"path": "a b", "value": 1}', "device.path"),
    ('{"path": "a", "value": {"b c": 1}}', "device.path"),
    ('{"path": "a", "value": NaN}', "device.value"),
    ('{"path": "a", "value": 9223372036854775808}', "device.value"),
    ('{"path": "a", "value": "\\ud800"}', "device.value"),
    ('{"path": "a", "value": ' + "[" * 20 + "]" * 20 + "}", "device.value"),
    ('{"values": []}', "device.noValues"),
    ('[{"path": "a", "value": null}, {"path": "b"}]', "device.noValue"),
    ('{"path": "a", "value": 1, "x": 2}', "request.invalid"),
    ("{}", "request.invalid"),
    ("not json", "request.invalid"),
]


@pytest.mark.parametrize(("body", "error"), BAD)
async def test_what_no_event_can_carry_is_refused(api: Api, world: World, body: str, error: str) -> None:
    device = world.add_device()
    async with api.client(world.user()) as http:
        headers = {"content-type": "application/json"}
        answer = await http.post(f"/v1/device/{device}/setValue", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert not sent(api, device)


async def test_without_permission_or_topic_nothing_is_written(api: Api, world: World) -> None:
    device, other = world.add_device(), world.add_device()
    path = f"/v1/device/{device}/setValue"
    async with api.client(world.user("device.read", "device.readData")) as http:
        assert (await http.post(path, json={"path": "a", "value": 1})).status_code == 403
    async with api.client(world.user("device.updateAnyData", on=("device", other))) as http:
        assert (await http.post(path, json={"path": "a", "value": 1})).status_code == 403
    async with api.client(world.user()) as http:
        api.topics.down = True
        try:
            down = await http.post(path, json={"path": "a", "value": 1})
        finally:
            api.topics.down = False
    assert down.status_code == 503
    assert not sent(api, device)
