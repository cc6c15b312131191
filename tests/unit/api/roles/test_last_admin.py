"""A project keeps an administrator, whatever stands in the store beside him."""

from __future__ import annotations

from tests.support.api import Api
from tests.unit.api.roles.test_giving import fleet, held


async def test_a_deleted_user_is_no_administrator_who_is_left(api: Api) -> None:
    it = fleet(api)
    ada, bob = it.users
    query = {"projectId": it.project}
    async with api.client(api.admin()) as http:
        for user in it.users:
            path = f"/v1/project/{it.project}/users/{user}"
            assert (await http.put(path, json={"roles": ["admin"]})).status_code == 200
        assert (await http.delete(f"/v1/user/{ada}", params=query)).status_code == 200
        # The job that clears what she held has not run.
        assert (ada, "admin", it.project) in held(api, it.project)
        refusals = [
            await http.delete(f"/v1/project/{it.project}/users/{bob}"),
            await http.delete(f"/v1/user/{bob}", params=query),
            await http.delete("/v1/role/admin", params=query),
        ]
    assert [answer.json().get("error") for answer in refusals] == ["project.lastAdmin"] * 3


async def test_the_last_administrator_stays_however_many_roles_could_make_one(api: Api) -> None:
    it = fleet(api)
    roles = api.documents.collection(f"projects/{it.project}/roles")
    for number in range(31):
        roles.document(f"a{number:02}").set({"name": f"a{number:02}", "permissions": ["*"], "version": 1})
    path = f"/v1/project/{it.project}/users/{it.users[0]}"
    async with api.client(api.admin()) as http:
        assert (await http.put(path, json={"roles": ["admin"]})).status_code == 200
        assert (await http.delete(path)).json()["error"] == "project.lastAdmin"
        body = {"roles": ["a30", "admin"]}
        assert (await http.patch(path, json=body)).status_code == 200
        assert (await http.patch(path, json={"roles": ["a30"]})).status_code == 200
