"""API keys: made, used in both forms, narrowed, rotated, revoked; what a forger cannot do."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import jwt
import pytest

from fulcrum.core import ids
from functions.api.access import sealing
from shared import clock
from shared.config import settings
from tests.support.api import SIGNING_KEY, Api
from tests.unit.api.access.people import bearer


async def _make(api: Api, project: str, **body: Any) -> dict[str, Any]:
    async with api.client(api.admin()) as http:
        answer = await http.post(f"/v1/project/{project}/apiAccess", json={"name": "Export"} | body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def _signed(made: dict[str, Any], project: str, secret: str = "", **changed: Any) -> str:
    claims = {
        "type": "apiAccess",
        "iss": made["key"]["id"],
        "prj": project,
        "aud": "fulcrum",
        "exp": int(time.time()) + 600,
    } | changed
    given = {key: value for key, value in claims.items() if value is not None}
    return jwt.encode(given, secret or made["secret"], algorithm="HS256")


async def _status(http: httpx.AsyncClient, project: str, token: str) -> int:
    return (await http.get(f"/v1/project/{project}/accounts", headers=bearer(token))).status_code


async def test_a_key_acts_as_administrator_of_its_project_in_both_forms(api: Api) -> None:
    project, other = api.project(ids.new_id()), api.project(ids.new_id())
    made = await _make(api, project)
    async with api.client() as http:
        for token in (made["token"], _signed(made, project)):
            assert await _status(http, project, token) == 200
            assert await _status(http, other, token) == 403
            created = await http.post(
                f"/v1/project/{project}/accounts",
                json={"username": f"u{ids.new_id()}"},
                headers=bearer(token),
            )
            assert created.status_code == 201
            # Of its project, not of the platform.
            assert (await http.get("/v1/users", headers=bearer(token), params={})).status_code == 200
            me = await http.get("/v1/user/me", headers=bearer(token))
            assert (me.status_code, me.json()["error"]) == (403, "user.none")
    entries = [d.to_dict() or {} for d in api.documents.collection(f"projects/{project}/audit").stream()]
    actors = [entry["actor"] for entry in entries if entry["kind"] == "user"]
    assert actors == [{"kind": "apiAccess", "id": made["key"]["id"], "name": "Export"}] * 2


async def test_the_secret_is_shown_once_and_stored_nowhere(api: Api) -> None:
    project = api.project(ids.new_id())
    key = {"Idempotency-Key": "once"}
    path = f"/v1/project/{project}/apiAccess"
    async with api.client(api.admin()) as http:
        answers = [await http.post(path, json={"name": "A"}, headers=key) for _ in range(2)]
        made, again = (answer.json() for answer in answers)
        assert again["key"]["id"] == made["key"]["id"]
        assert "secret" not in again
        assert "token" not in again
        query = {"projectId": project}
        told = [
            (await http.get(path)).text,
            (await http.get(f"/v1/apiAccess/{made['key']['id']}", params=query)).text,
            (await http.get(f"/v1/project/{project}/audit")).text,
        ]
    assert all(made["secret"] not in text for text in told)
    stored = []
    for collection in ("apiAccess", "audit", "idempotency", "deletions"):
        stored += [d.to_dict() for d in api.documents.collection(f"projects/{project}/{collection}").stream()]
    assert made["secret"] not in str(stored)


async def test_forged_and_stale_tokens_are_refused(api: Api) -> None:
    project, other = api.project(ids.new_id()), api.project(ids.new_id())
    made, foreign = await _make(api, project), await _make(api, other)
    now = int(time.time())
    token = made["token"]
    bad = [
        token[:-1] + ("0" if token[-1] != "0" else "1"),
        token + "0",
        f"fa_{foreign['key']['id']}_{made['secret']}",
        f"fa_{ids.new_id()}_{made['secret']}",
        f"fk_{made['key']['id']}_{made['secret']}",
        "fa_",
        _signed(made, project, foreign["secret"]),
        _signed(made, project, SIGNING_KEY),
        _signed(made, project, exp=now - 1),
        _signed(made, project, exp=now + 3600 + 120),
        _signed(made, project, exp=None),
        _signed(made, project, aud="other"),
        _signed(made, project, aud=None),
        _signed(made, project, iss=foreign["key"]["id"]),
        _signed(made, project, iss=None),
        _signed(made, project, iss="../x"),
        _signed(made, project, prj="a/b"),
        _signed(made, project, prj=None),
        _signed(made, project, prj=5),
        _signed(made, other),
        _signed(made, project, type="user"),
        jwt.encode(jwt.decode(_signed(made, project), options={"verify_signature": False}), "", "none"),
    ]
    async with api.client() as http:
        assert await _status(http, project, token) == 200
        for each in bad:
            assert await _status(http, project, each) == 401, each


async def test_a_narrowed_key_may_do_what_its_roles_say(api: Api) -> None:
    project = api.project(ids.new_id())
    made = await _make(api, project, narrowed=True)
    async with api.client() as http:
        assert await _status(http, project, made["token"]) == 403
    other = await _make(api, project)
    where = api.documents.document(f"projects/{project}")
    where.collection("roles").document("r").set({"name": "r", "permissions": ["user.list"]})
    for each in (made, other):
        where.collection("userRoles").document(ids.new_id()).set(
            {
                "subjectKind": "apiAccess",
                "subjectId": each["key"]["id"],
                "roleId": "r",
                "resourceKind": "project",
                "resourceId": project,
            }
        )
    from functions.api.access import grants

    grants.forget(project)
    async with api.client() as http:
        for each in (made, other):
            assert await _status(http, project, each["token"]) == 200
            refused = await http.post(
                f"/v1/project/{project}/accounts", json={"username": "x"}, headers=bearer(each["token"])
            )
            assert refused.status_code == 403


async def test_who_may_not_do_everything_makes_no_key_that_may(api: Api) -> None:
    project = api.project(ids.new_id())
    strong = await _make(api, project)
    path, item = f"/v1/project/{project}/apiAccess", f"/v1/apiAccess/{strong['key']['id']}"
    permissions = [f"apiAccess.{verb}" for verb in ("create", "read", "update", "delete", "list")]
    async with api.client(api.user(project, *permissions)) as http:
        refused = [
            await http.post(path, json={"name": "A"}),
            await http.post(f"{item}/rotate"),
            await http.patch(item, json={"expires": None, "name": "B"}),
        ]
        assert {answer.json().get("error") for answer in refused} == {"permission.denied"}
        weak = await http.post(path, json={"name": "A", "narrowed": True})
        assert weak.status_code == 201
        widened = await http.patch(f"/v1/apiAccess/{weak.json()['key']['id']}", json={"narrowed": False})
        assert widened.json()["error"] == "permission.denied"
    async with api.client(api.user(project, "*")) as http:
        assert (await http.post(path, json={"name": "A"})).status_code == 201
        assert (await http.post(f"{item}/rotate")).status_code == 200


async def test_rotated_revoked_expired_and_deleted_keys_stop(api: Api) -> None:
    project = api.project(ids.new_id())
    query = {"projectId": project}
    first, second, third = [await _make(api, project) for _ in range(3)]
    async with api.client(api.admin()) as http:
        for made in (first, second, third):
            assert await _status(http, project, made["token"]) == 200
            assert await _status(http, project, _signed(made, project)) == 200
        rotated = await http.post(f"/v1/apiAccess/{first['key']['id']}/rotate", params=query)
        assert rotated.status_code == 200
        path = f"/v1/apiAccess/{second['key']['id']}"
        assert (await http.patch(path, params=query, json={"revoked": True})).status_code == 200
        assert (await http.delete(f"/v1/apiAccess/{third['key']['id']}", params=query)).status_code == 200
        for made in (first, second, third):
            assert await _status(http, project, made["token"]) == 401
            assert await _status(http, project, _signed(made, project)) == 401
        assert await _status(http, project, rotated.json()["token"]) == 200
        assert await _status(http, project, _signed(rotated.json(), project)) == 200
        assert (await http.patch(path, params=query, json={"revoked": False})).status_code == 200
        assert await _status(http, project, second["token"]) == 200
        past = clock.now_ms() - 1
        assert (await http.patch(path, params=query, json={"expires": past})).status_code == 200
        assert await _status(http, project, second["token"]) == 401


async def test_of_rotations_at_once_with_if_match_one_wins(api: Api) -> None:
    project = api.project(ids.new_id())
    made = await _make(api, project)
    async with api.client(api.admin()) as http:
        answers = await asyncio.gather(
            *(
                http.post(
                    f"/v1/apiAccess/{made['key']['id']}/rotate",
                    params={"projectId": project},
                    headers={"If-Match": '"1"'},
                )
                for _ in range(5)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 4
        (won,) = [answer.json() for answer in answers if answer.status_code == 200]
        assert await _status(http, project, won["token"]) == 200


async def test_last_use_is_noted_at_most_once_a_minute(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    project = api.project(ids.new_id())
    made = await _make(api, project)
    document = api.documents.document(f"projects/{project}/apiAccess/{made['key']['id']}")
    ahead = [0]
    monkeypatch.setattr(clock, "offset_ns", lambda: ahead[0])
    seen = []
    async with api.client() as http:
        for seconds in (0, 10, 50, 61, 70, 130):
            ahead[0] = seconds * 1_000_000_000
            assert await _status(http, project, made["token"]) == 200
            seen.append((document.get().to_dict() or {})["lastUsed"])
    assert seen[0] == seen[1] == seen[2] < seen[3] == seen[4] < seen[5]
    stored = document.get().to_dict() or {}
    assert stored["version"] == 1


async def test_signed_tokens_outlive_a_rotation_of_the_signing_key(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = api.project(ids.new_id())
    made = await _make(api, project)
    new = "a-new-signing-key-of-more-than-32-characters"
    async with api.client() as http:
        for keys, signed, plain in ((f"{new},{SIGNING_KEY}", 200, 200), (new, 401, 200)):
            monkeypatch.setenv("FULCRUM_SIGNING_KEY", keys)
            settings.cache_clear()
            assert await _status(http, project, _signed(made, project)) == signed
            assert await _status(http, project, made["token"]) == plain


def test_a_sealed_secret_opens_in_its_own_place_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULCRUM_SIGNING_KEY", SIGNING_KEY)
    settings.cache_clear()
    sealed = sealing.seal("the secret", "here")
    assert "secret" not in sealed
    assert sealing.seal("the secret", "here") != sealed
    assert sealing.unseal(sealed, "here") == "the secret"
    assert sealing.unseal(sealed, "there") is None
    assert sealing.unseal(sealed[:-8] + "AAAAAAA=", "here") is None
    assert sealing.unseal("", "here") is None
    monkeypatch.setenv("FULCRUM_SIGNING_KEY", "x" * 40)
    settings.cache_clear()
    assert sealing.unseal(sealed, "here") is None
