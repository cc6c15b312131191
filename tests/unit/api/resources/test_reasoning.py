"""Scripts that routes and timers name: they are there, and stay as long as they are named."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from functions.api.resources import reasoning
from tests.support.api import Api

CODE = "def run(message, context):\n    return None\n"


def route(name: Any = "tooWarm", **more: Any) -> dict[str, Any]:
    step = {"topic": "reason", "options": {"reasoner": {"id": name, **more}}}
    return {"deviceDataEventMsg": [{"type": "concurrent", "routes": [["writer"], [step, "writer"]]}]}


def timer(options: Any) -> dict[str, Any]:
    action = {"type": "publishTopic", "topic": "reason", "options": options}
    return {"name": "T", "timer": {"type": "repeating", "delay": 1000}, "action": action}


async def script(http: httpx.AsyncClient, project: str, alias: str = "tooWarm") -> str:
    body = {"name": "Warm", "alias": alias, "code": CODE}
    answer = await http.post(f"/v1/project/{project}/scripts", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_a_route_names_a_script_that_is_there(api: Api) -> None:
    project, other = api.project(ids.new_id()), api.project(ids.new_id())
    query = {"projectId": project}
    api.documents.document(f"projects/{project}/systems/s1").set({"name": "S", "version": 1})
    async with api.client(api.admin()) as http:
        made = await script(http, project)
        foreign = await script(http, other, "elsewhere")
        blueprint = {"name": "B", "alias": "b"}
        answer = await http.post(f"/v1/project/{project}/blueprints", json=blueprint)
        blueprint_id = answer.json()["id"]
        for name, status in (("tooWarm", 201), (made, 201), ("nobody", 400), (foreign, 400), ("a/b", 400)):
            bodies = {
                f"/v1/project/{project}/messageRoutes": {"name": "R", "route": route(name)},
                f"/v1/project/{project}/blueprints": {
                    "name": "B",
                    "alias": f"b{ids.new_id()}",
                    "messageRoute": route(name),
                },
                f"/v1/project/{project}/timers": timer({"reasoner": {"id": name}}),
                "/v1/system/s1/devices": {
                    "name": "D",
                    "blueprintId": blueprint_id,
                    "messageRoute": route(name),
                },
            }
            for path, body in bodies.items():
                answer = await http.post(path, json=body, params=query)
                assert answer.status_code == status, (path, name, answer.text)
                assert status == 201 or f"there is no script {name!r}" in answer.json()["message"], path
        answer = await http.patch(
            f"/v1/blueprint/{blueprint_id}", json={"messageRoute": route("nobody")}, params=query
        )
        assert (answer.status_code, answer.json()["error"]) == (400, "blueprint.messageRoute")


@pytest.mark.parametrize(
    "step",
    [
        "reason",
        {"topic": "reason"},
        {"topic": "reason", "options": {"reasoner": "tooWarm"}},
        {"topic": "reason", "options": {"reasoner": {}}},
        {"topic": "reason", "options": {"reasoner": {"id": ""}}},
        {"topic": "reason", "options": {"reasoner": {"id": 3}}},
        {"topic": "reason", "options": {"reasoner": {"id": "tooWarm", "targetFunction": "no name"}}},
        {"topic": "reason", "options": {"reasoner": {"id": "tooWarm", "targetFunction": 3}}},
    ],
    ids=lambda step: ascii(step)[-30:],
)
async def test_a_step_to_reason_says_which_script(api: Api, step: Any) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        await script(http, project)
        body = {"name": "R", "route": {"deviceDataEventMsg": ["writer", step]}}
        answer = await http.post(f"/v1/project/{project}/messageRoutes", json=body)
        assert (answer.status_code, answer.json()["error"]) == (400, "messageRoute.route"), answer.text
        assert "options.reasoner" in answer.json()["message"]
        options = step.get("options", {}) if isinstance(step, dict) else {}
        answer = await http.post(f"/v1/project/{project}/timers", json=timer(options))
        assert answer.json()["error"] == "timer.options", answer.text


@pytest.mark.parametrize("by", ["id", "alias"])
@pytest.mark.parametrize("user", ["messageRoutes", "blueprints", "timers"])
async def test_a_script_stays_as_long_as_it_is_named(api: Api, user: str, by: str) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http:
        made = await script(http, project)
        name = made if by == "id" else "tooWarm"
        bodies: dict[str, dict[str, Any]] = {
            "messageRoutes": {"name": "R", "route": route(name)},
            "blueprints": {"name": "B", "alias": "b", "messageRoute": route(name)},
            "timers": timer({"reasoner": {"id": name}}),
        }
        used = (await http.post(f"/v1/project/{project}/{user}", json=bodies[user])).json()
        refused = await http.delete(f"/v1/script/{made}", params=query)
        assert (refused.status_code, refused.json()["error"]) == (409, "script.inUse"), refused.text
        assert used["id"] in refused.json()["message"]
        renamed = await http.patch(f"/v1/script/{made}", json={"alias": "other"}, params=query)
        # What is named by its id may be called otherwise.
        assert renamed.status_code == (200 if by == "id" else 409), renamed.text
        kind = user.removesuffix("s")
        assert (await http.delete(f"/v1/{kind}/{used['id']}", params=query)).status_code == 200
        assert (await http.delete(f"/v1/script/{made}", params=query)).status_code == 200


async def test_what_named_a_script_that_is_gone_can_still_be_renamed(api: Api) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    async with api.client(api.admin()) as http:
        made = await script(http, project)
        body = {"name": "R", "route": route()}
        used = (await http.post(f"/v1/project/{project}/messageRoutes", json=body)).json()["id"]
        api.documents.document(f"projects/{project}/scripts/{made}").delete()
        for lock in api.documents.collection(f"projects/{project}/locks").stream():
            lock.reference.delete()
        path = f"/v1/messageRoute/{used}"
        assert (await http.patch(path, json={"name": "S"}, params=query)).status_code == 200
        answer = await http.patch(path, json={"route": route(limit=3)}, params=query)
        assert answer.status_code == 400
        found = (await http.get(f"/v1/project/{project}/verify")).json()
        assert found["ok"] is False
        assert f"messageRoute {used}" in found["problems"][0]
        assert "runs the script 'tooWarm', which is not there" in found["problems"][0]


def test_scripts_are_found_wherever_a_route_names_them() -> None:
    both = {
        "deviceDataEventMsg": {"reason": {"options": {"reasoner": {"id": "a"}}}, "writer": True},
        "deviceEventAckMsg": ["writer", {"topic": "x", "route": [route("b")["deviceDataEventMsg"][0]]}],
    }
    assert reasoning.named_in_route(both) == {"a", "b"}
    assert reasoning.named_in_route({"deviceDataEventMsg": 3}) == reasoning.named_in_route("x") == set()
    assert reasoning.named_in_route(reasoning.with_aliases(both, {"a": "x", "b": "y"})) == {"x", "y"}
