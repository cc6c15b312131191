"""Attributes: the checks that the event path reads, relationships and their mirrors, races between them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx

from fulcrum.core import ids
from shared.attributes import compile_checks
from tests.support.api import Api

NUMBER = {"name": "T", "type": "number"}


async def blueprint(http: httpx.AsyncClient, project: str, alias: str, **more: Any) -> dict[str, Any]:
    body = {"name": alias.title(), "alias": alias} | more
    answer = await http.post(f"/v1/project/{project}/blueprints", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def attribute(http: httpx.AsyncClient, project: str, blueprint_id: str, **body: Any) -> httpx.Response:
    return await http.post(
        f"/v1/blueprint/{blueprint_id}/attributes", json=body, params={"projectId": project}
    )


def checked(api: Api, project: str, blueprint_id: str) -> dict[str, Any]:
    fields = api.documents.document(f"projects/{project}/blueprints/{blueprint_id}").get().to_dict() or {}
    compile_checks(fields["checks"])
    found: dict[str, Any] = json.loads(fields["checks"])
    return found


def revision(api: Api, project: str) -> int:
    fields = api.documents.document(f"projects/{project}").get().to_dict() or {}
    return int(fields["revision"])


async def test_the_checks_follow_every_change(api: Api) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http:
        store = await blueprint(http, project, "store", checkMode="strict")
        assert checked(api, project, store["id"]) == {"mode": "strict", "paths": {}}
        before = revision(api, project)
        made = (await attribute(http, project, store["id"], **NUMBER, path="air/t", max=5)).json()
        assert made["parentPath"] == "air"
        assert checked(api, project, store["id"])["paths"] == {"air/t": {"type": "number", "max": 5.0}}
        await http.patch(f"/v1/attribute/{made['id']}", params=query, json={"max": None, "min": 0})
        assert checked(api, project, store["id"])["paths"] == {"air/t": {"type": "number", "min": 0.0}}
        await http.patch(f"/v1/blueprint/{store['id']}", params=query, json={"checkMode": "off"})
        await attribute(http, project, store["id"], **NUMBER, path="b")
        assert checked(api, project, store["id"]) == {"mode": "off", "paths": {}}
        await http.patch(f"/v1/blueprint/{store['id']}", params=query, json={"checkMode": "warn"})
        assert set(checked(api, project, store["id"])["paths"]) == {"air/t", "b"}
        assert revision(api, project) == before + 5
        await http.delete(f"/v1/attribute/{made['id']}", params=query)
        assert set(checked(api, project, store["id"])["paths"]) == {"b"}
        again = await attribute(http, project, store["id"], **NUMBER, path="air/t")
    assert again.status_code == 201
    assert revision(api, project) == before + 7


async def test_of_attributes_and_a_mode_that_change_at_once_none_is_lost(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        store = await blueprint(http, project, "store")
        answers = await asyncio.gather(
            *(attribute(http, project, store["id"], **NUMBER, path=f"p{number}") for number in range(12)),
            http.patch(
                f"/v1/blueprint/{store['id']}", params={"projectId": project}, json={"checkMode": "strict"}
            ),
        )
    done = [answer.json()["path"] for answer in answers[:-1] if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {200, 201, 409}, [a.text for a in answers]
    assert answers[-1].status_code == 200
    assert len(done) >= 6
    assert sorted(checked(api, project, store["id"])["paths"]) == sorted(done)


async def test_a_relationship_has_a_mirror_that_comes_and_goes_with_it(api: Api) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http:
        hall = await blueprint(http, project, "hall", checkMode="strict")
        store = await blueprint(http, project, "store", checkMode="strict")
        relation = {"name": "Stores", "type": "relationship", "path": "cold/stores", "owned": True}
        relation |= {"targetBlueprintId": store["id"], "relationshipType": "oneToMany", "forwardData": True}
        made = (await attribute(http, project, hall["id"], **relation)).json()
        mirror = (await http.get(f"/v1/attribute/{made['mirrorId']}", params=query)).json()
        expected = {
            "type": "parentRelationship",
            "blueprintId": store["id"],
            "sourceBlueprintId": hall["id"],
            "mirrorId": made["id"],
            "path": "hall_cold_stores",
            "relationshipType": "oneToMany",
            "owned": True,
            "forwardData": True,
        }
        assert {wire: mirror[wire] for wire in expected} == expected
        # What devices send is never a relation: the event path checks neither.
        assert checked(api, project, hall["id"])["paths"] == checked(api, project, store["id"])["paths"] == {}
        # Devices that are linked already were placed, or not, by what it says.
        for side in (made, mirror):
            kept = await http.patch(f"/v1/attribute/{side['id']}", params=query, json={"owned": False})
            assert (kept.status_code, kept.json()["error"]) == (400, "attribute.path")
        refused = await http.delete(f"/v1/attribute/{mirror['id']}", params=query)
        assert (refused.status_code, refused.json()["error"]) == (409, "attribute.mirror")
        named = await http.patch(f"/v1/attribute/{mirror['id']}", params=query, json={"name": "The hall"})
        assert named.status_code == 200
        listed = await http.get(
            f"/v1/blueprint/{hall['id']}/attributes", params=query | {"refs": True, "type": "relationship"}
        )
        assert set(listed.json()["refs"]["blueprint"]) == {hall["id"], store["id"]}
        deleted = await http.delete(f"/v1/attribute/{made['id']}", params=query)
        assert deleted.json()["jobId"]
        assert (await http.get(f"/v1/attribute/{mirror['id']}", params=query)).status_code == 410
        # Both paths are free again.
        assert (await attribute(http, project, hall["id"], **relation)).status_code == 201


async def test_a_blueprint_may_relate_to_itself(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        group = await blueprint(http, project, "group")
        relation = {"name": "Parts", "type": "relationship", "path": "parts"}
        relation |= {"targetBlueprintId": group["id"], "relationshipType": "manyToMany"}
        made = await attribute(http, project, group["id"], **relation)
        assert made.status_code == 201, made.text
        clash = relation | {"path": "others", "mirrorPath": "parts"}
        taken = await attribute(http, project, group["id"], **clash)
        assert (taken.status_code, taken.json()["error"]) == (409, "attribute.pathTaken")
        listed = await http.get(
            f"/v1/project/{project}/blueprints", params={"children": "attribute", "alias": "group"}
        )
    assert sorted(a["path"] for a in listed.json()["items"][0]["attributes"]) == ["group_parts", "parts"]


async def test_a_mirror_has_a_place_of_its_own_and_no_limits(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        store = await blueprint(http, project, "store")
        relation = {"name": "R", "path": "r", "type": "relationship", "relationshipType": "oneToMany"}
        relation |= {"targetBlueprintId": store["id"]}
        same = await attribute(http, project, store["id"], **relation, mirrorPath="r")
        assert (same.status_code, same.json()["error"]) == (400, "attribute.invalid")
        made = await attribute(http, project, store["id"], **relation)
        mirror = f"/v1/attribute/{made.json()['mirrorId']}"
        for change in ({"min": 3}, {"values": ["a"]}):
            refused = await http.patch(mirror, json=change, params={"projectId": project})
            assert refused.status_code == 400, refused.text


async def test_mirrors_that_went_with_another_blueprint_do_not_fill_one_up(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        store = await blueprint(http, project, "store")
        stored = api.documents.document(f"projects/{project}/blueprints/{store['id']}")
        # As many as there may be were counted, and are gone since.
        stored.update({"attributeCount": 1000})
        made = await attribute(http, project, store["id"], **NUMBER, path="t")
        assert made.status_code == 201, made.text
    assert (stored.get().to_dict() or {})["attributeCount"] == 1


async def test_a_relationship_needs_a_blueprint_of_the_same_project(api: Api) -> None:
    project, other = api.project(ids.new_id()), api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        mine, foreign = await blueprint(http, project, "a"), await blueprint(http, other, "b")
        relation = {"name": "R", "type": "relationship", "path": "r", "relationshipType": "oneToOne"}
        answer = await attribute(http, project, mine["id"], **relation, targetBlueprintId=foreign["id"])
        assert (answer.status_code, answer.json()["error"]) == (400, "attribute.invalid")
        below = await attribute(http, project, foreign["id"], **NUMBER, path="x")
        assert (below.status_code, below.json()["error"]) == (404, "blueprint.notFound")
        listed = await http.get(f"/v1/blueprint/{foreign['id']}/attributes", params={"projectId": project})
        assert listed.status_code == 404


async def test_children_are_embedded_where_asked_and_allowed(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        made = [await blueprint(http, project, f"b{number}") for number in range(3)]
        await attribute(http, project, made[1]["id"], **NUMBER, path="x")
        path, asked = f"/v1/project/{project}/blueprints", {"children": "attribute"}
        listed = (await http.get(path, params=asked)).json()["items"]
        counts = {item["id"]: len(item["attributes"]) for item in listed}
        assert counts == {made[0]["id"]: 0, made[1]["id"]: 1, made[2]["id"]: 0}
        one = await http.get(f"/v1/blueprint/{made[1]['id']}", params=asked | {"projectId": project})
        assert [a["path"] for a in one.json()["attributes"]] == ["x"]
        unknown = await http.get(path, params={"children": "attribute,devices"})
        assert (unknown.status_code, unknown.json()["error"]) == (400, "children.unknown")
    async with api.client(api.user(project, "blueprint.list")) as http:
        assert "attributes" not in (await http.get(path)).json()["items"][0]
        assert (await http.get(path, params=asked)).status_code == 403
