"""What the API refuses of a resource is refused in a document too; and what follows from a change is done."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fulcrum.core import ids
from tests.support.api import Api
from tests.support.jobs import jobs_function
from tests.unit.api.project_code.conftest import Project, edited

RELATION = {"path": "k", "name": "K", "type": "relationship", "relationshipType": "oneToMany"}


def _blueprint(*attributes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"blueprints": [{"alias": "a", "name": "A", "attributes": list(attributes)} | fields]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": True}, "format"),
        ({"scripts": [{"alias": "s", "name": "S", "code": "def run(:"}]}, "scripts s: code: the script"),
        ({"scripts": [{"alias": "s", "name": "S", "code": "x = 1"}]}, "has no entry point"),
        ({"templates": [{"alias": "t", "name": "T"}]}, "neither email nor sms"),
        ({"networks": [{"id": "net-1", "name": "N", "aliasKeys": ["k", "k"]}]}, "one key twice"),
        (
            {
                "networks": [
                    {
                        "id": "net-1",
                        "name": "N",
                        "outbound": {"transport": "rest", "urlTemplate": "http://10.0.0.1/{alias}"},
                    }
                ]
            },
            "outbound.urlTemplate: the address is none of the public Internet",
        ),
        (_blueprint(RELATION | {"targetBlueprint": ["a"]}), "targetBlueprint: must be a name"),
        (_blueprint(messageRouteName={"x": 1}), "messageRouteName: must be a name"),
        (_blueprint(RELATION | {"targetBlueprint": "a", "mirrorPath": "k"}), "mirrorPath"),
        (
            _blueprint(
                RELATION | {"targetBlueprint": "a", "mirrorPath": "z"},
                {"path": "z", "name": "Z", "type": "string"},
            ),
            "is at 'z' already",
        ),
        (_blueprint({"path": "k/l", "parentPath": "z", "name": "L", "type": "string"}), "parentPath"),
        (_blueprint({"path": "e", "name": "E", "type": "enum", "values": [10**30]}), "64 bits"),
        (_blueprint({"path": "e", "name": "E", "type": "enum", "values": ["\ud800"]}), "surrogate"),
        (
            _blueprint(*({"path": f"p{n}", "name": "P", "type": "string"} for n in range(1001))),
            "1001 attributes",
        ),
        ({"roles": [{"name": "Op"}, {"name": "op"}]}, "in case alone"),
        ({"roles": [{"name": "op", "permissions": ["relationship.create:a/k"]}]}, "relationship.create:a/k"),
        ({"roles": [{"name": "op", "permissions": [f"relationship.create:{ids.new_id()}"]}]}, "there is no"),
    ],
)  # fmt: skip
async def test_what_the_api_refuses_is_refused_here_too(
    project: Project, change: dict[str, Any], said: str
) -> None:
    body = json.dumps({"document": {"format": 1, "project": {"name": "x"}} | change})
    for verb in ("plan", "apply"):
        answer = await project.http.post(
            f"{project.path}/{verb}", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"] == "code.invalid"
        assert said in answer.json()["message"]
    assert project.documents("blueprints") == project.documents("scripts") == []


async def test_a_new_name_of_the_project_is_a_version_of_it_and_in_the_audit(project: Project) -> None:
    await project.apply(project.document)
    before = await project.http.get(project.path)
    document = (await project.export())["document"]
    assert (await project.apply(document | {"project": {"name": "Renamed"}})).status_code == 200
    lost = await project.http.patch(
        project.path, json={"name": "Mine"}, headers={"If-Match": before.headers["ETag"]}
    )
    assert lost.status_code == 412
    now = (await project.http.get(project.path)).json()
    assert (now["name"], now["version"]) == ("Renamed", before.json()["version"] + 1)
    assert now["lastModified"] > before.json()["lastModified"]
    entries = await project.http.get(f"{project.path}/audit", params={"kind": "project"})
    change = {"path": "name", "before": before.json()["name"], "after": "Renamed"}
    assert change in entries.json()["items"][0]["changes"]


async def test_roles_name_relationships_by_what_people_call_them(project: Project) -> None:
    document, _ = edited(project.document)
    document["roles"].append({"name": "stacker", "permissions": ["relationship.create:coldStore/shelves"]})
    assert (await project.apply(document)).status_code == 200
    first = (await project.export())["document"]
    assert document["roles"][-1] in first["roles"]
    # Another type: the relationship is deleted and created anew, and the role is of the new one.
    other, blueprint = edited(first)
    blueprint["attributes"][1]["relationshipType"] = "manyToMany"
    assert (await project.apply(other)).status_code == 200
    await _is_whole(project)
    # Away by hand, with all that hangs on it, and back by the revision.
    relation = next(one for one in project.documents("attributes") if one["path"] == "shelves")
    assert (await project.http.delete(f"/v1/attribute/{relation['id']}")).status_code == 200
    async with jobs_function(project.api.topics) as jobs:
        await jobs.finish()
    assert next(r for r in project.documents("roles") if r["name"] == "stacker")["permissions"] == []
    back = await project.http.post(f"{project.path}/rollback", json={"revision": 2})
    assert back.status_code == 200, back.text
    assert (await project.export())["document"] == first
    await _is_whole(project)


async def _is_whole(project: Project) -> None:
    relation = next(one for one in project.documents("attributes") if one["path"] == "shelves")
    role = next(one for one in project.documents("roles") if one["name"] == "stacker")
    assert role["permissions"] == [f"relationship.create:{relation['id']}"]
    async with jobs_function(project.api.topics) as jobs:
        await jobs.finish()
    role = next(one for one in project.documents("roles") if one["name"] == "stacker")
    assert role["permissions"] == [f"relationship.create:{relation['id']}"]


async def test_a_network_comes_back_only_once_the_old_one_is_cleared(project: Project) -> None:
    network = {"id": f"net-{ids.new_id().lower()}", "name": "N"}
    document, _ = edited(project.document)
    assert (await project.apply(document | {"networks": [network]})).status_code == 200
    assert (await project.apply(document)).status_code == 200
    early = await project.http.post(f"{project.path}/rollback", json={"revision": 2})
    assert (early.status_code, early.json()["error"]) == (409, "network.idTaken")
    async with jobs_function(project.api.topics) as jobs:
        await jobs.finish()
    back = await project.http.post(f"{project.path}/rollback", json={"revision": 2})
    assert back.status_code == 200, back.text


async def test_a_script_that_a_timer_runs_stays(project: Project) -> None:
    script = {"alias": "s", "name": "S", "code": "def run(message, context):\n    return None\n"}
    assert (await project.apply(project.document | {"scripts": [script]})).status_code == 200
    timer = {
        "name": "T",
        "timer": {"type": "repeating", "delay": 60_000},
        "action": {"type": "queryUrl", "url": "https://example.com"},
        "scriptId": project.documents("scripts")[0]["id"],
    }
    assert (await project.http.post(f"{project.path}/timers", json=timer)).status_code == 201
    refused = await project.apply(project.document, force=True)
    assert (refused.status_code, refused.json()["error"]) == (409, "code.inUse")
    assert len(project.documents("scripts")) == 1


async def test_a_job_that_could_not_be_started_is_when_the_change_comes_again(project: Project) -> None:
    await project.apply(project.document)
    less, _ = edited(project.document)
    less["blueprints"], less["roles"] = [], less["roles"][1:]
    project.api.topics.down = True
    failed = await project.apply(less, force=True)
    assert (failed.status_code, failed.json()["error"]) == (503, "job.notStarted")
    project.api.topics.down = False
    again = await project.apply(less)
    assert (again.status_code, again.json()["changed"]) == (200, 0)
    async with jobs_function(project.api.topics) as jobs:
        await jobs.finish()
    done = await project.http.get(f"/v1/job/{again.json()['jobId']}")
    assert done.json()["state"] == "done"
    assert "jobId" not in (await project.apply(less)).json()


async def test_what_devices_hold_is_told_only_to_those_who_may_read_it(api: Api, project: Project) -> None:
    await project.apply(project.document)
    document, blueprint = edited((await project.export())["document"])
    project.devices((await project.blueprint("coldStore"))["id"], ["secret"])
    del blueprint["attributes"][0]["unit"]
    blueprint["attributes"][0]["type"] = "number"
    token = api.user(project.id, "project.update", "attribute.create", "attribute.delete")
    async with api.client(token) as http:
        refused = await http.post(f"{project.path}/apply", json={"document": document})
    assert refused.status_code == 403
    assert "secret" not in refused.text


async def test_as_many_attributes_as_there_may_be_come_go_and_come_back(project: Project) -> None:
    document, blueprint = edited(project.document)
    del blueprint["attributes"][0]
    blueprint["attributes"] += [
        {"path": f"p{number}", "name": f"P {number}", "type": "number"} for number in range(999)
    ]
    assert (await project.apply(document)).status_code == 200
    full = (await project.export())["document"]
    less, blueprint = edited(full)
    blueprint["alias"], less["roles"] = "warmStore", less["roles"][:-1]
    for role in less["roles"]:
        role["permissions"] = [one for one in role["permissions"] if ":" not in one]
    replaced = await project.apply(less, force=True)
    assert replaced.status_code == 200, replaced.text
    back = await project.http.post(f"{project.path}/rollback", json={"revision": 2, "force": True})
    assert back.status_code == 200, back.text
    assert (await project.export())["document"] == full
    stored = next(one for one in project.documents("blueprints") if one["alias"] == "coldStore")
    assert (stored["attributeCount"], len(json.loads(stored["checks"])["paths"])) == (1000, 999)


async def test_a_change_that_no_commit_takes_is_refused(project: Project) -> None:
    document, _ = edited(project.document)
    document["templates"] = [
        {"alias": f"t{number}", "name": "T", "email": {"subject": "S", "html": "x" * 90_000}}
        for number in range(110)
    ] + [{"alias": f"s{number}", "name": "S", "sms": "x"} for number in range(200)]
    text = json.dumps({"document": document})
    assert len(text) < 10_000_000
    refused = await project.http.post(
        f"{project.path}/apply", content=text, headers={"Content-Type": "application/json"}
    )
    assert (refused.status_code, refused.json()["error"]) == (400, "change.tooLarge")
    assert project.documents("templates") == []


async def test_a_job_looks_only_at_what_something_may_hang_on(project: Project) -> None:
    await project.apply(project.document)
    less, blueprint = edited(project.document)
    blueprint["attributes"], less["templates"] = [], []
    assert (await project.apply(less, force=True)).status_code == 200
    waiting = [one["id"] for one in project.documents("deletions") if one.get("pending")]
    assert len(waiting) == 2  # the relationship and its mirror, neither the plain attribute nor the template
    assert {one.partition(":")[0] for one in waiting} == {"attribute"}


async def test_what_goes_without_saying_may_be_said(project: Project) -> None:
    document, blueprint = edited(project.document)
    blueprint["attributes"][0]["parentPath"] = "air"
    blueprint["attributes"][1] |= {"mirrorPath": "coldStore_shelves", "owned": False, "tags": []}
    document["roles"][0] = {"name": "operator", "permissions": ["device.read", "device.create:coldStore"] * 2}
    applied = (await project.apply(document)).json()
    exported = await project.export()
    # Else whoever has applied a folder would be told that somebody else changed the project.
    assert exported["base"] == applied["base"]
    assert exported["document"] == (await project.http.get(f"{project.path}/revisions/2")).json()["document"]
    assert (await project.plan(document, base=applied["base"]))["changes"] == []


async def test_a_plan_names_what_stands_in_no_document_as_well(api: Api, project: Project) -> None:
    await project.apply(project.document)
    cold, shelf = await project.blueprint("coldStore"), await project.blueprint("shelf")
    day = {"duration": 60_000, "tracks": [{"path": "air/temperature", "frames": [{"t": 0, "value": 4}]}]}
    settings = {"columns": ["name", "data/air/temperature"]}
    for plural, body in (
        ("scenarios", {"name": "Cold day", "blueprintId": cold["id"], **day}),
        ("scenarios", {"name": "Shelf day", "blueprintId": shelf["id"], **day}),
        ("dashboards", {"name": "Warmth", "layout": {"main": [settings]}}),
        ("views", {"name": "Mine", "table": "t", "settings": settings}),
    ):
        made = await project.http.post(f"{project.path}/{plural}", json=body)
        assert made.status_code == 201, made.text
    async with api.client(api.user(project.id, "*")) as other:
        await other.post(f"{project.path}/views", json={"name": "His", "table": "t", "settings": settings})
    document, blueprint = edited((await project.export())["document"])
    del blueprint["attributes"][0]
    del blueprint["messageRouteName"]
    plan = await project.plan(document | {"messageRoutes": []})
    assert sorted(one["where"] for one in plan["references"]) == [
        "dashboards Warmth: layout", "scenarios coldStore Cold day: tracks", "views Mine: settings",
    ]  # fmt: skip
    assert plan["breaking"]


async def test_a_relationship_whose_target_is_being_deleted_is_none(project: Project) -> None:
    await project.apply(project.document)
    first = (await project.export())["document"]
    shelf = await project.blueprint("shelf")
    assert (await project.http.delete(f"/v1/blueprint/{shelf['id']}")).status_code == 200
    # Nothing of what hung on it is cleared yet.
    meanwhile = (await project.export())["document"]
    cold = next(one for one in meanwhile["blueprints"] if one["alias"] == "coldStore")
    assert [one["path"] for one in cold["attributes"]] == ["air/temperature"]
    assert (await project.plan(meanwhile))["changes"] == []
    back = await project.http.post(f"{project.path}/rollback", json={"revision": 2})
    assert back.status_code == 200, back.text
    for _ in range(2):
        assert (await project.export())["document"] == first
        async with jobs_function(project.api.topics) as jobs:
            await jobs.finish()
    again = await project.http.post(f"{project.path}/rollback", json={"revision": 3})
    assert again.status_code == 200, again.text
    assert (await project.export())["document"] == meanwhile


async def test_scenarios_stand_with_their_blueprint(project: Project) -> None:
    frames = [{"t": 0, "value": 4, "interp": "walk", "every": 1000, "spread": 0.5}]
    day = {"name": "Day", "duration": 60_000, "tracks": [{"path": "air/temperature", "frames": frames}]}
    document, blueprint = edited(project.document)
    shelf = document["blueprints"][1]
    blueprint["scenarios"] = [day, day | {"name": "Night", "loop": True, "faults": {"lost": 0.1}}]
    # Another blueprint may have one of the same name.
    shelf["scenarios"] = [day]
    answer = await project.apply(document)
    assert answer.status_code == 200, answer.text
    exported = (await project.export())["document"]
    found = {one["alias"]: one.get("scenarios") for one in exported["blueprints"]}
    assert [one["name"] for one in found["coldStore"]] == ["Day", "Night"]
    assert found["shelf"] == [day]
    assert (await project.plan(exported))["changes"] == []
    cold = await project.blueprint("coldStore")
    stored = {one["name"]: one for one in project.documents("scenarios") if one["blueprintId"] == cold["id"]}
    assert stored["Night"]["faults"]["lost"] == 0.1
    # Changed it is the same one, renamed another; what cannot be played is refused, and nothing is changed.
    exported["blueprints"][0]["scenarios"][0]["duration"] = 90_000
    exported["blueprints"][0]["scenarios"][1]["name"] = "Evening"
    assert (await project.apply(exported)).status_code == 200
    after = {one["name"]: one for one in project.documents("scenarios") if one["blueprintId"] == cold["id"]}
    assert (after["Day"]["duration"], after["Day"]["created"]) == (90_000, stored["Day"]["created"])
    assert after.keys() == {"Day", "Evening"}
    exported["blueprints"][0]["scenarios"][0]["tracks"] = [{"path": "a"}]
    refused = await project.apply(exported)
    assert (refused.status_code, refused.json()["error"]) == (400, "code.invalid")
    back = await project.http.post(f"{project.path}/rollback", json={"revision": 2})
    assert back.status_code == 200, back.text
    again = {one["name"] for one in project.documents("scenarios") if one["blueprintId"] == cold["id"]}
    assert again == {"Day", "Night"}


async def test_timers_that_are_of_no_device_are_part_of_the_code(project: Project) -> None:
    assert (await project.apply(project.document)).status_code == 200
    script = await project.http.post(
        f"{project.path}/scripts", json={"name": "Night", "alias": "night", "code": "def run(m, c): pass"}
    )
    (device,) = project.devices((await project.blueprint("coldStore"))["id"], [4])
    action = {"type": "publishTopic", "topic": "reason", "options": {"reasoner": {"id": script.json()["id"]}}}
    nightly = {"name": "Nightly", "timer": {"type": "scheduled", "cron": "0 2 * * *"}, "action": action}
    for more in ({"scriptId": script.json()["id"]}, {"name": "Its own", "deviceId": device}):
        made = await project.http.post(f"{project.path}/timers", json=nightly | more)
        assert made.status_code == 201, made.text
    document = (await project.export())["document"]
    (timer,) = document["timers"]
    assert (timer["name"], timer["script"]) == ("Nightly", "night")
    assert timer["action"]["options"]["reasoner"]["id"] == "night"
    assert (await project.plan(document))["changes"] == []
    # Changed, and one more; a document from before timers were part of one leaves them alone.
    hourly = {"name": "Hourly", "timer": {"type": "repeating", "delay": 3_600_000}, "action": timer["action"]}
    timer["timer"]["cron"] = "0 3 * * *"
    document["timers"].append(hourly)
    assert (await project.apply(document)).status_code == 200
    stored = {one["name"]: one for one in project.documents("timers")}
    assert stored.keys() == {"Nightly", "Its own", "Hourly"}
    assert stored["Nightly"]["timer"]["cron"] == "0 3 * * *"
    older = {name: value for name, value in document.items() if name != "timers"}
    assert (await project.plan(older))["changes"] == []
    # What cannot be done is refused, and so is a script that goes though a device's timer runs it.
    wrong = document | {"timers": [hourly | {"action": {"type": "queryUrl", "url": "http://127.0.0.1/"}}]}
    refused = await project.apply(wrong)
    assert (refused.status_code, refused.json()["error"]) == (400, "code.invalid")
    dangling = await project.apply(document | {"scripts": []})
    assert "scripts has no 'night'" in dangling.json()["message"]
    held = await project.apply(document | {"scripts": [], "timers": []})
    assert (held.status_code, held.json()["error"]) == (409, "code.inUse")
    gone = await project.apply(document | {"timers": []})
    assert gone.status_code == 200, gone.text
    assert {one["name"] for one in project.documents("timers")} == {"Its own"}
    back = await project.http.post(f"{project.path}/rollback", json={"revision": 4})
    assert back.status_code == 200, back.text
    assert {one["name"] for one in project.documents("timers")} == {"Nightly", "Its own", "Hourly"}
