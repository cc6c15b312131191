"""Templates looked at before they are sent, and refused where nothing could ever be made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from shared import template_process
from tests.support.api import Api

WARM = {
    "name": "Too warm",
    "alias": "tooWarm",
    "email": {
        "subject": "{{ name }}\n is too warm",
        "html": "<p>{{ name }}: {{ temperature }}</p>",
        "text": "{{ name }}: {{ temperature }}",
    },
    "sms": "{{ name }} ",
}


@pytest.fixture(autouse=True)
def _process() -> Iterator[None]:
    yield
    template_process._process.end()


async def _made(http: httpx.AsyncClient, project: str, **changes: Any) -> str:
    answer = await http.post(f"/v1/project/{project}/templates", json=WARM | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _preview(http: httpx.AsyncClient, project: str, template: str, **body: Any) -> dict[str, Any]:
    answer = await http.post(f"/v1/template/{template}/preview", params={"projectId": project}, json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert isinstance(found, dict)
    return found


async def test_a_template_is_shown_as_it_would_be_sent(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.user(project, "template.create", "template.read")) as http:
        template = await _made(http, project)
        found = await _preview(http, project, template, context={"name": "R&D", "temperature": 9.5})
    assert found == {
        "subject": "R&D is too warm",
        "html": "<p>R&amp;D: 9.5</p>",
        "text": "R&D: 9.5",
        "sms": "R&D",
        "names": ["name", "temperature"],
        "problems": [],
    }


async def test_what_is_missing_is_said_of_its_part_and_the_rest_is_shown(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        template = await _made(http, project)
        found = await _preview(http, project, template, context={"name": "a"})
        assert (found["sms"], found["subject"]) == ("a", "a is too warm")
        said = "line 1: the context has no 'temperature'"
        assert found["problems"] == [{"part": part, "message": said} for part in ("html", "text")]
        assert len((await _preview(http, project, template))["problems"]) == 4
        found = await _preview(http, project, template, context={"name": "a" * 1601, "temperature": 1})
        assert [(one["part"], one["message"]) for one in found["problems"]] == [
            ("subject", "it has 1613 characters; at most 900"),
            ("sms", "it has 1601 characters; at most 1600"),
        ]


async def test_a_draft_is_shown_in_place_of_what_is_stored(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        template = await _made(http, project)
        draft = {"subject": "{{ x }}", "text": "{% if %}"}
        found = await _preview(http, project, template, email=draft, context={"x": " ", "name": "a"})
        assert found["sms"] == "a"
        assert [one["part"] for one in found["problems"]] == ["text", "subject"]
        answer = await http.get(f"/v1/template/{template}", params={"projectId": project})
        assert answer.json()["email"] == WARM["email"]


@pytest.mark.parametrize(
    "body",
    [{"context": 5}, {"context": []}, {"email": {"text": "no subject"}}, {"sms": ""}, {"more": 1}, [], "x"],
    ids=["number", "list", "email", "sms", "more", "array", "text"],
)
async def test_what_is_no_sample_is_refused(api: Api, body: Any) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        template = await _made(http, project)
        answer = await http.post(f"/v1/template/{template}/preview", params={"projectId": project}, json=body)
    assert answer.status_code == 400


async def test_a_template_that_takes_too_much_harms_nobody(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_process, "CPU_SECONDS", 0.2)
    project = api.project(ids.new_id())
    loops = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}" * 9
    async with api.client(api.admin()) as http:
        template = await _made(http, project, sms=loops)
        found = await _preview(http, project, template, context={"name": "a", "temperature": 1})
    assert found["problems"] == [{"part": "sms", "message": "it takes too long to fill"}]
    assert found["text"] == "a: 1"


async def test_only_who_may_read_it_may_look_and_only_in_its_project(api: Api) -> None:
    project, other = api.project(ids.new_id()), api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        template = await _made(http, project)
    for where, permissions, status in (
        (project, ("template.list",), 403),
        (other, ("template.read",), 404),
    ):
        async with api.client(api.user(where, *permissions)) as http:
            answer = await http.post(f"/v1/template/{template}/preview", params={"projectId": where}, json={})
            assert answer.status_code == status, answer.text


async def test_what_can_never_be_filled_is_not_saved(api: Api) -> None:
    project = api.project(ids.new_id())
    path = f"/v1/project/{project}/templates"
    async with api.client(api.admin()) as http:
        bad = WARM | {"email": {"subject": "a", "html": "b\n{% if %}"}, "sms": "{% include 'x' %}"}
        answer = await http.post(path, json=bad)
        assert (answer.status_code, answer.json()["error"]) == (400, "template.text")
        assert "html: line 2: " in answer.json()["message"]
        assert "sms: line 1: a template stands alone" in answer.json()["message"]
        template = await _made(http, project)
        one = f"/v1/template/{template}"
        answer = await http.patch(one, params={"projectId": project}, json={"sms": "{{#if x}}{{/if}}"})
        assert (answer.status_code, answer.json()["error"]) == (400, "template.text")
        answer = await http.patch(one, params={"projectId": project}, json={"name": "Warm"})
        assert answer.status_code == 200
        listed = (await http.get(path)).json()["items"]
        assert [(found["name"], found["sms"]) for found in listed] == [("Warm", WARM["sms"])]


async def test_a_project_as_code_is_not_applied_with_a_template_that_is_wrong(api: Api) -> None:
    project = api.project(ids.new_id())
    path = f"/v1/project/{project}"
    async with api.client(api.admin()) as http:
        document = (await http.get(f"{path}/export")).json()["document"]
        document["templates"] = [{"alias": "tooWarm", "name": "Too warm", "sms": "{{ name"}]
        answer = await http.post(f"{path}/apply", json={"document": document})
        assert answer.status_code == 400, answer.text
        assert "tooWarm: the template: sms: line 1" in answer.json()["message"]
        assert (await http.get(f"{path}/templates")).json()["items"] == []
