"""A project as code: exported, planned over its fleet, applied as a whole, and rolled back exactly."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from tests.support.api import Api
from tests.unit.api.project_code.conftest import DOCUMENT, ROUTE, Project, edited

FOREIGN_TYPE = {"path": "p", "name": "p", "type": "warmth"}


async def test_a_document_becomes_a_project_and_that_the_same_document(project: Project) -> None:
    applied = await project.apply(project.document, message="first")
    assert applied.status_code == 200, applied.text
    exported = await project.export()
    assert exported["revision"] == applied.json()["revision"] == 2
    assert exported["base"] == applied.json()["base"]
    document = exported["document"]
    assert document["blueprints"][0]["attributes"][0] == DOCUMENT["blueprints"][0]["attributes"][0]
    assert document["messageRoutes"] == DOCUMENT["messageRoutes"]
    assert document["systems"] == DOCUMENT["systems"]
    assert DOCUMENT["roles"][0] in document["roles"]
    assert (await project.plan(document))["changes"] == []
    again = await project.apply(document)
    assert (again.json()["changed"], again.json()["revision"]) == (0, 2)


async def test_what_is_made_is_what_the_api_makes(project: Project) -> None:
    await project.apply(project.document)
    cold = await project.blueprint("coldStore")
    stored = project.api.documents.document(f"projects/{project.id}/blueprints/{cold['id']}").get().to_dict()
    assert '"air/temperature"' in stored["checks"]
    assert '"strict"' in stored["checks"]
    assert stored["attributeCount"] == 2
    attributes = {one["path"]: one for one in project.documents("attributes")}
    mirror = attributes["coldStore_shelves"]
    assert mirror["mirrorId"] == attributes["shelves"]["id"]
    assert attributes["shelves"]["mirrorId"] == mirror["id"]
    assert attributes["air/temperature"]["parentPath"] == "air"
    taken = await project.http.post(f"{project.path}/blueprints", json={"name": "x", "alias": "coldStore"})
    assert taken.json()["error"] == "blueprint.aliasTaken"
    assert next(r for r in project.documents("roles") if r["name"] == "operator")["permissions"] == [
        f"device.create:{cold['id']}", "device.read",
    ]  # fmt: skip


async def test_a_plan_names_the_devices_that_it_would_break_and_apply_needs_force(project: Project) -> None:
    await project.apply(project.document)
    first = (await project.export())["document"]
    cold = await project.blueprint("coldStore")
    devices = project.devices(cold["id"], ["warm" if number in (7, 20, 41) else 4.5 for number in range(50)])
    document, blueprint = edited(first)
    blueprint["attributes"][0] |= {"type": "string"}
    del blueprint["attributes"][0]["unit"]
    plan = await project.plan(document)
    assert plan["misfitCount"] == 47
    blueprint["attributes"][0] |= {"type": "number"}
    plan = await project.plan(document)
    assert [
        misfit["deviceId"] for misfit in sorted(plan["misfits"], key=lambda m: m["deviceName"])
    ] == sorted(
        (devices[7], devices[20], devices[41]),
        key=lambda one: ("d20", "d41", "d7").index(f"d{devices.index(one)}"),
    )
    assert (plan["misfitCount"], plan["devicesRead"], plan["breaking"]) == (3, 50, True)
    assert plan["changes"][0]["action"] == "replace"
    assert plan["references"] == [
        {"what": "coldStore air/temperature", "where": "messageRoutes Alarms: route"}
    ]
    refused = await project.apply(document)
    assert refused.status_code == 409
    assert refused.json()["error"] == "code.breaking"
    assert devices[7] in refused.json()["message"]
    assert (await project.export())["document"] == first
    forced = await project.apply(document, force=True)
    assert forced.status_code == 200, forced.text
    back = await project.http.post(f"{project.path}/rollback", json={"revision": 2, "force": True})
    assert back.status_code == 200, back.text
    assert (await project.export())["document"] == first


async def test_rollback_restores_the_exact_export(project: Project) -> None:
    await project.apply(project.document)
    first = (await project.export())["document"]
    other = copy.deepcopy(first)
    other["project"] = {"name": "Renamed", "desc": "x"}
    other["blueprints"] = [{"alias": "shelf", "name": "Other shelf", "tags": ["a"]}]
    other["templates"], other["systems"], other["messageRoutes"] = [], [], []
    other["roles"] = [r | {"permissions": []} if r["name"] == "operator" else r for r in other["roles"]]
    applied = await project.apply(other)
    assert applied.status_code == 200, applied.text
    assert (await project.export())["document"]["project"] == {"name": "Renamed", "desc": "x"}
    back = await project.http.post(f"{project.path}/rollback", json={"revision": 2})
    assert back.status_code == 200, back.text
    assert (await project.export())["document"] == first
    listed = (await project.http.get(f"{project.path}/revisions")).json()["items"]
    assert [one["number"] for one in listed] == [4, 3, 2, 1]
    assert listed[0]["message"] == "back to revision 2"
    second = (await project.http.get(f"{project.path}/revisions/2")).json()
    assert second["document"] == first


async def test_what_deletes_says_how_much_of_what_it_changed_is_gone(project: Project) -> None:
    first = await project.apply(project.document)
    assert first.json()["deleted"] == 0
    cold = await project.blueprint("coldStore")
    scenario = {"name": "Night", "blueprintId": cold["id"], "duration": 5_000, "tracks": []}
    made = await project.http.post(f"{project.path}/scenarios", json=scenario)
    assert made.status_code == 201, made.text
    # The revision knows of no scenario.
    back = await project.http.post(f"{project.path}/rollback", json={"revision": 2})
    assert (back.json()["changed"], back.json()["deleted"]) == (1, 1)
    # What was there has a revision of its own.
    restored = await project.http.post(f"{project.path}/rollback", json={"revision": 3})
    assert (restored.json()["changed"], restored.json()["deleted"]) == (1, 0)
    assert [one["name"] for one in project.documents("scenarios")] == ["Night"]


async def test_what_was_changed_by_hand_has_a_revision_to_come_back_to(project: Project) -> None:
    await project.apply(project.document)
    cold = await project.blueprint("coldStore")
    await project.http.patch(f"/v1/blueprint/{cold['id']}", json={"name": "By hand"})
    by_hand = (await project.export())["document"]
    applied = await project.apply(project.document)
    assert applied.json()["revision"] == 4
    back = await project.http.post(f"{project.path}/rollback", json={"revision": 3})
    assert back.status_code == 200
    assert (await project.export())["document"] == by_hand


async def test_of_two_at_once_the_second_is_told(project: Project) -> None:
    base = (await project.export())["base"]
    first, blueprint = edited(project.document)
    blueprint["name"] = "One"
    second, blueprint = edited(project.document)
    blueprint["name"] = "Two"
    answers = await asyncio.gather(*(project.apply(one, base=base) for one in (first, second)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["error"] == "code.stale"
    winner = "One" if answers[0].status_code == 200 else "Two"
    assert (await project.blueprint("coldStore"))["name"] == winner
    plan = await project.http.post(f"{project.path}/plan", json={"document": project.document, "base": base})
    assert plan.json()["error"] == "code.stale"


async def test_all_or_nothing(project: Project) -> None:
    await project.http.post(f"{project.path}/messageRoutes", json=ROUTE)
    before, entries = (await project.export())["document"], len(project.documents("audit"))
    broken, blueprint = edited(project.document)
    blueprint["attributes"][1]["targetBlueprint"] = "nowhere"
    refused = await project.apply(broken)
    assert refused.status_code == 400
    assert "blueprints has no 'nowhere'" in refused.json()["message"]
    assert (await project.export())["document"] == before
    assert len(project.documents("audit")) == entries


async def test_names_change_hands_in_one_change(project: Project) -> None:
    await project.apply(project.document)
    document, blueprint = edited((await project.export())["document"])
    blueprint["attributes"][0] |= {"type": "number"}
    del blueprint["attributes"][0]["unit"]
    assert (await project.apply(document, force=True)).status_code == 200
    cold = await project.blueprint("coldStore")
    taken = await project.http.post(
        f"/v1/blueprint/{cold['id']}/attributes",
        json={"name": "x", "path": "air/temperature", "type": "number"},
    )
    assert taken.json()["error"] == "attribute.pathTaken"


async def test_what_devices_have_is_not_deleted_even_by_force(project: Project) -> None:
    await project.apply(project.document)
    document = (await project.export())["document"]
    cold = await project.blueprint("coldStore")
    project.devices(cold["id"], [4.5])
    document["blueprints"] = [one for one in document["blueprints"] if one["alias"] != "coldStore"]
    document["roles"] = [one for one in document["roles"] if one["name"] != "operator"]
    plan = await project.plan(document)
    assert plan["blocked"] == ["blueprints coldStore: 1 devices have it"]
    refused = await project.apply(document, force=True)
    assert (refused.status_code, refused.json()["error"]) == (409, "code.inUse")


async def test_many_attributes_are_one_change(project: Project) -> None:
    document, blueprint = edited(project.document)
    blueprint["attributes"] = [
        {"path": f"p{number}", "name": f"P {number}", "type": "number"} for number in range(400)
    ]
    applied = await project.apply(document)
    assert applied.status_code == 200, applied.text
    assert len(project.documents("attributes")) == 400


async def test_whoever_lacks_a_permission_of_what_is_touched_changes_nothing(
    api: Api, project: Project
) -> None:
    token = api.user(project.id, "project.read", "project.update", "blueprint.create", "messageRoute.create")
    async with api.client(token) as http:
        refused = await http.post(f"{project.path}/apply", json={"document": project.document})
        hidden = await http.get(f"{project.path}/export")
    assert refused.status_code == hidden.status_code == 403
    assert project.documents("blueprints") == []


async def test_nobody_gives_by_code_what_he_does_not_hold(api: Api, project: Project) -> None:
    held = ["project.update", "role.create", "role.update"]
    token = api.user(project.id, *held, *(f"{kind}.list" for kind in ("role",)))
    document = {"format": 1, "project": (await project.export())["document"]["project"]}
    own = (await project.export())["document"]["roles"]
    document["roles"] = [*own, {"name": "god", "permissions": ["*"]}]
    async with api.client(token) as http:
        refused = await http.post(f"{project.path}/apply", json={"document": document})
    assert refused.status_code == 403, refused.text
    assert "god" not in {role["name"] for role in project.documents("roles")}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "format"),
        ({"bluprints": []}, "bluprints"),
        ({"blueprints": {}}, "must be a list"),
        ({"blueprints": [7]}, "must be an object"),
        ({"blueprints": [{"name": "x"}]}, "alias is missing"),
        ({"blueprints": [{"alias": "Bad alias", "name": "x"}]}, "alias"),
        ({"blueprints": [{"alias": "a", "name": "x"}, {"alias": "a", "name": "y"}]}, "second one"),
        ({"blueprints": [{"alias": "a", "name": "x", "messageRouteId": "id"}]}, "messageRouteName"),
        ({"blueprints": [{"alias": "a", "name": "x", "messageRouteName": "no"}]}, "has no 'no'"),
        ({"blueprints": [{"alias": "a", "name": "x", "attributes": [FOREIGN_TYPE]}]}, "warmth"),
        ({"messageRoutes": [{"name": "r", "route": {"deviceDataEventMsg": ["nowhere"]}}]}, "nowhere"),
        ({"roles": [{"name": "r", "permissions": ["device.fly"]}]}, "device.fly"),
        ({"roles": [{"name": "r", "permissions": ["device.create:nothing"]}]}, "device.create:nothing"),
        ({"project": {}}, "name"),
    ],
)  # fmt: skip
async def test_a_document_with_faults_says_where(project: Project, change: dict[str, Any], said: str) -> None:
    document = {"format": 1, "project": {"name": "x"}} | change
    for verb in ("plan", "apply"):
        answer = await project.http.post(f"{project.path}/{verb}", json={"document": document})
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"] == "code.invalid"
        assert said in answer.json()["message"]


async def test_two_of_one_name_cannot_be_written_down(project: Project) -> None:
    for _ in range(2):
        await project.http.post(f"{project.path}/messageRoutes", json=ROUTE)
    answer = await project.http.get(f"{project.path}/export")
    assert (answer.status_code, answer.json()["error"]) == (409, "code.ambiguous")
