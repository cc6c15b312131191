"""Projects: who makes and sees them, that an id is never given twice, and what each begins with."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from fulcrum.core import ids
from functions.api.access import tokens
from shared import clock
from tests.support.api import Api


def platform_user(api: Api) -> tuple[str, str]:
    """A user of the platform in no project yet: id and token."""
    user_id, session_id = ids.new_id(), ids.new_id()
    api.documents.document(f"users/{user_id}").set({"username": f"u-{user_id}"})
    session = {"userId": user_id, "projectId": "", "created": clock.now_ms(), "revoked": False}
    session["expires"] = clock.now_ms() + 86_400_000
    api.documents.document(f"sessions/{session_id}").set(session)
    return user_id, tokens.mint(user_id, session_id, "", timedelta(hours=1))


def kebab() -> str:
    return f"p-{ids.new_id().lower()}"


async def test_whoever_creates_a_project_administers_it(api: Api) -> None:
    user_id, token = platform_user(api)
    project = kebab()
    async with api.client(token) as http:
        created = await http.post("/v1/project", json={"id": project, "name": "P", "metadata": {"a": 1}})
        assert created.status_code == 201, created.text
        assert created.json()["id"] == project
        assert created.json()["revision"] == 1
        assert created.headers["etag"] == '"1"'
        listed = (await http.get("/v1/project", params={"total": True})).json()
        assert ([item["id"] for item in listed["items"]], listed["total"]) == ([project], 1)
        item = f"/v1/project/{project}"
        assert (await http.get(item)).json() == created.json()
        made = await http.post(f"{item}/systems", json={"name": "S"})
        assert made.status_code == 201, made.text
        changed = await http.patch(item, json={"name": "Q", "jwtTokenExpiration": 3600})
        assert changed.json()["jwtTokenExpiration"] == 3600
        for bad in ({"id": "x"}, {"revision": 5}, {"jwtTokenExpiration": 1}, {"name": None}):
            assert (await http.patch(item, json=bad)).status_code == 400, bad
        deleted = await http.delete(item)
        assert deleted.json()["jobId"], deleted.text
    roles = {d.id for d in api.documents.collection(f"projects/{project}/roles").stream()}
    assert {"admin", "member", "account"} <= roles
    assert (api.documents.document(f"users/{user_id}").get().to_dict() or {})["projects"] == [project]


async def test_an_id_is_given_once_even_after_its_project_is_gone(api: Api) -> None:
    project = kebab()
    tokens_ = [platform_user(api)[1] for _ in range(3)]
    async with api.client(tokens_[0]) as http:
        posts = (
            http.post(
                "/v1/project",
                json={"id": project, "name": f"P{n}"},
                headers={"Authorization": f"Bearer {tokens_[n % 3]}"},
            )
            for n in range(12)
        )
        answers = await asyncio.gather(*posts)
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11
        assert {a.json()["error"] for a in answers if a.status_code == 409} == {"project.idTaken"}
    async with api.client(api.admin()) as http:
        assert (await http.delete(f"/v1/project/{project}")).status_code == 200
        gone = await http.get(f"/v1/project/{project}")
        assert (gone.status_code, gone.json()["error"]) == (410, "project.gone")
        for answer in (
            await http.get(f"/v1/project/{project}/systems"),
            await http.post(f"/v1/project/{project}/systems", json={"name": "S"}),
        ):
            assert (answer.status_code, answer.json()["error"]) == (410, "project.gone")
        again = await http.post("/v1/project", json={"id": project, "name": "Again"})
        assert (again.status_code, again.json()["error"]) == (409, "project.idTaken")


async def test_a_creation_sent_again_makes_one_project(api: Api) -> None:
    _, token = platform_user(api)
    headers = {"Idempotency-Key": "k"}
    async with api.client(token) as http:
        posts = (http.post("/v1/project", json={"name": "P"}, headers=headers) for _ in range(5))
        answers = await asyncio.gather(*posts)
        assert {answer.status_code for answer in answers} == {201}, [a.text for a in answers]
        assert len({answer.json()["id"] for answer in answers}) == 1
        other = await http.post("/v1/project", json={"name": "Q"}, headers=headers)
        assert other.json()["error"] == "idempotency.reused"
        assert (await http.get("/v1/project")).json()["count"] == 1


async def test_who_is_of_a_project_alone_makes_none_and_sees_his_own(api: Api) -> None:
    project = api.project(kebab())
    api.project(kebab())
    async with api.client(api.user(project, "*")) as http:
        refused = await http.post("/v1/project", json={"name": "P"})
        assert (refused.status_code, refused.json()["error"]) == (403, "permission.denied")
        listed = await http.get("/v1/project")
        assert [item["id"] for item in listed.json()["items"]] == [project]
    async with api.client() as http:
        assert (await http.post("/v1/project", json={"name": "P"})).status_code == 401
        assert (await http.get("/v1/project")).status_code == 401


async def test_a_stranger_learns_nothing_of_a_project(api: Api) -> None:
    project = api.project(kebab())
    _, token = platform_user(api)
    async with api.client(token) as http:
        assert (await http.get("/v1/project")).json()["items"] == []
        there, nowhere = [await http.get(f"/v1/project/{name}") for name in (project, "nowhere-at-all")]
        assert there.status_code == nowhere.status_code == 403
        assert there.json()["message"] == nowhere.json()["message"]


async def test_pages_of_projects_follow_each_other(api: Api) -> None:
    user_id, token = platform_user(api)
    mine = [api.project(kebab()) for _ in range(5)]
    api.documents.document(f"users/{user_id}").update({"projects": [*mine, "gone-long-ago"]})

    async def all_of(token: str, pages: int) -> list[str]:
        seen: list[str] = []
        cursor = None
        async with api.client(token) as http:
            for _ in range(pages):
                params: dict[str, Any] = {"perPage": 2} | ({"cursor": cursor} if cursor else {})
                page = (await http.get("/v1/project", params=params)).json()
                seen += [item["id"] for item in page["items"]]
                cursor = page.get("next")
                if cursor is None:
                    break
        return seen

    assert await all_of(token, 10) == sorted(mine)
    everything = await all_of(api.admin(), 200)
    assert set(mine) < set(everything)
    assert everything == sorted(everything)


async def test_bad_projects_are_refused(api: Api) -> None:
    _, token = platform_user(api)
    async with api.client(token) as http:
        for bad in (
            {},
            {"name": ""},
            {"name": "N", "id": "Upper"},
            {"name": "N", "id": "a"},
            {"name": "N", "id": "a--b"},
            {"name": "N", "id": "-a"},
            {"name": "N", "id": "x" * 64},
            {"name": "N", "id": "__x__"},
            {"name": "N", "revision": 7},
            {"name": "N", "jwtTokenExpiration": 0},
        ):
            assert (await http.post("/v1/project", json=bad)).status_code == 400, bad
        assert (await http.get("/v1/project")).json()["items"] == []
