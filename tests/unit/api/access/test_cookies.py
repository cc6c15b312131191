"""Sessions of pages: what the cookies are like, and what other sites cannot make a browser do."""

from __future__ import annotations

import httpx
import pytest

from fulcrum.core import ids
from tests.support.api import Api
from tests.unit.api.access.people import PASSWORD, Account, account

SITE = "https://fulcrum.example"


async def _page(http: httpx.AsyncClient, user: Account, project: str, **headers: str) -> httpx.Response:
    body = {"username": user.username, "password": PASSWORD, "projectId": project}
    return await http.post(
        f"{SITE}/v1/login",
        params={"session": "cookie"},
        json=body,
        headers={"X-Forwarded-Proto": "https"} | headers,
    )


def _cookies(answer: httpx.Response) -> dict[str, str]:
    lines = answer.headers.get_list("set-cookie")
    return {line.partition("=")[0]: line for line in lines}


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        answer = await _page(http, user, project, Origin=SITE)
    assert answer.status_code == 200
    assert "idToken" not in answer.json()
    assert "refreshToken" not in answer.json()
    cookies = {name: line.lower() for name, line in _cookies(answer).items()}
    assert set(cookies) == {"__Host-fulcrum", "__Secure-fulcrum-refresh", "__Host-fulcrum-csrf"}
    session = cookies["__Host-fulcrum"]
    assert all(word in session for word in ("httponly", "secure", "samesite=lax", "path=/;"))
    refresh = cookies["__Secure-fulcrum-refresh"]
    assert all(word in refresh for word in ("httponly", "secure", "samesite=strict", "path=/v1/login"))
    assert "httponly" not in cookies["__Host-fulcrum-csrf"]
    assert all("domain" not in line for line in cookies.values())


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"])
async def test_on_this_machine_over_http_cookies_need_no_https(api: Api, host: str) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    body = {"username": user.username, "password": PASSWORD, "projectId": project}
    async with api.client() as http:
        answer = await http.post(f"http://{host}/v1/login?session=cookie", json=body)
    cookies = _cookies(answer)
    assert set(cookies) == {"fulcrum", "fulcrum-refresh", "fulcrum-csrf"}
    assert all("secure" not in line.lower() for line in cookies.values())


async def test_a_change_by_cookie_needs_the_sessions_own_token_and_origin(api: Api) -> None:
    project = api.project(ids.new_id())
    user, other = account(api, project), account(api, project)
    async with api.client() as http:
        strangers = (await _page(http, other, project)).json()["csrfToken"]
        http.cookies.clear()
        signed = (await _page(http, user, project)).json()
        token = signed["csrfToken"]
        path, base = f"{SITE}/v1/user/me", {"X-Forwarded-Proto": "https"}
        assert (await http.get(path, headers=base)).json()["id"] == user.id

        async def change(**headers: str) -> tuple[int, str]:
            answer = await http.patch(path, json={"name": "Ada"}, headers=base | headers)
            return answer.status_code, answer.json().get("error", "")

        csrf = "X-CSRF-Token"
        assert await change() == (403, "csrf.missing")
        assert await change(**{csrf: ""}) == (403, "csrf.missing")
        assert await change(**{csrf: strangers}) == (403, "csrf.missing")
        assert await change(**{csrf: token, "Origin": "https://evil.example"}) == (403, "csrf.origin")
        assert await change(**{csrf: token, "Origin": "null"}) == (403, "csrf.origin")
        assert await change(**{csrf: token, "Sec-Fetch-Site": "cross-site"}) == (403, "csrf.origin")
        assert (await http.get(path, headers=base)).json().get("name") is None
        assert await change(**{csrf: token, "Origin": SITE}) == (200, "")
        assert await change(**{csrf: token}) == (200, "")


async def test_a_bearer_token_needs_neither(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    body = {"username": user.username, "password": PASSWORD, "projectId": project}
    async with api.client() as http:
        token = (await http.post("/v1/login", json=body)).json()["idToken"]
        headers = {"Authorization": f"Bearer {token}", "Origin": "https://other.example"}
        answer = await http.patch("/v1/user/me", json={"name": "Ada"}, headers=headers)
    assert answer.status_code == 200


async def test_another_site_can_neither_sign_in_nor_refresh_nor_sign_out(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    evil = {"Origin": "https://evil.example", "X-Forwarded-Proto": "https"}
    async with api.client() as http:
        assert (await _page(http, user, project, Origin=evil["Origin"])).json()["error"] == "csrf.origin"
        await _page(http, user, project)
        for path in ("/v1/login/refresh", "/v1/logout"):
            answer = await http.post(f"{SITE}{path}", headers=evil)
            assert (answer.status_code, answer.json()["error"]) == (403, "csrf.origin")


async def test_a_page_refreshes_by_cookie_and_signs_out(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        signed = (await _page(http, user, project)).json()
        headers = {"X-Forwarded-Proto": "https", "X-CSRF-Token": signed["csrfToken"], "Origin": SITE}
        before = dict(http.cookies)
        fresh = await http.post(f"{SITE}/v1/login/refresh", headers=headers)
        assert fresh.status_code == 200, fresh.text
        assert fresh.json()["csrfToken"] == signed["csrfToken"]
        assert "idToken" not in fresh.json()
        assert dict(http.cookies)["__Secure-fulcrum-refresh"] != before["__Secure-fulcrum-refresh"]
        out = await http.post(f"{SITE}/v1/logout", headers=headers)
        assert out.status_code == 200
        assert not dict(http.cookies)
        http.cookies = httpx.Cookies(before)
        assert (await http.get(f"{SITE}/v1/user/me", headers=headers)).status_code == 401


async def test_a_page_that_changes_its_password_gets_cookies_and_no_tokens(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        signed = (await _page(http, user, project)).json()
        headers = {"X-Forwarded-Proto": "https", "X-CSRF-Token": signed["csrfToken"]}
        body = {"old": PASSWORD, "new": PASSWORD + "-2"}
        changed = await http.post(f"{SITE}/v1/user/changePassword", json=body, headers=headers)
        assert changed.status_code == 200, changed.text
        assert not {"idToken", "refreshToken"} & changed.json().keys()
        headers["X-CSRF-Token"] = changed.json()["csrfToken"]
        assert (
            await http.patch(f"{SITE}/v1/user/me", json={"name": "A"}, headers=headers)
        ).status_code == 200


async def test_without_a_cookie_or_a_body_there_is_nothing_to_refresh(api: Api) -> None:
    async with api.client() as http:
        answer = await http.post("/v1/login/refresh")
    assert (answer.status_code, answer.json()["error"]) == (401, "auth.missing")
