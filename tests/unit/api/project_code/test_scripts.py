"""Scripts in a project's document: their files, and the routes that name them."""

from __future__ import annotations

from typing import Any

from tests.unit.api.project_code.conftest import Project

SCRIPT: dict[str, Any] = {
    "alias": "tooWarm",
    "name": "Too warm",
    "code": "def run(message, context):\n    return None\n",
    "files": {"lib/limits.py": "WARM = 8\n"},
    "requirements": "geographiclib==2.1\n",
}


def route(name: str) -> dict[str, Any]:
    step = {"topic": "reason", "options": {"reasoner": {"id": name}}}
    return {"name": "Reason", "route": {"deviceDataEventMsg": [step, "writer"]}}


def with_script(project: Project, *routes: dict[str, Any], **script: Any) -> dict[str, Any]:
    document = project.document
    return document | {
        "scripts": [SCRIPT | script],
        "messageRoutes": [*document["messageRoutes"], *routes],
    }


async def test_files_and_requirements_come_back(project: Project) -> None:
    answer = await project.apply(with_script(project))
    assert answer.status_code == 200, answer.text
    assert (await project.export())["document"]["scripts"] == [SCRIPT]
    changed = {"files": {"lib/limits.py": "WARM = 9\n"}}
    assert (await project.apply(with_script(project, **changed))).json()["changed"] == 1
    assert (await project.export())["document"]["scripts"] == [SCRIPT | changed]


async def test_bad_files_and_requirements_are_named(project: Project) -> None:
    for wrong, said in (
        ({"files": {"../x.py": ""}}, "scripts tooWarm: files"),
        ({"requirements": "numpy"}, "scripts tooWarm: requirements"),
    ):
        answer = await project.apply(with_script(project, **wrong))
        assert (answer.status_code, answer.json()["error"]) == (400, "code.invalid")
        assert said in answer.json()["message"]


async def test_a_route_names_scripts_of_the_document_by_alias(project: Project) -> None:
    answer = await project.apply(with_script(project, route("tooCold")))
    assert answer.status_code == 400
    assert "messageRoutes Reason: route: scripts has no 'tooCold'" in answer.json()["message"]
    assert (await project.apply(with_script(project, route("tooWarm")))).status_code == 200
    document = (await project.export())["document"]
    assert document["messageRoutes"][1] == route("tooWarm")
    # Whoever named it by its id finds it by its alias in the document, which is nothing to change.
    script_id = project.documents("scripts")[0]["id"]
    made = next(one for one in project.documents("messageRoutes") if one["name"] == "Reason")
    path = f"/v1/messageRoute/{made['id']}"
    answer = await project.http.patch(
        path, json={"route": route(script_id)["route"]}, params={"projectId": project.id}
    )
    assert answer.status_code == 200, answer.text
    assert (await project.export())["document"] == document
    assert (await project.apply(document)).json()["changed"] == 0


async def test_an_attribute_that_a_further_file_names_is_told(project: Project) -> None:
    document = with_script(project, files={"lib/limits.py": "PATH = 'air/temperature'\n"})
    assert (await project.apply(document)).status_code == 200
    blueprints = [dict(one) for one in document["blueprints"]]
    blueprints[0]["attributes"] = blueprints[0]["attributes"][1:]
    answer = await project.http.post(
        f"{project.path}/plan", json={"document": document | {"blueprints": blueprints}}
    )
    assert "scripts tooWarm: files" in [one["where"] for one in answer.json()["references"]]


async def test_a_script_that_the_action_of_a_timer_names_stays(project: Project) -> None:
    assert (await project.apply(with_script(project))).status_code == 200
    timer = {
        "name": "T",
        "timer": {"type": "repeating", "delay": 60_000},
        "action": {"type": "publishTopic", "topic": "reason", "options": {"reasoner": {"id": "tooWarm"}}},
    }
    made = await project.http.post(f"{project.path}/timers", json=timer)
    assert made.status_code == 201, made.text
    refused = await project.apply(project.document, force=True)
    assert (refused.status_code, refused.json()["error"]) == (409, "code.inUse")
    assert f"scripts tooWarm: the timer {made.json()['id']} runs it" in refused.json()["message"]
