"""Roles: made, listed, changed and deleted, and what a caller may not put into them."""

from __future__ import annotations

from typing import Any

import httpx

from fulcrum.core import ids
from functions.api.roles import standard
from tests.support.api import Api

ROLE = {"name": "operator", "displayName": "Operator", "permissions": ["device.list", "device.read"]}


async def made(http: httpx.AsyncClient, project: str, **fields: Any) -> dict[str, Any]:
    answer = await http.post("/v1/role", params={"projectId": project}, json=ROLE | fields)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_created_read_changed_and_deleted(api: Api) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http:
        role = await made(http, project)
        path = f"/v1/role/{role['id']}"
        assert (await http.get(path, params=query)).json() == role
        changed = await http.patch(path, params=query, json={"displayName": "Watcher"})
        assert changed.json()["displayName"] == "Watcher"
        stale = await http.patch(
            path, params=query, json={"displayName": "Late"}, headers={"If-Match": '"1"'}
        )
        assert stale.status_code == 412
        more = await http.post(f"{path}/permissions", params=query, json=["device.readData"])
        assert more.json()["permissions"] == ["device.list", "device.read", "device.readData"]
        fewer = await http.delete(f"{path}/permissions/device.list", params=query)
        assert fewer.json()["permissions"] == ["device.read", "device.readData"]
        none = await http.delete(
            f"{path}/permissions", params=query | {"permission": ["device.read", "device.readData"]}
        )
        assert none.json()["permissions"] == []
        twice = await http.post("/v1/role", params=query, json=ROLE)
        assert twice.json()["error"] == "role.nameTaken"
        assert (await http.delete(path, params=query)).json()["status"] == "deleted"
        assert (await http.get(path, params=query)).status_code == 410


