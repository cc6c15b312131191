"""A device's data is told to who may read it there, and to nobody who may only see the device."""

from __future__ import annotations

from typing import Any

import pytest

from fulcrum.core import ids
from tests.support.api import Api

SEE = ("device.read", "device.list", "device.update", "device.readByNetworkAlias")


@pytest.fixture
def project(api: Api) -> str:
    made = api.project(ids.new_id())
    where = api.documents.document(f"projects/{made}")
    for system in ("north", "south"):
        where.collection("systems").document(system).set({"name": system, "alias": system})
        where.collection("devices").document(f"in-{system}").set(
            {"name": system, "blueprintId": "b", "systemId": system, "data": {"t": 21}, "version": 1}
        )
    where.collection("blueprints").document("b").set({"name": "B", "alias": "b"})
    return made


def told(answer: Any) -> dict[str, Any]:
    """Device → its data, of a page."""
    assert answer.status_code == 200, answer.text
    return {item["id"]: item.get("data", {}) for item in answer.json()["items"]}


async def test_who_may_only_see_devices_is_told_no_data(api: Api, project: str) -> None:
    async with api.client(api.user(project, *SEE)) as http:
        one = await http.get("/v1/device/in-north")
        changed = await http.patch("/v1/device/in-north", json={"name": "north"})
        assert one.json().get("data", {}) == changed.json().get("data", {}) == {}
        assert told(await http.get(f"/v1/project/{project}/devices")) == {"in-north": {}, "in-south": {}}
        assert told(await http.get("/v1/interface/north/b")) == {"in-north": {}}
        walked = await http.get("/v1/interface/north/b/in-north")
        assert walked.json().get("data", {}) == {}
        assert told(await http.post(f"/v1/project/{project}/devices.search", json={}))["in-north"] == {}


@pytest.mark.parametrize(
    "body",
    [
        {"filter": {"type": "equals", "field": "data/t", "value": 21}},
        {"sort": [{"field": "data/t"}]},
        {"aggregations": {"t": {"stats": {"field": "data/t"}}}},
    ],
)
async def test_nor_may_he_find_it_out_by_searching(api: Api, project: str, body: dict[str, Any]) -> None:
    async with api.client(api.user(project, *SEE)) as http:
        refused = await http.post(f"/v1/project/{project}/devices.search", json=body)
    assert (refused.status_code, refused.json()["error"]) == (403, "permission.denied")


async def test_who_may_read_data_in_one_system_is_told_that_alone(api: Api, project: str) -> None:
    token = api.user(project, *SEE)
    role = {"name": "reader", "permissions": ["device.readData"]}
    where = api.documents.document(f"projects/{project}")
    where.collection("roles").document("reader").set(role)
    given = next(iter(where.collection("userRoles").stream())).to_dict()
    where.collection("userRoles").add(
        given | {"roleId": "reader", "resourceKind": "system", "resourceId": "north"}
    )
    async with api.client(token) as http:
        assert told(await http.get(f"/v1/project/{project}/devices")) == {
            "in-north": {"t": 21},
            "in-south": {},
        }
        found = await http.post(
            f"/v1/project/{project}/devices.search",
            json={"filter": {"type": "equals", "field": "data/t", "value": 21}},
        )
    assert told(found) == {"in-north": {"t": 21}}
