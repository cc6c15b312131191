"""Tokens that are not good: tampered with, of another key, expired, revoked, of another project."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest

from fulcrum.core import ids
from functions.api.access import tokens
from shared import clock
from tests.support.api import SIGNING_KEY, Api
from tests.unit.api.access.people import account, bearer, sign_in

PATHS = ("/v1/user/me", "/v1/user/me/sessions")


def _none(claims: dict[str, Any]) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


async def _status(api: Api, token: str) -> set[int]:
    async with api.client(token) as http:
        return {(await http.get(path)).status_code for path in PATHS}


async def test_tampered_tokens_are_refused(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        token = (await sign_in(http, user, project)).json()["idToken"]
    claims = jwt.decode(token, options={"verify_signature": False})
    head, body, signature = token.split(".")
    forged = [
        _none(claims),
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-4]}AAAA",
        jwt.encode(claims, "x" * 64, algorithm="HS256"),
        jwt.encode(claims, SIGNING_KEY, algorithm="HS512"),
        jwt.encode(claims | {"aud": "other"}, SIGNING_KEY, algorithm="HS256"),
        jwt.encode({k: v for k, v in claims.items() if k != "exp"}, SIGNING_KEY, algorithm="HS256"),
        jwt.encode({k: v for k, v in claims.items() if k != "sid"}, SIGNING_KEY, algorithm="HS256"),
        jwt.encode(claims | {"sid": ids.new_id()}, SIGNING_KEY, algorithm="HS256"),
        jwt.encode(claims | {"sub": ids.new_id()}, SIGNING_KEY, algorithm="HS256"),
        jwt.encode(claims | {"prj": "another"}, SIGNING_KEY, algorithm="HS256"),
        jwt.encode({k: v for k, v in claims.items() if k != "prj"}, SIGNING_KEY, algorithm="HS256"),
        _none({"type": "apiAccess", "iss": "x", "prj": project, "exp": claims["exp"]}),
    ]
    assert await _status(api, token) == {200}
    for each in forged:
        assert await _status(api, each) == {401}, each


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearer ü", "bearer fa_x", "Bearer a.b.c"]
)
async def test_what_is_no_token_is_refused(api: Api, header: str) -> None:
    async with api.client() as http:
        answer = await http.get("/v1/user/me", headers={b"Authorization": header.encode()})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_expired_tokens_are_refused_by_name(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        signed = (await sign_in(http, user, project)).json()
        old = tokens.mint(user.id, signed["sessionId"], project, timedelta(seconds=-1))
        answer = await http.get("/v1/user/me", headers=bearer(old))
    assert (answer.status_code, answer.json()["error"]) == (401, "auth.expired")


async def test_a_revocation_elsewhere_is_noticed_within_ten_seconds(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    ahead = [0]
    monkeypatch.setattr(clock, "offset_ns", lambda: ahead[0])
    async with api.client() as http:
        signed = (await sign_in(http, user, project)).json()
        headers = bearer(signed["idToken"])
        assert (await http.get("/v1/user/me/sessions", headers=headers)).status_code == 200
        # As another instance does it.
        api.documents.document(f"sessions/{signed['sessionId']}").update({"revoked": True})
        ahead[0] += 10_000_000_000
        assert (await http.get("/v1/user/me/sessions", headers=headers)).status_code == 401


async def test_another_projects_token_opens_nothing(api: Api) -> None:
    project, other = api.project(ids.new_id()), api.project(ids.new_id())
    async with api.client(api.user(project, "user.list")) as http:
        assert (await http.get(f"/v1/project/{project}/accounts")).status_code == 200
        refused = await http.get(f"/v1/project/{other}/accounts")
        assert (refused.status_code, refused.json()["error"]) == (403, "project.other")
        assert (await http.get("/v1/users", params={"projectId": other})).status_code == 403
        assert (await http.get("/v1/users", headers={"X-Fulcrum-Project": other})).status_code == 403


async def test_an_account_is_no_administrator_whatever_stands_in_its_document(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project, admin=True)
    async with api.client() as http:
        token = (await sign_in(http, user, project)).json()["idToken"]
        answer = await http.get(f"/v1/project/{project}/accounts", headers=bearer(token))
    assert answer.status_code == 403


async def test_a_rotated_signing_key_still_verifies_and_a_dropped_one_does_not(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.config import settings

    project = api.project(ids.new_id())
    user = account(api, project)
    new = "a-new-signing-key-of-more-than-32-characters"
    async with api.client() as http:
        signed = (await sign_in(http, user, project)).json()
        for keys, status in ((f"{new},{SIGNING_KEY}", 200), (new, 401)):
            monkeypatch.setenv("FULCRUM_SIGNING_KEY", keys)
            settings.cache_clear()
            answer = await http.get("/v1/user/me", headers=bearer(signed["idToken"]))
            assert answer.status_code == status