async def test_listed_by_any_filter_order_and_page(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        for number in range(5):
            category = "project" if number % 2 else "custom"
            await made(http, project, name=f"r{number}", displayName=f"D{9 - number}", category=category)
        query: dict[str, Any] = {"projectId": project}
        every = (await http.get("/v1/role", params=query)).json()
        assert [role["name"] for role in every["items"]] == ["r0", "r1", "r2", "r3", "r4"]
        assert "permissions" not in every["items"][0]
        full = (await http.get("/v1/role", params=query | {"includePermissions": True, "name": "r3"})).json()
        assert [role["permissions"] for role in full["items"]] == [["device.list", "device.read"]]
        some = await http.get("/v1/role", params=query | {"category": "project", "order": "displayName"})
        assert [role["name"] for role in some.json()["items"]] == ["r3", "r1"]
        third = await http.get("/v1/role", params=query | {"offset": 2, "limit": 1})
        assert [role["name"] for role in third.json()["items"]] == ["r2"]
        seen: list[str] = []
        cursor = None
        while True:
            params = query | {"perPage": 2, "descending": True} | ({"cursor": cursor} if cursor else {})
            page = (await http.get("/v1/role", params=params)).json()
            seen += [role["name"] for role in page["items"]]
            if (cursor := page.get("next")) is None:
                break
            foreign = await http.get("/v1/role", params=query | {"cursor": cursor})
            assert foreign.json()["error"] == "cursor.invalid"
        older = await http.get(f"/v1/project/{project}/role", params={"perPage": 1})
    assert seen == ["r4", "r3", "r2", "r1", "r0"]
    assert older.json()["total"] == 5


async def test_many_are_deleted_all_or_none(api: Api) -> None:
    project = api.project(ids.new_id())
    query: dict[str, Any] = {"projectId": project}
    async with api.client(api.admin()) as http:
        roles = [(await made(http, project, name=f"r{number}"))["id"] for number in range(3)]
        refused = await http.delete("/v1/role", params=query | {"id": [*roles, "nobody"]})
        assert refused.status_code == 404
        assert (await http.get("/v1/role", params=query)).json()["total"] == 3
        done = await http.delete("/v1/role", params=query | {"id": roles[:2]})
        assert sorted(done.json()["ids"]) == sorted(roles[:2])
        assert (await http.get("/v1/role", params=query)).json()["total"] == 1


async def test_holds_permissions_of_the_project_alone(api: Api) -> None:
    project, other = api.project(ids.new_id()), api.project(ids.new_id())
    blueprints = {"name": "Cold store", "alias": "coldStore"}
    async with api.client(api.admin()) as http:
        foreign = (await http.post(f"/v1/project/{other}/blueprints", json=blueprints)).json()["id"]
        own = (await http.post(f"/v1/project/{project}/blueprints", json=blueprints)).json()["id"]
        query = {"projectId": project}
        for wrong in ("device.fly", "nothing.read", f"device.create:{foreign}", f"device.read:{own}"):
            answer = await http.post("/v1/role", params=query, json=ROLE | {"permissions": [wrong]})
            assert answer.json()["error"] == "role.unknownPermission", wrong
        await made(http, project, permissions=[f"device.create:{own}", "*"])
        listed = (await http.get(f"/v1/project/{project}/permission")).json()["items"]
        generated = {item["name"]: item["displayName"] for item in listed if item["generated"]}
        unknown = await http.get("/v1/project/never-made/permission")
    assert generated == {f"device.create:{own}": "Create Cold store"}
    assert {"device.readData", "user.assignRoles", "blueprint.create"} <= {item["name"] for item in listed}
    assert unknown.status_code == 404


async def test_relationships_have_their_permission(api: Api) -> None:
    project = api.project(ids.new_id())
    where = api.documents.document(f"projects/{project}")
    where.collection("blueprints").document("b1").set({"name": "Room"})
    where.collection("blueprints").document("b2").set({"name": "Sensor"})
    where.collection("attributes").document("a1").set(
        {"type": "relationship", "blueprintId": "b1", "targetBlueprintId": "b2", "path": "sensors"}
    )
    where.collection("attributes").document("a2").set({"type": "number", "blueprintId": "b1"})
    async with api.client(api.user(project, "role.list", "device.createRelationship", "role.create")) as http:
        listed = (await http.get(f"/v1/project/{project}/permission", params={"category": "custom"})).json()
        created = await http.post("/v1/role", json=ROLE | {"permissions": ["relationship.create:a1"]})
    assert {item["name"]: item["displayName"] for item in listed["items"]} == {
        "device.create:b1": "Create Room",
        "device.create:b2": "Create Sensor",
        "relationship.create:a1": "Create Sensor in Room",
    }
    assert created.status_code == 201, created.text


async def test_nobody_puts_more_into_a_role_than_he_holds(api: Api) -> None:
    project = api.project(ids.new_id())
    mine = ("role.create", "role.update", "role.delete", "user.assignRoles", "device.read")
    async with api.client(api.admin()) as root:
        strong = await made(root, project, name="strong", permissions=["device.read", "device.delete"])
        weak = await made(root, project, name="weak", permissions=["device.read"])
    async with api.client(api.user(project, *mine)) as http:
        for permissions in (["device.delete"], ["*"]):
            answer = await http.post("/v1/role", json=ROLE | {"permissions": permissions})
            assert answer.json()["error"] == "role.exceedsYours", permissions
        grown = await http.post(f"/v1/role/{weak['id']}/permissions", json=["device.delete"])
        assert grown.json()["error"] == "role.exceedsYours"
        shrunk = await http.patch(f"/v1/role/{strong['id']}", json={"permissions": ["device.read"]})
        assert shrunk.json()["error"] == "role.exceedsYours"
        assert (await http.delete(f"/v1/role/{strong['id']}")).json()["error"] == "role.exceedsYours"
        assert (await http.post("/v1/role", json=ROLE | {"permissions": ["device.read"]})).status_code == 201
        assert (await http.delete(f"/v1/role/{weak['id']}")).status_code == 200
    roles = api.documents.collection(f"projects/{project}/roles")
    assert roles.document(strong["id"]).get().to_dict()["permissions"] == ["device.read", "device.delete"]


async def test_a_change_of_a_role_counts_at_once(api: Api) -> None:
    project = api.project(ids.new_id())
    token = api.user(project, "blueprint.list")
    (role,) = api.documents.collection(f"projects/{project}/roles").stream()
    path = f"/v1/project/{project}/blueprints"
    async with api.client(token) as http, api.client(api.admin()) as root:
        assert (await http.get(path)).status_code == 200
        query = {"projectId": project, "permission": "blueprint.list"}
        await root.delete(f"/v1/role/{role.id}/permissions", params=query)
        assert (await http.get(path)).status_code == 403
        await root.post(
            f"/v1/role/{role.id}/permissions", params={"projectId": project}, json=["blueprint.list"]
        )
        assert (await http.get(path)).status_code == 200


async def test_a_project_has_at_most_five_hundred(api: Api) -> None:
    project = api.project(ids.new_id())
    batch = api.documents.batch()
    for number in range(500):
        reference = api.documents.document(f"projects/{project}/roles/r{number}")
        batch.set(reference, {"name": f"r{number}", "permissions": []})
    batch.commit()
    async with api.client(api.admin()) as http:
        answer = await http.post("/v1/role", params={"projectId": project}, json=ROLE)
    assert answer.json()["error"] == "role.tooMany"


def test_standard_roles_fit_the_tiers() -> None:
    roles = standard.roles()
    assert roles["admin"]["permissions"] == ["*"]
    member, account = set(roles["member"]["permissions"]), set(roles["account"]["permissions"])
    assert {"device.create", "blueprint.delete", "device.updateAnyData"} <= member
    assert not {
        each for each in member if each.split(".")[0] in ("role", "user", "userRole", "apiAccess")
    } - {*("user.read", "user.list", "role.read", "role.list")}
    assert account < member
    assert not {each for each in account if each.endswith((".delete", ".assignRoles"))}
