"""Unknown devices: listed, forgotten, adopted once."""

from __future__ import annotations

import asyncio

import pytest

from fulcrum.core import ids
from tests.support.api import Api
from tests.unit.api.joining.support import site


async def test_listed_latest_first_shown_and_forgotten(api: Api) -> None:
    here = site(api)
    older = here.unknown(api, "a", lastSeen=1000, sample="no json {")
    newer = here.unknown(api, "b")
    async with api.client(api.admin()) as http:
        path = f"/v1/project/{here.project}/unknownDevices"
        listed = (await http.get(path, params={"networkId": here.network, "total": True})).json()
        assert [item["id"] for item in listed["items"]] == [newer, older]
        assert listed["total"] == 2
        page = (await http.get(path, params={"perPage": 1})).json()
        rest = (await http.get(path, params={"perPage": 1, "cursor": page["next"]})).json()
        assert [item["value"] for item in (*page["items"], *rest["items"])] == ["b", "a"]
        shown = (await http.get(f"/v1/unknownDevice/{newer}", params=here.query)).json()
        assert shown["sample"] == {"data": [{"path": "a", "value": 1}]}
        assert listed["items"][1]["sample"] == "no json {"
        gone = await http.delete(f"/v1/unknownDevice/{newer}", params=here.query)
        assert gone.status_code == 200, gone.text
        assert (await http.get(f"/v1/unknownDevice/{newer}", params=here.query)).status_code == 404


async def test_a_name_that_a_device_has_got_is_unknown_no_more(api: Api) -> None:
    here = site(api)
    here.unknown(api, "a")
    here.unknown(api, "b")
    body = {
        "name": "n",
        "blueprintId": here.blueprint,
        "networkId": here.network,
        "networkAliases": {here.network: {"serial": "a"}},
    }
    async with api.client(api.admin()) as http:
        await http.post(f"/v1/system/{here.system}/devices", params=here.query, json=body)
        listed = (await http.get(f"/v1/project/{here.project}/unknownDevices")).json()
    assert ([item["value"] for item in listed["items"]], listed["count"]) == (["b"], 1)


async def test_of_fifty_who_adopt_it_at_once_one_wins(api: Api) -> None:
    here = site(api)
    unknown = here.unknown(api, "SN-1")
    body = {"blueprintId": here.blueprint, "systemId": here.system, "tags": ["new"]}
    async with api.client(api.admin()) as http:
        path = f"/v1/unknownDevice/{unknown}/adopt"
        answers = await asyncio.gather(*(http.post(path, params=here.query, json=body) for _ in range(50)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [201] + [409] * 49, [a.text for a in answers if a.status_code not in (201, 409)]
        (won,) = [answer.json() for answer in answers if answer.status_code == 201]
        assert won["name"] == "SN-1"
        assert won["networkAliases"] == {here.network: {"serial": "SN-1"}}
        late = await http.post(path, params=here.query, json=body)
        assert late.json()["error"] == "unknownDevice.adopted"
        assert won["id"] in late.json()["message"]
        assert (await http.get(f"/v1/unknownDevice/{unknown}", params=here.query)).status_code == 410
    alias = api.documents.document(f"aliases/{ids.alias_id(here.network, 'serial', 'SN-1')}").get()
    assert alias.get("deviceId") == won["id"]
    devices = list(api.documents.collection(f"projects/{here.project}/devices").stream())
    assert [device.id for device in devices] == [won["id"]]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"blueprintId": "nothing"}, "device.unknownBlueprint"),
        ({"systemId": "nothing"}, "system.notFound"),
        ({"blueprintId": 7}, "request.invalid"),
        ({"color": "red"}, "request.invalid"),
    ],
)
async def test_a_wrong_adoption_changes_nothing(api: Api, change: dict[str, object], error: str) -> None:
    here = site(api)
    unknown = here.unknown(api, "SN-1")
    body = {"blueprintId": here.blueprint, "systemId": here.system} | change
    async with api.client(api.admin()) as http:
        answer = await http.post(f"/v1/unknownDevice/{unknown}/adopt", params=here.query, json=body)
        assert answer.json()["error"] == error
        assert (await http.get(f"/v1/unknownDevice/{unknown}", params=here.query)).status_code == 200


async def test_unknown_devices_are_their_projects_and_their_permissions(api: Api) -> None:
    here, there = site(api), site(api)
    unknown = here.unknown(api, "SN-1")
    body = {"blueprintId": there.blueprint, "systemId": there.system}
    path = f"/v1/unknownDevice/{unknown}"
    async with api.client(api.admin()) as http:
        assert (await http.get(path, params=there.query)).status_code == 404
        assert (await http.post(f"{path}/adopt", params=there.query, json=body)).status_code == 404
        assert (await http.get(f"/v1/project/{there.project}/unknownDevices")).json()["items"] == []
    async with api.client(api.user(here.project, "unknownDevice.read", "unknownDevice.update")) as http:
        assert (await http.get(path)).status_code == 200
        body = {"blueprintId": here.blueprint, "systemId": here.system}
        answer = await http.post(f"{path}/adopt", json=body)
        assert answer.json()["error"] == "permission.denied"
        assert "device.create" in answer.json()["message"]
        assert (await http.delete(path)).status_code == 403
