"""Users: made, found, changed and deleted; by whom, and what nobody may do to another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fulcrum.core import ids
from tests.support.api import Api
from tests.unit.api.access.people import PASSWORD, Account, account, bearer, sign_in

ADA = {"username": "Ada@Example.com", "password": PASSWORD, "name": "Ada Vik"}
ALL = ("user.create", "user.read", "user.update", "user.delete", "user.list")


async def test_an_account_lives_from_creation_to_tombstone(api: Api) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        made = await http.post(f"/v1/project/{project}/accounts", json=ADA)
        assert made.status_code == 201, made.text
        assert made.json()["projectId"] == project
        assert not {"password", "passwordHash", "passwordVersion"} & made.json().keys()
        path, query = f"/v1/user/{made.json()['id']}", {"projectId": project}
        read = await http.get(path, params=query)
        assert read.json() == made.json()
        assert read.headers["etag"] == '"1"'
        found = await http.get("/v1/users/getByUserName", params=query | {"username": "ADA@example.com"})
        assert found.json()["id"] == made.json()["id"]
        stale = await http.patch(path, params=query, json={"name": "X"}, headers={"If-Match": '"9"'})
        assert (stale.status_code, stale.json()["error"]) == (412, "user.changed")
        changed = await http.patch(path, params=query, json={"name": "Ada B", "username": "ada"})
        assert (changed.json()["name"], changed.json()["version"]) == ("Ada B", 2)
        listed = await http.get(f"/v1/project/{project}/accounts", params={"total": True})
        assert (listed.json()["total"], listed.json()["items"]) == (1, [changed.json()])
        assert (await http.get("/v1/users", params=query)).json()["items"] == [changed.json()]
        account_ = Account(made.json()["id"], "ada")
        token = (await sign_in(http, account_, project)).json()["idToken"]
        assert (await http.get("/v1/user/me", headers=bearer(token))).status_code == 200
        deleted = await http.delete(path, params=query)
        assert deleted.json()["jobId"]
        assert (await http.get("/v1/user/me", headers=bearer(token))).status_code == 401
        assert (await http.get(path, params=query)).json()["error"] == "user.gone"
        assert (await sign_in(http, account_, project)).status_code == 401
        again = await http.post(f"/v1/project/{project}/accounts", json=ADA | {"username": "ada"})
        assert again.status_code == 201
    entries = [d.to_dict() or {} for d in api.documents.collection(f"projects/{project}/audit").stream()]
    assert sorted(entry["verb"] for entry in entries) == ["created", "created", "deleted", "updated"]
    assert "argon2" not in str(entries)


async def test_of_fifty_creations_of_a_username_one_wins_whatever_its_case(api: Api) -> None:
    project = api.project(ids.new_id())
    path = f"/v1/project/{project}/accounts"
    async with api.client(api.admin()) as http:
        answers = await asyncio.gather(
            *(http.post(path, json={"username": "Ada" if n % 2 else "aDA"}) for n in range(50))
        )
        listed = await http.get(path, params={"total": True})
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49
    assert {a.json()["error"] for a in answers if a.status_code == 409} == {"user.usernameTaken"}
    assert listed.json()["total"] == 1


async def test_of_fifty_creations_of_a_platform_user_one_wins(api: Api) -> None:
    async with api.client(api.admin()) as http:
        answers = await asyncio.gather(
            *(http.post("/v1/users", json={"username": "Only.One"}) for _ in range(50))
        )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49


async def test_a_username_may_be_in_two_projects_and_on_the_platform(api: Api) -> None:
    first, second = api.project(ids.new_id()), api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        made = [
            await http.post("/v1/users", json=ADA, params={"projectId": first}),
            await http.post("/v1/users", json=ADA, params={"projectId": second}),
            await http.post("/v1/users", json=ADA),
        ]
        assert [answer.status_code for answer in made] == [201] * 3
        signed = [
            await http.post("/v1/login", json={"username": "ada@example.com", "password": PASSWORD} | where)
            for where in ({"projectId": first}, {"projectId": second}, {})
        ]
    assert [s.json()["profile"]["id"] for s in signed] == [m.json()["id"] for m in made]


async def test_a_creation_sent_again_with_its_key_is_answered_again(api: Api) -> None:
    project = api.project(ids.new_id())
    key = {"Idempotency-Key": "once"}
    async with api.client(api.admin()) as http:
        for params in ({"projectId": project}, {}):
            body = ADA | {"username": f"u{ids.new_id()}"}
            answers = [await http.post("/v1/users", json=body, params=params, headers=key) for _ in range(3)]
            assert {a.status_code for a in answers} == {201}
            assert len({a.json()["id"] for a in answers}) == 1
            other = body | {"name": "Other"}
            reused = await http.post("/v1/users", json=other, params=params, headers=key)
            assert reused.json()["error"] == "idempotency.reused"
    stored = [d.to_dict() for d in api.documents.collection(f"projects/{project}/idempotency").stream()]
    assert PASSWORD not in str(stored)


@pytest.mark.parametrize(
    "change",
    [
        {"username": ""},
        {"username": "a b"},
        {"username": "../x"},
        {"username": "x" * 129},
        {"username": 5},
        {"email": "no address"},
        {"email": "a@b, c@d"},
        {"passwordHash": "x"},
        {"password": "short"},
        {"password": "password"},
        {"password": "aaaaaaaaaa"},
        {"password": "ADA@example.com"},
        {"password": "x" * 257},
        {"id": "mine"},
        {"admin": True},
        {"projects": ["p1"]},
    ],
)
async def test_bad_accounts_are_refused(api: Api, change: dict[str, Any]) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.admin()) as http:
        for path in (f"/v1/project/{project}/accounts", f"/v1/users?projectId={project}"):
            answer = await http.post(path, json=ADA | change)
            assert answer.status_code == 400, answer.text
            assert str(change.get("password", "never")) not in answer.text or change["password"] == "password"
        assert (await http.get(f"/v1/project/{project}/accounts")).json()["count"] == 0


async def test_one_changes_oneself_but_not_what_one_may_do(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        http.headers.update(bearer((await sign_in(http, user, project)).json()["idToken"]))
        changed = await http.patch("/v1/user/me", json={"name": "Ada", "email": "a@b.de", "metadata/x": 1})
        assert changed.status_code == 200
        assert changed.json()["metadata"] == {"x": 1}
        for path in ("admin", "projects", "username", "passwordHash", "passwordVersion", "version", "roles"):
            answer = await http.patch("/v1/user/me", json={path: True})
            assert (answer.status_code, answer.json()["error"]) == (400, "user.path"), path
        assert (await http.patch(f"/v1/user/{user.id}", json={"name": "X"})).status_code == 403
        assert (await http.get(f"/v1/user/{user.id}")).status_code == 403
        assert (await http.post("/v1/users", json=ADA)).status_code == 403


async def test_an_old_session_cannot_move_where_mail_goes(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    async with api.client() as http:
        signed = (await sign_in(http, user, project)).json()
        session = api.documents.document(f"sessions/{signed['sessionId']}")
        session.update({"created": (session.get().to_dict() or {})["created"] - 16 * 60_000})
        http.headers.update(bearer(signed["idToken"]))
        answer = await http.patch("/v1/user/me", json={"email": "thief@example.com"})
        assert (answer.status_code, answer.json()["error"]) == (403, "session.tooOld")
        assert (await http.patch("/v1/user/me", json={"name": "Ada"})).status_code == 200


async def test_who_holds_less_cannot_take_over_or_delete_who_holds_more(api: Api) -> None:
    project = api.project(ids.new_id())
    strong, weak = account(api, project), account(api, project)
    where = api.documents.document(f"projects/{project}")
    where.collection("roles").document("admin").set({"name": "admin", "permissions": ["*"]})
    grant = {"subjectKind": "user", "roleId": "admin", "resourceKind": "project", "resourceId": project}
    where.collection("userRoles").document("g1").set(grant | {"subjectId": strong.id})
    where.collection("userRoles").document("g2").set(grant | {"subjectId": ids.new_id()})
    async with api.client(api.user(project, *ALL)) as http:
        for change in ({"email": "me@example.com"}, {"username": "other"}):
            refused = await http.patch(f"/v1/user/{strong.id}", json=change)
            assert (refused.status_code, refused.json()["error"]) == (403, "permission.denied")
            assert (await http.patch(f"/v1/user/{weak.id}", json=change)).status_code == 200
        assert (await http.delete(f"/v1/user/{strong.id}")).status_code == 403
        assert (await http.delete(f"/v1/user/{weak.id}")).status_code == 200
        assert (await http.patch(f"/v1/user/{weak.id}", json={"admin": True})).status_code in (400, 410)
    async with api.client(api.user(project, "*")) as http:
        assert (await http.patch(f"/v1/user/{strong.id}", json={"email": "x@example.com"})).status_code == 200
        assert (await http.delete(f"/v1/user/{strong.id}")).status_code == 200


async def test_only_administrators_of_the_platform_see_and_change_its_users(api: Api) -> None:
    project = api.project(ids.new_id())
    member, stranger = account(api, projects=[project]), account(api)
    async with api.client(api.user(project, *ALL)) as http:
        assert (await http.get(f"/v1/user/{member.id}")).json()["username"] == member.username
        assert (await http.get(f"/v1/user/{stranger.id}")).status_code == 404
        for user in (member, stranger):
            assert (await http.patch(f"/v1/user/{user.id}", json={"admin": True})).status_code == 404
            assert (await http.delete(f"/v1/user/{user.id}")).status_code == 404
    async with api.client() as http:
        http.headers.update(bearer((await sign_in(http, member)).json()["idToken"]))
        assert (await http.get("/v1/users")).status_code == 403
        assert (await http.post("/v1/users", json=ADA)).status_code == 403
        answer = await http.patch(f"/v1/user/{member.id}", json={"admin": True})
        assert answer.status_code == 403
    async with api.client(api.admin()) as http:
        assert (await http.get(f"/v1/user/{stranger.id}")).status_code == 200
        made = await http.patch(f"/v1/user/{stranger.id}", json={"admin": True})
        assert made.json()["admin"] is True
        listed = (await http.get("/v1/users", params={"perPage": 200})).json()["items"]
        assert {member.id, stranger.id} <= {item["id"] for item in listed}


async def test_nobody_keeps_a_member_out_by_an_account_of_his_name(api: Api) -> None:
    project = api.project(ids.new_id())
    member, stranger = account(api, projects=[project]), account(api)
    async with api.client(api.user(project, *ALL)) as http:
        path = f"/v1/project/{project}/accounts"
        refused = await http.post(
            path, json={"username": member.username.upper(), "password": PASSWORD + "x"}
        )
        assert (refused.status_code, refused.json()["error"]) == (409, "user.usernameTaken")
        made = await http.post(path, json={"username": stranger.username})
        assert made.status_code == 201
        renamed = await http.patch(f"/v1/user/{made.json()['id']}", json={"username": member.username})
        assert (renamed.status_code, renamed.json()["error"]) == (409, "user.usernameTaken")
    async with api.client() as http:
        assert (await sign_in(http, member, project)).status_code == 200


async def test_a_project_sees_of_a_platform_user_neither_his_other_projects_nor_his_address(api: Api) -> None:
    project, secret = api.project(ids.new_id()), api.project(ids.new_id())
    private: dict[str, Any] = {"email": "private@example.com", "metadata": {"phone": "+47"}, "admin": False}
    member = account(api, projects=[project, secret], **private)
    async with api.client(api.user(project, *ALL, "*")) as http:
        shown = (await http.get(f"/v1/user/{member.id}")).json()
        listed = await http.get(f"/v1/project/{project}/members")
    assert (shown["id"], shown["username"]) == (member.id, member.username)
    assert not {"projects", "email", "admin", "passwordChanged"} & shown.keys()
    for text in (str(shown), listed.text):
        assert not [told for told in (secret, "private@", "+47") if told in text]
    async with api.client() as http:
        http.headers.update(bearer((await sign_in(http, member, project)).json()["idToken"]))
        assert (await http.get("/v1/user/me")).json()["email"] == "private@example.com"


async def test_the_last_administrator_stays(api: Api) -> None:
    people = [account(api, admin=True), account(api, admin=True)]
    api.documents.document("platform/administrators").set({"ids": [user.id for user in people]})
    async with api.client(api.admin()) as http:
        answers = await asyncio.gather(
            http.delete(f"/v1/user/{people[0].id}"),
            http.patch(f"/v1/user/{people[1].id}", json={"admin": False}),
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    (refused,) = [answer for answer in answers if answer.status_code == 409]
    assert refused.json()["error"] == "user.lastAdmin"


async def test_a_deleted_platform_user_leaves_no_roles_behind(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, projects=[project])
    roles = api.documents.collection(f"projects/{project}/userRoles")
    for number in range(3):
        roles.document(f"r{number}").set({"subjectId": user.id if number else "other", "roleId": "x"})
    async with api.client(api.admin()) as http:
        assert (await http.delete(f"/v1/user/{user.id}")).status_code == 200
        assert (await http.get(f"/v1/user/{user.id}")).status_code == 410
    assert [document.id for document in roles.stream()] == ["r0"]


async def test_the_systems_and_devices_of_a_user(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    where = api.documents.document(f"projects/{project}")
    where.collection("systems").document("s1").set({"name": "North"})
    for number, (kind, resource) in enumerate((("system", "s1"), ("system", "s1"), ("device", "d1"))):
        where.collection("userRoles").document(f"g{number}").set(
            {
                "subjectKind": "user",
                "subjectId": user.id,
                "roleId": f"r{number}",
                "resourceKind": kind,
                "resourceId": resource,
            }
        )
    async with api.client(api.user(project, "user.read")) as http:
        systems = (await http.get(f"/v1/user/{user.id}/systems")).json()["items"]
        devices = (await http.get(f"/v1/user/{user.id}/devices")).json()["items"]
    assert systems == [{"id": "s1", "name": "North", "roleIds": ["r0", "r1"]}]
    assert devices == [{"id": "d1", "roleIds": ["r2"]}]


async def test_the_devices_of_a_user_in_one_system(api: Api) -> None:
    project = api.project(ids.new_id())
    user = account(api, project)
    where = api.documents.document(f"projects/{project}")
    where.collection("systems").document("north").set({"name": "North"})
    for device, system in (("d1", "north"), ("d2", "south")):
        where.collection("devices").document(device).set({"name": device, "systemId": system})
        where.collection("userRoles").document(f"on-{device}").set(
            {
                "subjectKind": "user",
                "subjectId": user.id,
                "roleId": "r",
                "resourceKind": "device",
                "resourceId": device,
            }
        )
    async with api.client(api.user(project, "user.read")) as http:
        found = await http.get("/v1/system/north/userDevices", params={"userId": user.id})
        nowhere = await http.get("/v1/system/nowhere/userDevices", params={"userId": user.id})
    assert found.json()["items"] == [{"id": "d1", "name": "d1", "roleIds": ["r"]}]
    assert nowhere.status_code == 404
