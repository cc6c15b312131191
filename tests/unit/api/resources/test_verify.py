"""What a check of a project finds: nothing in what the API wrote, and each thing that somebody broke."""

from __future__ import annotations

from typing import Any

import httpx

from fulcrum.core import ids
from tests.support.api import Api
from tests.unit.api.resources.kinds import ROWS


async def everything(http: httpx.AsyncClient, project: str) -> dict[str, dict[str, Any]]:
    """One of every kind, and a relationship."""
    made = {}
    for row in ROWS:
        path, body = await row.made(http, project)
        answer = await http.post(path, json=body, params={"projectId": project})
        assert answer.status_code == 201, answer.text
        made[row.name] = answer.json()
    blueprint = made["blueprint"]["id"]
    relation = {"name": "R", "type": "relationship", "path": "r", "relationshipType": "oneToOne"}
    answer = await http.post(
        f"/v1/blueprint/{blueprint}/attributes",
        json=relation | {"targetBlueprintId": blueprint},
        params={"projectId": project},
    )
    return made | {"relation": answer.json()}


async def test_what_the_api_wrote_fits_together(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.user(project, "*")) as http:
        made = await everything(http, project)
        for mode in ("strict", "off", "warn"):
            await http.patch(f"/v1/blueprint/{made['blueprint']['id']}", json={"checkMode": mode})
            answer = await http.get(f"/v1/project/{project}/verify")
            assert answer.json() == {"id": project, "ok": True, "problems": []}
        system = made["system"]["id"]
        assert (await http.get(f"/v1/system/{system}/verify")).json()["ok"] is True
        assert (await http.get("/v1/system/nobody/verify")).status_code == 404


async def test_each_thing_that_is_broken_is_found(api: Api) -> None:
    project = api.project(ids.new_id())
    below = api.documents.document(f"projects/{project}")
    async with api.client(api.admin()) as http:
        made = await everything(http, project)
        below.collection("blueprints").document(made["blueprint"]["id"]).update(
            {"messageRouteId": "gone", "checks": '{"mode":"off","paths":{"x":{"type":"number"}}}'}
        )
        below.collection("attributes").document(made["relation"]["mirrorId"]).delete()
        below.collection("scenarios").document(made["scenario"]["id"]).update({"blueprintId": "gone"})
        for lock in below.collection("locks").stream():
            holder = lock.to_dict()["holder"]
            if holder == made["system"]["id"]:
                lock.reference.delete()
            elif holder == made["script"]["id"]:
                lock.reference.update({"holder": "thief"})
        found = (await http.get(f"/v1/project/{project}/verify")).json()
        system = await http.get(f"/v1/system/{made['system']['id']}/verify", params={"projectId": project})
    assert found["ok"] is False
    assert sorted(problem.partition(": ")[2] for problem in found["problems"]) == sorted(
        [
            "its messageRouteId 'gone' is not there",
            "what the event path checks is not what its attributes say",
            f"its mirrorId '{made['relation']['mirrorId']}' is not there",
            "its blueprintId 'gone' is not there",
            f"its alias '{made['system']['alias']}' leads to nothing",
            f"its alias '{made['script']['alias']}' leads to thief",
        ]
    )
    assert len(system.json()["problems"]) == 1


async def test_one_system_is_checked_by_its_holders_alone(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        path = f"/v1/project/{project}/systems"
        mine, other = [(await http.post(path, json={"name": "S"})).json()["id"] for _ in range(2)]
    async with api.client(api.user(project, "system.read", on=("system", mine))) as http:
        assert (await http.get(f"/v1/system/{mine}/verify")).json() == {
            "id": mine,
            "ok": True,
            "problems": [],
        }
        assert (await http.get(f"/v1/system/{other}/verify")).status_code == 403
        assert (await http.get(f"/v1/project/{project}/verify")).status_code == 403
