"""Roles given and taken: on what, by whom, to whom, and what follows below."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from functions.api.roles import standard
from functions.api.roles.given import MAX_AT_ONCE
from shared.clients import firestore
from tests.support.api import Api


@dataclass
class Fleet:
    """A project with the standard roles, a system, three devices in a row and two accounts."""

    project: str
    system: str
    devices: tuple[str, str, str]
    users: tuple[str, str]


def fleet(api: Api) -> Fleet:
    made = Fleet(
        api.project(ids.new_id()),
        ids.new_id(),
        (ids.new_id(), ids.new_id(), ids.new_id()),
        (ids.new_id(), ids.new_id()),
    )
    where = api.documents.document(f"projects/{made.project}")
    for role_id, fields in standard.roles().items():
        where.collection("roles").document(role_id).set(fields | {"version": 1})
    where.collection("systems").document(made.system).set({"name": "North"})
    above = None
    for device_id in made.devices:
        fields = {"name": device_id, "systemId": made.system, "parentDeviceId": above}
        where.collection("devices").document(device_id).set(fields)
        above = device_id
    for user_id in made.users:
        where.collection("users").document(user_id).set({"username": f"u-{user_id}"})
    return made


def held(api: Api, project: str) -> set[tuple[str, str, str]]:
    """Who has which role on what."""
    return {
        (found["subjectId"], found["roleId"], found["resourceId"])
        for document in api.documents.collection(f"projects/{project}/userRoles").stream()
        if (found := document.to_dict())
    }


async def test_given_listed_and_taken(api: Api) -> None:
    it = fleet(api)
    ada, bob = it.users
    body = [
        {"subjectId": ada, "roleId": "member", "resourceKind": "system", "resourceId": it.system},
        {"subjectId": bob, "roleId": "account", "resourceKind": "device", "resourceId": it.devices[0]},
        {"subjectId": bob, "roleId": "account"},
    ]
    query: dict[str, Any] = {"projectId": it.project}
    async with api.client(api.admin()) as http:
        first = await http.post("/v1/userRole", params=query, json=body)
        assert first.status_code == 201, first.text
        again = await http.post("/v1/userRole", params=query, json=body[0])
        assert again.json()["items"] == first.json()["items"][:1]
        assert held(api, it.project) == {
            (ada, "member", it.system),
            (bob, "account", it.devices[0]),
            (bob, "account", it.project),
        }
        of_bob = await http.get("/v1/userRole", params=query | {"subjectId": bob, "total": True})
        assert of_bob.json()["total"] == 2
        on_device = await http.get(
            "/v1/userRole", params=query | {"resourceKind": "device", "resourceId": it.devices[0]}
        )
        one = on_device.json()["items"][0]
        assert (await http.get(f"/v1/userRole/{one['id']}", params=query)).json() == one
        assert (await http.delete(f"/v1/userRole/{one['id']}", params=query)).status_code == 200
        assert (await http.get(f"/v1/userRole/{one['id']}", params=query)).status_code == 410
        unsaid = await http.delete("/v1/userRole", params=query | {"subjectId": bob})
        assert unsaid.status_code == 400
        everything = await http.delete("/v1/userRole", params=query | {"confirm": "bulkDelete"})
        assert everything.json()["error"] == "userRole.allMeant"
        bulk = await http.delete("/v1/userRole", params=query | {"subjectId": bob, "confirm": "bulkDelete"})
        assert len(bulk.json()["ids"]) == 1
    assert held(api, it.project) == {(ada, "member", it.system)}


async def test_of_several_all_or_none_are_given(api: Api) -> None:
    it, other = fleet(api), fleet(api)
    good = {"subjectId": it.users[0], "roleId": "member"}
    wrong = [
        {"subjectId": other.users[0], "roleId": "member"},
        {"subjectId": it.users[1], "roleId": "nothing"},
        {"subjectId": it.users[1], "roleId": "member", "resourceKind": "system", "resourceId": other.system},
        {"subjectId": it.users[1], "roleId": "member", "resourceId": other.project},
        {"subjectId": it.users[1], "roleId": "member", "subjectKind": "apiAccess"},
    ]
    async with api.client(api.admin()) as http:
        for bad in wrong:
            answer = await http.post("/v1/userRole", params={"projectId": it.project}, json=[good, bad])
            assert answer.status_code == 404, bad
    assert held(api, it.project) == set()


async def test_as_many_as_may_be_are_given_and_taken_in_one_change(api: Api) -> None:
    it = fleet(api)
    where = api.documents.document(f"projects/{it.project}")
    body = []
    for number in range(MAX_AT_ONCE):
        for collection in ("users", "roles", "systems"):
            where.collection(collection).document(f"n{number}").set({"name": f"n{number}", "permissions": []})
        on = {"resourceKind": "system", "resourceId": f"n{number}"}
        body.append({"subjectId": f"n{number}", "roleId": f"n{number}"} | on)
    query = {"projectId": it.project}
    async with api.client(api.admin()) as http:
        given = await http.post("/v1/userRole", params=query, json=body)
        assert given.status_code == 201, given.text
        assert given.json()["count"] == MAX_AT_ONCE
        too_many = await http.post("/v1/userRole", params=query, json=[*body, body[0]])
        assert too_many.status_code == 400
        params = query | {"confirm": "bulkDelete", "resourceKind": "system"}
        taken = await http.delete("/v1/userRole", params=params)
        assert len(taken.json()["ids"]) == MAX_AT_ONCE
    assert held(api, it.project) == set()


async def test_nothing_is_given_on_what_is_being_deleted(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    it = fleet(api)
    real = firestore.commit
    gone = api.documents.document(f"projects/{it.project}/devices/{it.devices[2]}")

    async def late(writes: Any) -> None:
        gone.delete()
        await real(writes)

    monkeypatch.setattr(firestore, "commit", late)
    body = {
        "subjectId": it.users[0],
        "roleId": "account",
        "resourceKind": "device",
        "resourceId": it.devices[2],
    }
    async with api.client(api.admin()) as http:
        answer = await http.post("/v1/userRole", params={"projectId": it.project}, json=body)
    assert answer.status_code == 404, answer.text
    assert held(api, it.project) == set()


async def test_what_is_held_above_holds_below(api: Api) -> None:
    it = fleet(api)
    async with api.client(api.user(it.project, "device.read", on=("device", it.devices[1]))) as http:
        allowed = [await can(http, "device.read", "device", device) for device in it.devices]
    assert allowed == [False, True, True]
    async with api.client(api.user(it.project, "device.read", on=("system", it.system))) as http:
        allowed = [await can(http, "device.read", "device", device) for device in it.devices]
        assert allowed == [True, True, True]
        assert not await can(http, "device.read", "device", ids.new_id())
        assert not await can(http, "device.read", "project", it.project)


async def test_nobody_gives_what_he_does_not_hold_there(api: Api) -> None:
    it = fleet(api)
    account = sorted(standard.roles()["account"]["permissions"])
    token = api.user(it.project, "user.assignRoles", "user.read", *account, on=("system", it.system))
    before = held(api, it.project)
    ada = it.users[0]

    def body(role: str, kind: str, resource: str) -> dict[str, str]:
        return {"subjectId": ada, "roleId": role, "resourceKind": kind, "resourceId": resource}

    async with api.client(token) as http:
        too_much = await http.post("/v1/userRole", json=body("member", "system", it.system))
        assert too_much.json()["error"] == "role.exceedsYours"
        too_high = await http.post("/v1/userRole", json=body("account", "project", it.project))
        assert too_high.json()["error"] == "permission.denied"
        assert held(api, it.project) == before
        below = await http.post("/v1/userRole", json=body("account", "device", it.devices[2]))
        assert below.status_code == 201, below.text
        taken = await http.delete(f"/v1/userRole/{below.json()['items'][0]['id']}")
        assert taken.status_code == 200
    # Without the right to assign roles nothing is given, however much is held.
    async with api.client(api.user(it.project, *account)) as http:
        assert (
            await http.post("/v1/userRole", json=body("account", "device", it.devices[2]))
        ).status_code == 403
    async with api.client(api.admin()) as root:
        given = await root.post(
            "/v1/userRole", params={"projectId": it.project}, json=body("admin", "system", it.system)
        )
    async with api.client(token) as http:
        stolen = await http.delete(f"/v1/userRole/{given.json()['items'][0]['id']}")
        assert stolen.json()["error"] == "role.exceedsYours"


async def test_users_on_a_resource(api: Api) -> None:
    it = fleet(api)
    ada, bob = it.users
    query: dict[str, Any] = {"projectId": it.project}
    async with api.client(api.admin()) as http:
        for path in (f"/v1/system/{it.system}/users", f"/v1/device/{it.devices[0]}/users"):
            added = await http.put(
                f"{path}/{ada}", params=query, json={"roles": ["member"], "metadata": {"since": 2026}}
            )
            assert added.status_code == 200, added.text
            assert [role["name"] for role in added.json()["roles"]] == ["member"]
            await http.put(f"{path}/{bob}", params=query, json={"roles": ["account"]})
            both = await http.put(f"{path}/{ada}", params=query, json={"roles": ["account"]})
            assert {role["id"] for role in both.json()["roles"]} == {"member", "account"}
            listed = (await http.get(path, params=query | {"perPage": 1})).json()
            rest = (await http.get(path, params=query | {"perPage": 1, "cursor": listed["next"]})).json()
            assert "next" not in rest
            assert [item["id"] for item in (*listed["items"], *rest["items"])] == sorted(it.users)
            only = await http.patch(f"{path}/{ada}", params=query, json={"roles": ["account"]})
            assert [role["id"] for role in only.json()["roles"]] == ["account"]
            noted = await http.patch(f"{path}/{ada}", params=query, json={"metadata": {"floor": 3}})
            assert noted.json()["metadata"] == {"floor": 3}
            assert (await http.delete(f"{path}/{ada}", params=query)).json()["status"] == "removed"
            assert (await http.get(f"{path}/{ada}", params=query)).status_code == 404
            assert (await http.delete(f"{path}/{ada}", params=query)).status_code == 404
            assert (
                await http.patch(f"{path}/{ada}", params=query, json={"roles": ["account"]})
            ).status_code == 404
        unknown = await http.put(f"{path}/nobody", params=query, json={"roles": ["account"]})
        assert unknown.status_code == 404
        odd = await http.put(f"{path}/_no id", params=query, json={"roles": ["account"]})
        assert odd.status_code == 400
    assert {resource for _, _, resource in held(api, it.project)} == {it.system, it.devices[0]}


async def test_members_are_users_of_the_platform(api: Api) -> None:
    it = fleet(api)
    user_id = ids.new_id()
    user = api.documents.document(f"users/{user_id}")
    user.set({"username": "ada", "projects": []})
    query: dict[str, Any] = {"projectId": it.project}
    path = f"/v1/project/{it.project}/members"
    async with api.client(api.admin()) as http:
        # A user of the platform is nobody here until he is a member.
        early = await http.post("/v1/userRole", params=query, json={"subjectId": user_id, "roleId": "member"})
        assert early.status_code == 404
        assert (await http.post(path, json={"roles": ["member"]})).status_code == 400
        added = await http.post(path, json={"userId": user_id, "roles": ["Member"]})
        assert added.status_code == 201, added.text
        assert user.get().to_dict()["projects"] == [it.project]
        listed = (await http.get(path)).json()
        assert [(item["id"], item["platform"]) for item in listed["items"]] == [(user_id, True)]
        assert [role["id"] for role in listed["items"][0]["roles"]] == ["member"]
        body = {
            "subjectId": user_id,
            "roleId": "account",
            "resourceKind": "device",
            "resourceId": it.devices[0],
        }
        await http.post("/v1/userRole", params=query, json=body)
        assert (await http.delete(f"{path}/{user_id}")).status_code == 200
        assert (await http.get(path)).json()["items"] == []
        assert (await http.delete(f"{path}/{it.users[0]}")).status_code == 404
    assert user.get().to_dict()["projects"] == []
    assert held(api, it.project) == set()


async def test_the_last_administrator_stays(api: Api) -> None:
    it = fleet(api)
    ada, bob = it.users
    query: dict[str, Any] = {"projectId": it.project}
    path = f"/v1/project/{it.project}/users"
    async with api.client(api.admin()) as http:
        for user in it.users:
            assert (await http.put(f"{path}/{user}", json={"roles": ["admin"]})).status_code == 200
        assert (await http.delete(f"{path}/{ada}")).status_code == 200
        refusals = [
            await http.delete(f"{path}/{bob}"),
            await http.patch(f"{path}/{bob}", json={"roles": ["member"]}),
            await http.delete("/v1/userRole", params=query | {"subjectId": bob, "confirm": "bulkDelete"}),
            await http.delete("/v1/role/admin", params=query),
            await http.delete("/v1/role", params=query | {"id": ["admin"]}),
            await http.patch("/v1/role/admin", params=query, json={"permissions": ["device.read"]}),
            await http.delete("/v1/role/admin/permissions/*", params=query),
        ]
        assert [(answer.status_code, answer.json().get("error")) for answer in refusals] == [
            (409, "project.lastAdmin")
        ] * len(refusals)
    assert held(api, it.project) == {(bob, "admin", it.project)}


async def test_two_administrators_who_remove_each_other_leave_one(api: Api) -> None:
    it = fleet(api)
    path = f"/v1/project/{it.project}/users"
    async with api.client(api.admin()) as http:
        for user in it.users:
            await http.put(f"{path}/{user}", json={"roles": ["admin"]})
        answers = await asyncio.gather(*(http.delete(f"{path}/{user}") for user in it.users))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(held(api, it.project)) == 1


async def test_a_role_taken_counts_at_once(api: Api) -> None:
    it = fleet(api)
    token = api.user(it.project, "role.list")
    (user_role,) = api.documents.collection(f"projects/{it.project}/userRoles").stream()
    async with api.client(token) as http, api.client(api.admin()) as root:
        assert (await http.get("/v1/role")).status_code == 200
        taken = await root.delete(f"/v1/userRole/{user_role.id}", params={"projectId": it.project})
        assert taken.status_code == 200, taken.text
        assert (await http.get("/v1/role")).status_code == 403


async def test_roles_can_wait_for_somebody(api: Api) -> None:
    it = fleet(api)
    body = {"issuer": "https://id.example.com", "emailOrName": "ada@example.com", "permValue": "account"}
    path = f"/v1/project/{it.project}/pendingUsers"
    account = standard.roles()["account"]["permissions"]
    weak = api.user(it.project, "pendingUser.create", "user.assignRoles", "pendingUser.list")
    strong = api.user(
        it.project,
        *("pendingUser.create", "pendingUser.list", "pendingUser.delete", "user.assignRoles"),
        *account,
    )
    async with api.client(weak) as http:
        assert (await http.post(path, json=body)).json()["error"] == "role.exceedsYours"
    async with api.client(strong) as http:
        made = await http.post(path, json=body | {"contextType": "device", "contextId": it.devices[0]})
        assert made.status_code == 201, made.text
        nowhere = await http.post(path, json=body | {"contextType": "device", "contextId": "nowhere"})
        assert nowhere.status_code == 404
        assert [item["contextId"] for item in (await http.get(path)).json()["items"]] == [it.devices[0]]
        assert (await http.delete(f"/v1/pendingUser/{made.json()['id']}")).status_code == 200
        assert (await http.get(path)).json()["items"] == []


async def test_an_account_is_made_on_a_system_by_who_may_do_so_there(api: Api) -> None:
    it = fleet(api)
    account = standard.roles()["account"]["permissions"]
    token = api.user(it.project, "user.create", "user.assignRoles", *account, on=("system", it.system))
    body = {"user": {"username": "eve", "password": "four-brown-tall-mugs"}, "roles": ["account"]}
    key = {"Idempotency-Key": "eve"}
    async with api.client(token) as http:
        for path in (f"/v1/project/{it.project}/users", f"/v1/system/{it.system}/users"):
            answer = await http.post(path, json=body | {"roles": ["member"]})
            assert answer.status_code == 403, path
        users = api.documents.collection(f"projects/{it.project}/users")
        assert not [user for user in users.stream() if (user.to_dict() or {}).get("username") == "eve"]
        made = await http.post(f"/v1/device/{it.devices[1]}/users", json=body, headers=key)
        assert made.status_code == 201, made.text
        assert "password" not in made.text
        again = await http.post(f"/v1/device/{it.devices[1]}/users", json=body, headers=key)
        assert again.json() == made.json()
        taken = await http.post(f"/v1/device/{it.devices[1]}/users", json=body)
        assert taken.json()["error"] == "user.usernameTaken"
    assert (made.json()["id"], "account", it.devices[1]) in held(api, it.project)


async def test_a_key_that_had_a_role_never_may_do_everything_again(api: Api) -> None:
    it = fleet(api)
    key = api.documents.document(f"projects/{it.project}/apiAccess/k1")
    key.set({"name": "Export"})
    body = {"subjectKind": "apiAccess", "subjectId": "k1", "roleId": "account"}
    account = standard.roles()["account"]["permissions"]
    weak = api.user(it.project, "user.assignRoles", *account)
    async with api.client(weak) as http, api.client(api.admin()) as root:
        assert (await http.post("/v1/userRole", json=body)).json()["error"] == "role.exceedsYours"
        given = await root.post("/v1/userRole", params={"projectId": it.project}, json=body)
        assert given.status_code == 201, given.text
        assert key.get().to_dict() == {"name": "Export", "narrowed": True}
        assert (await http.delete(f"/v1/userRole/{given.json()['items'][0]['id']}")).status_code == 200
    assert key.get().to_dict()["narrowed"] is True


async def can(http: httpx.AsyncClient, permission: str, kind: str, resource_id: str) -> bool:
    """Ask whether the caller may do something on a resource."""
    body = {"permission": permission, "resource": {"kind": kind, "id": resource_id}}
    answer = await http.post("/v1/can", json=body)
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["can"])
