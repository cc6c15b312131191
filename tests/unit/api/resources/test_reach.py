"""Who sees what: systems granted alone, definitions for all, personal dashboards and views, the audit."""

from __future__ import annotations

from typing import Any

import httpx

from fulcrum.core import ids
from tests.support.api import Api


async def made(http: httpx.AsyncClient, project: str, plural: str, **body: Any) -> dict[str, Any]:
    answer = await http.post(f"/v1/project/{project}/{plural}", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_system_can_be_granted_alone(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        systems = [await made(http, project, "systems", name=f"S{n}", alias=f"s{n}") for n in range(3)]
    mine, other = systems[1], systems[2]
    rights = ("system.read", "system.list", "system.update", "system.delete", "system.create")
    async with api.client(api.user(project, *rights, on=("system", mine["id"]))) as http:
        path = f"/v1/project/{project}/systems"
        for params in ({}, {"name": "S"}, {"alias": "s1"}):
            listed = (await http.get(path, params=params | {"total": True})).json()
            assert [item["id"] for item in listed["items"]] == [mine["id"]]
            assert listed["total"] == 1
        for params in ({"name": "S2"}, {"alias": "s2"}, {"tags": "x"}):
            assert (await http.get(path, params=params)).json()["items"] == []
        assert (await http.get(f"/v1/system/{mine['id']}")).json() == mine
        assert (await http.get(f"/v1/system/{mine['id']}/contacts")).json()["items"] == []
        await http.patch(f"/v1/system/{mine['id']}", json={"contacts": [{"name": "Ada"}]})
        contacts = (await http.get(f"/v1/system/{mine['id']}/contacts")).json()
        assert (contacts["count"], contacts["items"]) == (1, [{"name": "Ada"}])
        assert (await http.get(f"/v1/system/{other['id']}/contacts")).status_code == 403
        assert (await http.patch(f"/v1/system/{mine['id']}", json={"name": "Mine"})).status_code == 200
        for answer in (
            await http.get(f"/v1/system/{other['id']}"),
            await http.patch(f"/v1/system/{other['id']}", json={"name": "Mine"}),
            await http.delete(f"/v1/system/{other['id']}"),
            await http.post(path, json={"name": "New"}),
        ):
            assert (answer.status_code, answer.json()["error"]) == (403, "permission.denied")
        assert (await http.delete(f"/v1/system/{mine['id']}")).status_code == 200


async def test_pages_of_what_is_granted_follow_each_other(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        systems = [await made(http, project, "systems", name=f"S{n}") for n in range(5)]
    token = api.user(project, "system.list", on=("system", systems[0]["id"]))
    user_id = next(
        grant.to_dict()["subjectId"]
        for grant in api.documents.collection(f"projects/{project}/userRoles").stream()
    )
    grants = api.documents.collection(f"projects/{project}/userRoles")
    (first,) = list(grants.stream())
    for system in systems[1:]:
        grants.document(ids.new_id()).set(
            first.to_dict() | {"subjectId": user_id, "resourceId": system["id"]}
        )
    seen: list[str] = []
    async with api.client(token) as http:
        for order in ({}, {"name": "S"}):
            seen, cursor = [], None
            while True:
                params = {"perPage": 2} | order | ({"cursor": cursor} if cursor else {})
                page = (await http.get(f"/v1/project/{project}/systems", params=params)).json()
                seen += [item["name"] for item in page["items"]]
                cursor = page.get("next")
                if cursor is None:
                    break
            assert sorted(seen) == [f"S{n}" for n in range(5)]
            assert len(seen) == 5
        assert seen == sorted(seen)


async def test_definitions_can_be_read_by_holders_on_a_system_and_changed_by_holders_on_the_project(
    api: Api,
) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        blueprint = await made(http, project, "blueprints", name="B", alias="b")
    rights = tuple(f"blueprint.{verb}" for verb in ("read", "list", "create", "update", "delete"))
    async with api.client(api.user(project, *rights, on=("system", "any"))) as http:
        path, item = f"/v1/project/{project}/blueprints", f"/v1/blueprint/{blueprint['id']}"
        assert (await http.get(path)).json()["count"] == 1
        assert (await http.get(item)).status_code == 200
        assert (await http.post(path, json={"name": "N", "alias": "n"})).status_code == 403
        assert (await http.patch(item, json={"name": "N"})).status_code == 403
        assert (await http.delete(item)).status_code == 403


async def test_what_is_personal_is_seen_and_changed_by_its_owner_alone(api: Api) -> None:
    project = api.project(ids.new_id())
    verbs = ("create", "read", "list", "update", "delete")
    rights = tuple(f"view.{verb}" for verb in verbs)
    body = {"name": "Mine", "table": "t", "scope": "personal"}
    async with api.client(api.user(project, *rights, on=("system", "any"))) as http:
        mine = await made(http, project, "views", **body)
        shared = await http.post(f"/v1/project/{project}/views", json=body | {"scope": "shared"})
        assert shared.status_code == 403
    async with api.client(api.user(project, *rights)) as http:
        ours = await made(http, project, "views", **body | {"scope": "shared"})
        listed = (await http.get(f"/v1/project/{project}/views", params={"total": True})).json()
        assert [item["id"] for item in listed["items"]] == [ours["id"]]
        assert listed["total"] == 1
        for answer in (
            await http.get(f"/v1/view/{mine['id']}"),
            await http.patch(f"/v1/view/{mine['id']}", json={"name": "x"}),
            await http.delete(f"/v1/view/{mine['id']}"),
        ):
            assert (answer.status_code, answer.json()["error"]) == (404, "view.notFound")
        assert mine["owner"] not in str((await http.get(f"/v1/project/{project}/views")).json())
    async with api.client(api.user(project, *rights, on=("system", "any"))) as http:
        assert (await http.get(f"/v1/view/{ours['id']}")).status_code == 200
        assert (await http.patch(f"/v1/view/{ours['id']}", json={"name": "x"})).status_code == 403
        assert (await http.delete(f"/v1/view/{ours['id']}")).status_code == 403


async def test_the_dashboard_that_comes_first(api: Api) -> None:
    project = api.project(ids.new_id())
    rights = ("dashboard.create", "dashboard.read", "dashboard.delete")
    token = api.user(project, *rights)
    (grant,) = api.documents.collection(f"projects/{project}/userRoles").stream()
    path = f"/v1/project/{project}/dashboards/default"
    async with api.client(api.admin()) as http:
        blueprint = await made(http, project, "blueprints", name="B", alias="b")
    asked = {"page": "map", "blueprintId": blueprint["id"]}
    wanted = (
        {"scope": "default"},
        {"scope": "blueprint", "scopeId": blueprint["id"]},
        {"scope": "page", "scopeId": "map"},
        {"scope": "role", "scopeId": grant.to_dict()["roleId"]},
        {"scope": "personal"},
        {"scope": "personal", "scopeId": "map"},
    )
    async with api.client(token) as http:
        none = await http.get(path, params=asked)
        assert (none.status_code, none.json()["error"]) == (404, "dashboard.notFound")
        for scope in wanted:
            dashboard = await made(http, project, "dashboards", name="D", **scope)
            first = await http.get(path, params=asked)
            assert first.json()["id"] == dashboard["id"], scope
        elsewhere = await http.get(path, params={"page": "table"})
        assert elsewhere.json()["scope"] == "personal"
    async with api.client(api.user(project, "dashboard.read")) as http:
        assert (await http.get(path, params=asked)).json()["scope"] == "page"
        assert (await http.get(path)).json()["scope"] == "default"


async def test_references_are_embedded_as_far_as_the_caller_may_read_them(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        route = await made(http, project, "messageRoutes", name="R", route={"deviceDataEventMsg": ["writer"]})
        await made(http, project, "blueprints", name="B", alias="b", messageRouteId=route["id"])
        path = f"/v1/project/{project}/blueprints"
        assert (await http.get(path, params={"refs": True})).json()["refs"] == {
            "messageRoute": {route["id"]: route}
        }
        assert "refs" not in (await http.get(path)).json()
    async with api.client(api.user(project, "blueprint.list")) as http:
        assert (await http.get(path, params={"refs": True})).json()["refs"] == {}


async def test_the_audit_is_filtered_and_paged_from_the_latest_on(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.user(project, "system.create")) as http:
        for number in range(3):
            await made(http, project, "systems", name=f"S{number}")
    async with api.client(api.admin()) as http:
        blueprint = await made(http, project, "blueprints", name="B", alias="b")
        query = {"projectId": project}
        await http.patch(
            f"/v1/blueprint/{blueprint['id']}", params=query, json={"name": "C", "metadata/x": True}
        )
        path = f"/v1/project/{project}/audit"
        every = (await http.get(path, params={"total": True})).json()
        assert every["total"] == 5
        latest = every["items"][0]
        assert (latest["verb"], latest["kind"], latest["resourceId"]) == (
            "updated",
            "blueprint",
            blueprint["id"],
        )
        assert {"path": "name", "before": "B", "after": "C"} in latest["changes"]
        assert latest["actor"]["name"] == "root"
        assert "created" not in latest
        times = [entry["time"] for entry in every["items"]]
        assert times == sorted(times, reverse=True)
        actor = every["items"][-1]["actor"]["id"]
        for params, count in (
            ({"kind": "system"}, 3),
            ({"resourceId": blueprint["id"]}, 2),
            ({"actor": actor}, 3),
            ({"actor": actor, "kind": "blueprint"}, 0),
            ({"kind": "blueprint", "resourceId": blueprint["id"], "actor": latest["actor"]["id"]}, 2),
            ({"since": times[0] + 1}, 0),
            ({"until": times[-1]}, 0),
            ({"since": times[-1], "until": times[0] + 1, "kind": "system"}, 3),
        ):
            found = (await http.get(path, params=params | {"total": True})).json()
            assert (found["count"], found["total"]) == (count, count), params
        first = (await http.get(path, params={"perPage": 2})).json()
        second = (await http.get(path, params={"perPage": 2, "cursor": first["next"]})).json()
        assert [e["id"] for e in first["items"] + second["items"]] == [e["id"] for e in every["items"][:4]]
        foreign = await http.get(path, params={"kind": "system", "cursor": first["next"]})
        assert foreign.json()["error"] == "cursor.invalid"
    async with api.client(api.user(project, "system.list")) as http:
        assert (await http.get(path)).status_code == 403
