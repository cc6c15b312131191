"""Setting up, signing in, refreshing and signing out, through the API's entry."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fulcrum.core import ids
from tests.support.api import Api
from tests.unit.api.access.people import PASSWORD, SETUP_TOKEN, account, sign_in

SETUP = {"token": SETUP_TOKEN, "username": "Root@Example.com", "password": PASSWORD}


@pytest.fixture(autouse=True)
def _setup_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULCRUM_SETUP_TOKEN", SETUP_TOKEN)


async def test_of_fifty_setups_at_once_one_makes_the_administrator(api: Api) -> None:
    async with api.client() as http:
        answers = await asyncio.gather(*(http.post("/v1/setup", json=SETUP) for _ in range(50)))
        again = await http.post("/v1/setup", json=SETUP | {"username": "other"})
        signed = await http.post("/v1/login", json={"username": "root@example.com", "password": PASSWORD})
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49
    assert {a.json()["error"] for a in answers if a.status_code == 409} == {"setup.done"}
    assert again.json()["error"] == "setup.done"
    (made,) = [answer.json() for answer in answers if answer.status_code == 201]
    assert made["admin"] is True
    assert signed.json()["profile"]["id"] == made["id"]
    admins = [d for d in api.documents.collection("users").stream() if (d.to_dict() or {}).get("admin")]
    assert len(admins) == 1


async def test_a_wrong_setup_token_is_refused(api: Api) -> None:
    async with api.client() as http:
        for token in ("", "wrong", SETUP_TOKEN[:-1], SETUP_TOKEN + "x", "ü" * 20):
            answer = await http.post("/v1/setup", json=SETUP | {"token": token})
            assert (answer.status_code, answer.json()["error"]) == (403, "setup.refused")


async def test_signed_in_refreshed_and_out(api: Api) -> None:
    project = api.project(ids.new_id(), jwtTokenExpiration=600)
    user = account(api, project)
    async with api.client() as http:
        signed = (await sign_in(http, user, project)).json()
        assert signed["profile"]["username"] == user.username
        assert signed["profile"]["projectId"] == project
        assert 590_000 < signed["expires"] - _issued(signed["idToken"]) * 1000 <= 601_000
        me = await http.get("/v1/user/me", headers=_bearer(signed["idToken"]))
        assert me.json()["id"] == user.id
        fresh = await http.post("/v1/login/refresh", json={"refreshToken": signed["refreshToken"]})
        assert fresh.status_code == 200
        assert fresh.json()["refreshToken"] != signed["refreshToken"]
        token = fresh.json()["idToken"]
        assert (await http.post("/v1/logout", headers=_bearer(token))).status_code == 200
        for each in (signed["idToken"], token):
            answer = await http.get("/v1/user/me", headers=_bearer(each))
            assert (answer.status_code, answer.json()["error"]) == (401, "auth.invalid")
        gone = await http.post("/v1/login/refresh", json={"refreshToken": fresh.json()["refreshToken"]})
        assert gone.status_code == 401


async def test_a_refresh_token_used_again_ends_the_session(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        signed = (await sign_in(http, user, project)).json()
        old = {"refreshToken": signed["refreshToken"]}
        fresh = (await http.post("/v1/login/refresh", json=old)).json()
        reused = await http.post("/v1/login/refresh", json=old)
        assert (reused.status_code, reused.json()["error"]) == (401, "session.reused")
        after = await http.post("/v1/login/refresh", json={"refreshToken": fresh["refreshToken"]})
        assert after.status_code == 401
        assert (await http.get("/v1/user/me", headers=_bearer(fresh["idToken"]))).status_code == 401


async def test_of_refreshes_at_once_with_one_token_at_most_one_goes_on(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        signed = (await sign_in(http, user, project)).json()
        body = {"refreshToken": signed["refreshToken"]}
        answers = await asyncio.gather(*(http.post("/v1/login/refresh", json=body) for _ in range(5)))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(200) <= 1
    assert set(statuses) <= {200, 401}


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c", "fa_x_y", "x" * 4001])
async def test_what_is_no_refresh_token_is_refused(api: Api, token: str) -> None:
    async with api.client() as http:
        answer = await http.post("/v1/login/refresh", json={"refreshToken": token})
        assert answer.status_code == (400 if len(token) > 4000 else 401)


async def test_an_id_token_refreshes_nothing_and_a_refresh_token_reads_nothing(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        signed = (await sign_in(http, user, project)).json()
        wrong = await http.post("/v1/login/refresh", json={"refreshToken": signed["idToken"]})
        assert wrong.status_code == 401
        answer = await http.get("/v1/user/me", headers=_bearer(signed["refreshToken"]))
        assert answer.status_code == 401


async def test_unknown_users_projects_and_wrong_passwords_are_answered_alike(api: Api) -> None:
    project, other = api.project(ids.new_id()), api.project(ids.new_id())
    user = account(api, project)
    tries: list[dict[str, Any]] = [
        {"username": user.username, "password": "wrong-password", "projectId": project},
        {"username": "nobody", "password": PASSWORD, "projectId": project},
        {"username": user.username, "password": PASSWORD, "projectId": other},
        {"username": user.username, "password": PASSWORD, "projectId": "no-such-project"},
        {"username": user.username, "password": PASSWORD},
    ]
    async with api.client() as http:
        answers = [await http.post("/v1/login", json=body) for body in tries]
        right = await sign_in(http, user, project)
    assert {answer.status_code for answer in answers} == {401}
    bodies = [{k: v for k, v in answer.json().items() if k != "requestId"} for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    assert right.status_code == 200


@pytest.mark.parametrize(
    "body",
    [{}, {"username": "x"}, {"username": 3, "password": "y"}, {"username": "x", "password": "y", "z": 1}, []],
)
async def test_bad_bodies_are_refused(api: Api, body: Any) -> None:
    async with api.client() as http:
        answer = await http.post("/v1/login", json=body)
    assert answer.status_code == 400
    assert "y" not in answer.json()["message"].replace("body", "").replace("type", "").split()


async def test_ones_own_sessions_are_listed_and_ended(api: Api) -> None:
    project = api.project(ids.new_id())
    user, other = account(api, project), account(api, project)
    async with api.client() as http:
        first, second = [(await sign_in(http, user, project)).json() for _ in range(2)]
        strangers = (await sign_in(http, other, project)).json()
        mine = _bearer(first["idToken"])
        listed = (await http.get("/v1/user/me/sessions", headers=mine)).json()
        assert {item["id"] for item in listed["items"]} == {first["sessionId"], second["sessionId"]}
        assert [item["id"] for item in listed["items"] if item["current"]] == [first["sessionId"]]
        refused = await http.delete(f"/v1/user/me/sessions/{strangers['sessionId']}", headers=mine)
        assert (refused.status_code, refused.json()["error"]) == (404, "session.notFound")
        ended = await http.delete(f"/v1/user/me/sessions/{second['sessionId']}", headers=mine)
        assert ended.status_code == 200
        assert (await http.get("/v1/user/me", headers=_bearer(second["idToken"]))).status_code == 401
        assert (await http.get("/v1/user/me", headers=_bearer(strangers["idToken"]))).status_code == 200
        left = (await http.get("/v1/user/me/sessions", headers=mine)).json()
    assert [item["id"] for item in left["items"]] == [first["sessionId"]]


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _issued(token: str) -> int:
    import jwt

    return int(jwt.decode(token, options={"verify_signature": False})["iat"])
