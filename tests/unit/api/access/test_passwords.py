"""Passwords: changed, forgotten and reset; hashed anew when the parameters change."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from functions.api.access import passwords, recovery
from shared import clock
from shared.config import settings
from tests.support.api import Api
from tests.unit.api.access.people import PASSWORD, account, bearer, password_hash, sign_in

NEW = "three-green-flat-plates"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "ANSWER_SECONDS", 0.0)
    monkeypatch.setenv("FULCRUM_PUBLIC_URL", "https://fulcrum.example/")


def _mails(api: Api) -> list[dict[str, Any]]:
    return [json.loads(data) for data in api.topics.take("email")]


async def _forgot(http: httpx.AsyncClient, username: str, project: str, source: str = "") -> httpx.Response:
    headers = {"X-Forwarded-For": source or f"10.{id(username) % 250}.0.1"}
    body = {"username": username, "projectId": project}
    return await http.post("/v1/users/forgotPassword", json=body, headers=headers)


async def _reset(http: httpx.AsyncClient, token: str, password: str = NEW) -> httpx.Response:
    return await http.post("/v1/users/resetPassword", json={"token": token, "password": password})


def _token(mail: dict[str, Any]) -> str:
    return str(mail["context"]["link"]).partition("#token=")[2]


async def test_a_change_ends_the_other_sessions(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        first, second = [(await sign_in(http, user, project)).json() for _ in range(2)]
        body = {"old": PASSWORD, "new": NEW}
        path = "/v1/user/changePassword"
        mine = bearer(first["idToken"])
        wrong = await http.post(path, json=body | {"old": "wrong-password"}, headers=mine)
        assert (wrong.status_code, wrong.json()["error"]) == (403, "password.wrong")
        weak = await http.post(path, json=body | {"new": user.username}, headers=mine)
        assert (weak.status_code, weak.json()["error"]) == (400, "password.weak")
        changed = await http.post(path, json=body, headers=mine)
        assert changed.status_code == 200, changed.text
        for old in (first, second):
            assert (await http.get("/v1/user/me", headers=bearer(old["idToken"]))).status_code == 401
            again = await http.post("/v1/login/refresh", json={"refreshToken": old["refreshToken"]})
            assert again.status_code == 401
        assert (await http.get("/v1/user/me", headers=bearer(changed.json()["idToken"]))).status_code == 200
        listed = await http.get("/v1/user/me/sessions", headers=bearer(changed.json()["idToken"]))
        assert [item["id"] for item in listed.json()["items"]] == [changed.json()["sessionId"]]
        assert (await sign_in(http, user, project)).status_code == 401
        assert (await sign_in(http, user, project, NEW)).status_code == 200


async def test_a_stolen_token_cannot_guess_the_old_password(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        token = (await sign_in(http, user, project)).json()["idToken"]
        body = {"old": "wrong-password", "new": NEW}
        answers = [
            await http.post("/v1/user/changePassword", json=body, headers=bearer(token)) for _ in range(7)
        ]
    assert [answer.status_code for answer in answers] == [403] * 5 + [429] * 2


async def test_of_changes_at_once_one_holds(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        token = (await sign_in(http, user, project)).json()["idToken"]
        answers = await asyncio.gather(
            *(
                http.post(
                    "/v1/user/changePassword",
                    json={"old": PASSWORD, "new": f"{NEW}-{number}"},
                    headers=bearer(token),
                )
                for number in range(4)
            )
        )
        won = [number for number, answer in enumerate(answers) if answer.status_code == 200]
        assert len(won) == 1
        assert {a.status_code for a in answers} <= {200, 401, 403, 409}
        assert (await sign_in(http, user, project, f"{NEW}-{won[0]}")).status_code == 200


async def test_a_forgotten_password_is_reset_once_by_mail(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        signed = (await sign_in(http, user, project)).json()
        assert (await _forgot(http, user.username.upper(), project)).status_code == 202
        (mail,) = _mails(api)
        assert (mail["type"], mail["template"], mail["to"]) == ("emailMsg", "resetPassword", [user.username])
        assert mail["context"]["link"].startswith("https://fulcrum.example/reset-password#token=")
        assert mail["context"]["link"] in mail["text"]
        token = _token(mail)
        weak = await _reset(http, token, "123456")
        assert weak.json()["error"] == "password.weak"
        answers = await asyncio.gather(*(_reset(http, token) for _ in range(5)))
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 4
        assert (await _reset(http, token)).json()["error"] == "reset.invalid"
        assert (await http.get("/v1/user/me", headers=bearer(signed["idToken"]))).status_code == 401
        assert (await sign_in(http, user, project, NEW)).status_code == 200
    stored = [d.to_dict() for d in api.documents.collection("passwordResets").stream()]
    assert token not in str(stored)


async def test_unknown_users_are_answered_alike_and_get_nothing(api: Api) -> None:
    project, other = api.project(ids.new_id()), api.project(ids.new_id())
    user, mute = account(api, project), account(api, project, username="no.address")
    async with api.client() as http:
        answers = [
            await _forgot(http, user.username, project),
            await _forgot(http, user.username, other),
            await _forgot(http, "nobody@example.com", project),
            await _forgot(http, mute.username, project),
            await _forgot(http, user.username, "no-such-project"),
        ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"status":"accepted"}')}
    assert [mail["to"] for mail in _mails(api)] == [[user.username]]


async def test_a_reset_ends_after_an_hour_and_after_another_change(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    ahead = [0]
    monkeypatch.setattr(clock, "offset_ns", lambda: ahead[0])
    async with api.client() as http:
        for _ in range(3):
            await _forgot(http, user.username, project)
        first, second, third = map(_token, _mails(api))
        ahead[0] = 3_599_000_000_000
        assert (await _reset(http, first)).status_code == 200
        assert (await _reset(http, second)).json()["error"] == "reset.invalid"
        await _forgot(http, user.username, project)
        (fresh,) = map(_token, _mails(api))
        ahead[0] += 3_601_000_000_000
        for token in (third, fresh):
            assert (await _reset(http, token)).json()["error"] == "reset.invalid"


async def test_a_mail_to_an_address_that_was_given_up_sets_no_password(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project, email="old@example.com")
    async with api.client() as http:
        await _forgot(http, user.username, project)
        (before,) = _mails(api)
        assert before["to"] == ["old@example.com"]
        signed = (await sign_in(http, user, project)).json()
        new = {"email": "new@example.com"}
        assert (await http.patch("/v1/user/me", json=new, headers=bearer(signed["idToken"]))).is_success
        assert (await _reset(http, _token(before))).json()["error"] == "reset.invalid"
        await _forgot(http, user.username, project)
        assert (await _reset(http, _token(_mails(api)[-1]))).status_code == 200


@pytest.mark.parametrize("token", ["", "x", "../x", "ü" * 43, "a" * 43, "x" * 201, "\ud800", "\0"])
async def test_what_is_no_reset_token_is_refused(api: Api, token: str) -> None:
    async with api.client() as http:
        body = json.dumps({"token": token, "password": NEW})
        headers = {"Content-Type": "application/json"}
        answer = await http.post("/v1/users/resetPassword", content=body, headers=headers)
        assert answer.status_code == 400


@pytest.mark.parametrize("password", ["\ud800" * 8, "\0" * 8, "x" * 5000, 12345678, None, ["a"]])
async def test_what_is_no_password_is_refused_and_never_told(api: Api, password: Any) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    body = json.dumps({"username": user.username, "password": password, "projectId": project})
    async with api.client() as http:
        answer = await http.post("/v1/login", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 401)
    assert "12345678" not in answer.text


async def test_letters_are_the_same_in_whatever_form_a_keyboard_sends_them(api: Api) -> None:
    project = api.project(ids.new_id())
    composed, apart = "m\u00fcde-k\u00fche", "mu\u0308de-ku\u0308he"
    async with api.client(api.admin()) as http:
        body = {"username": "ada", "password": composed}
        assert (await http.post(f"/v1/project/{project}/accounts", json=body)).status_code == 201
        for password in (composed, apart):
            login = {"username": "ada", "password": password, "projectId": project}
            assert (await http.post("/v1/login", json=login)).status_code == 200


async def test_a_user_of_the_platform_finds_his_way_back_from_a_project(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, projects=[project])
    async with api.client() as http:
        await _forgot(http, user.username, project)
        (mail,) = _mails(api)
        assert (await _reset(http, _token(mail))).status_code == 200
        assert (await sign_in(http, user, project, NEW)).status_code == 200
        assert (await sign_in(http, user, "", NEW)).status_code == 200


async def test_mails_asked_for_at_once_are_limited_too(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        await asyncio.gather(*(_forgot(http, user.username, project, f"192.0.2.{n}") for n in range(30)))
    assert 1 <= len(_mails(api)) <= recovery.MAILS_TO_USER


async def test_requests_and_mails_are_limited(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        statuses = [
            (await _forgot(http, user.username, project, f"198.51.100.{n}")).status_code for n in range(8)
        ]
        assert statuses == [202] * 8
        assert len(_mails(api)) == recovery.MAILS_TO_USER
        answers = [await _forgot(http, f"u{n}@x.de", project, "198.51.100.99") for n in range(21)]
    assert [answer.status_code for answer in answers] == [202] * 20 + [429]
    assert answers[-1].headers["retry-after"] == "3600"


async def test_links_are_never_made_from_what_a_request_says_of_its_host(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    body = {"username": user.username, "projectId": project}
    path = "/v1/users/forgotPassword"
    async with api.client() as http:
        await http.post(f"https://evil.example{path}", json=body)
        (mail,) = _mails(api)
        assert mail["context"]["link"].startswith("https://fulcrum.example/")
        monkeypatch.setenv("FULCRUM_PUBLIC_URL", "")
        settings.cache_clear()
        refused = await http.post(f"https://evil.example{path}", json=body)
        assert (refused.status_code, refused.json()["error"]) == (501, "mail.noPublicUrl")
        await http.post(f"http://localhost:8080{path}", json=body)
        (mail,) = _mails(api)
        assert mail["context"]["link"].startswith("http://localhost:8080/")


async def test_a_hash_of_other_parameters_is_made_anew_at_sign_in(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    document = api.documents.document(f"projects/{project}/users/{user.id}")
    monkeypatch.setattr(passwords, "TIME_COST", 3)
    passwords._hasher.cache_clear()
    passwords._nobodys.cache_clear()
    try:
        async with api.client() as http:
            assert (await sign_in(http, user, project)).status_code == 200
            fresh = (document.get().to_dict() or {})["passwordHash"]
            assert fresh != password_hash()
            assert "t=3" in fresh
            assert (await sign_in(http, user, project)).status_code == 200
            assert (document.get().to_dict() or {})["passwordHash"] == fresh
    finally:
        monkeypatch.undo()
        passwords._hasher.cache_clear()
        passwords._nobodys.cache_clear()


async def test_a_new_user_without_a_password_cannot_sign_in_before_he_sets_one(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project, passwordHash=None)
    async with api.client() as http:
        assert (await sign_in(http, user, project)).status_code == 401
        await _forgot(http, user.username, project)
        (mail,) = _mails(api)
        assert (await _reset(http, _token(mail))).status_code == 200
        assert (await sign_in(http, user, project, NEW)).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["localhost:1@evil.example", "localhost:evil.example", "localhost:80/x", "127.0.0.1:8#@evil.example"],
)
async def test_what_only_begins_like_this_machine_is_not_this_machine(
    api: Api, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("FULCRUM_PUBLIC_URL", "")
    settings.cache_clear()
    user = account(api)
    async with api.client() as http:
        answer = await http.post(
            "/v1/users/forgotPassword", json={"username": user.username}, headers={"Host": host}
        )
        assert (answer.status_code, answer.json()["error"]) == (501, "mail.noPublicUrl")
        assert _mails(api) == []
        odd = {"Host": "localhost:8080", "X-Forwarded-Proto": "javascript"}
        await http.post("/v1/users/forgotPassword", json={"username": user.username}, headers=odd)
        (mail,) = _mails(api)
    assert mail["context"]["link"].startswith("http://localhost:8080/")
