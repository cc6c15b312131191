"""When a store or topic fails, requests are refused with 503 and nothing is let through; nothing is told."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from functions.api.access import recovery
from shared.clients import firestore
from shared.errors import Transient
from tests.support.api import Api
from tests.unit.api.access.people import PASSWORD, SETUP_TOKEN, Account, account, bearer, sign_in

Send = Callable[[httpx.AsyncClient, dict[str, Any]], Awaitable[httpx.Response]]

REQUESTS: dict[str, Send] = {
    "setup": lambda http, at: http.post(
        "/v1/setup", json={"token": SETUP_TOKEN, "username": "root2", "password": PASSWORD}
    ),
    "login": lambda http, at: http.post(
        "/v1/login", json={"username": at["username"], "password": PASSWORD, "projectId": at["project"]}
    ),
    "wrong login": lambda http, at: http.post(
        "/v1/login", json={"username": at["username"], "password": "wrong-one", "projectId": at["project"]}
    ),
    "refresh": lambda http, at: http.post("/v1/login/refresh", json={"refreshToken": at["refreshToken"]}),
    "logout": lambda http, at: http.post("/v1/logout", headers=at["headers"]),
    "change": lambda http, at: http.post(
        "/v1/user/changePassword", json={"old": PASSWORD, "new": PASSWORD + "-2"}, headers=at["headers"]
    ),
    "forgot": lambda http, at: http.post(
        "/v1/users/forgotPassword", json={"username": at["username"], "projectId": at["project"]}
    ),
    "me": lambda http, at: http.patch("/v1/user/me", json={"name": "Ada"}, headers=at["headers"]),
}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "ANSWER_SECONDS", 0.0)
    monkeypatch.setenv("FULCRUM_PUBLIC_URL", "https://fulcrum.example")
    monkeypatch.setenv("FULCRUM_SETUP_TOKEN", SETUP_TOKEN)


async def _down(*args: Any, **kwargs: Any) -> Any:
    raise Transient("Commit: UNAVAILABLE")


async def _signed(http: httpx.AsyncClient, user: Account, project: str) -> dict[str, Any]:
    signed: dict[str, Any] = (await sign_in(http, user, project)).json()
    return signed | {
        "headers": bearer(signed["idToken"]),
        "username": user.username,
        "project": project,
    }


@pytest.mark.parametrize("name", sorted(REQUESTS))
@pytest.mark.parametrize("fault", ["batch_get", "commit"])
async def test_a_failing_store_is_a_503(
    api: Api, monkeypatch: pytest.MonkeyPatch, name: str, fault: str
) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        at = await _signed(http, user, project)
        with monkeypatch.context() as patch:
            patch.setattr(firestore, fault, _down)
            answer = await REQUESTS[name](http, at)
        assert answer.status_code == 503, answer.text
        assert answer.headers["retry-after"]
        assert "UNAVAILABLE" not in answer.text
        # Nothing of it took place: the same session and the same password go on.
        assert (await http.get("/v1/user/me", headers=at["headers"])).json().get("name") is None
        assert (await sign_in(http, user, project)).status_code == 200


async def test_without_pubsub_a_mail_is_asked_for_again(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        at = {"username": user.username, "project": project}
        api.topics.down = True
        assert (await REQUESTS["forgot"](http, at)).status_code == 503
        api.topics.down = False
        assert (await REQUESTS["forgot"](http, at)).status_code == 202
    assert len(api.topics.take("email")) == 1


async def test_no_secret_is_ever_logged_or_answered_where_it_does_not_belong(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    secrets: list[str] = [PASSWORD, SETUP_TOKEN, "argon2"]
    async with api.client() as http:
        at = await _signed(http, user, project)
        secrets += [at["idToken"], at["refreshToken"]]
        made = await http.post(
            f"/v1/project/{project}/apiAccess", json={"name": "A"}, headers=bearer(api.user(project, "*"))
        )
        secrets += [made.json()["secret"]]
        answers = [await REQUESTS[name](http, at) for name in ("setup", "wrong login", "me", "forgot")]
        (mail,) = [json.loads(data) for data in api.topics.take("email")]
        token = mail["context"]["link"].partition("#token=")[2]
        secrets.append(token)
        key = bearer(made.json()["token"])
        answers += [
            await http.get(f"/v1/project/{project}/accounts", headers=key),
            await http.get(f"/v1/project/{project}/apiAccess", headers=key),
            await http.get("/v1/user/me/sessions", headers=at["headers"]),
            await http.get("/v1/user/me", headers=bearer(at["idToken"] + "x")),
            await http.post("/v1/users/resetPassword", json={"token": token, "password": "123456"}),
            await http.post("/v1/login", json={"username": [PASSWORD], "password": {"x": PASSWORD}}),
            await http.post("/v1/login", content=PASSWORD),
            await REQUESTS["logout"](http, at),
        ]
    told = "".join(answer.text + str(answer.headers) for answer in answers)
    printed = capsys.readouterr()
    for secret in secrets:
        assert secret not in printed.err + printed.out
        assert secret not in told


async def test_a_warm_read_of_a_device_is_one_read(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    where = api.documents.document(f"projects/{project}")
    where.collection("roles").document("r").set({"name": "r", "permissions": ["device.read"]})
    where.collection("userRoles").document("g").set(
        {
            "subjectKind": "user",
            "subjectId": user.id,
            "roleId": "r",
            "resourceKind": "project",
            "resourceId": project,
        }
    )
    for device in ("d1", "d2"):
        fields = {"name": device, "blueprintId": "b1", "systemId": "s1", "version": 1}
        where.collection("devices").document(device).set(fields)
    reads: list[str] = []
    get, query = firestore.batch_get, firestore.run_query

    async def counted_get(wanted: Any, mask: Any = None) -> Any:
        names = list(wanted)
        reads.extend(names)
        return await get(names, mask)

    async def counted_query(parent: str, asked: Any) -> Any:
        reads.append(parent)
        return await query(parent, asked)

    monkeypatch.setattr(firestore, "batch_get", counted_get)
    monkeypatch.setattr(firestore, "run_query", counted_query)
    async with api.client() as http:
        token = bearer((await sign_in(http, user, project)).json()["idToken"])
        assert (await http.get("/v1/device/d1", headers=token)).status_code == 200
        reads.clear()
        assert (await http.get("/v1/device/d2", headers=token)).status_code == 200
    assert [name.rpartition("/documents/")[2] for name in reads] == [f"projects/{project}/devices/d2"]
