"""What is the platform's own is kept as the project ``none``: nobody comes to administer that one."""

from __future__ import annotations

from shared import keys
from tests.support.api import Api
from tests.unit.api.access.people import PASSWORD, account, bearer, sign_in

EVIL = {"username": "evil", "password": PASSWORD, "admin": True}


async def test_nobody_makes_the_project_that_is_none(api: Api) -> None:
    user = account(api)
    async with api.client() as http:
        http.headers.update(bearer((await sign_in(http, user)).json()["idToken"]))
        for headers in ({}, bearer(api.admin())):
            made = await http.post("/v1/project", json={"id": "none", "name": "N"}, headers=headers)
            assert (made.status_code, made.json()["error"]) == (400, "request.invalid")
        refused = await http.post("/v1/users", params={"projectId": "none"}, json=EVIL)
        assert refused.status_code == 403
    assert not api.documents.document("projects/none").get().exists


async def test_no_role_or_key_of_it_gives_anything(api: Api) -> None:
    """Even where such documents stand in the store."""
    user, key = account(api), keys.make("fa")
    none = api.documents.document("projects/none")
    none.collection("roles").document("admin").set({"name": "admin", "permissions": ["*"]})
    given = {"subjectKind": "user", "subjectId": user.id, "roleId": "admin"}
    none.collection("userRoles").document("g").set(given | {"resourceKind": "project", "resourceId": "none"})
    stored = {"name": "k", "keyId": key.id, "secretHash": key.hash}
    none.collection("apiAccess").document(key.id).set(stored)
    none.set({"name": "none", "version": 1})
    async with api.client() as http:
        session = (await sign_in(http, user)).json()["idToken"]
        for token in (session, key.text):
            for method, path, body in (
                ("POST", "/v1/users", EVIL),
                ("GET", "/v1/users", None),
                ("GET", "/v1/project/none/audit", None),
                ("GET", "/v1/project/none/quarantine", None),
            ):
                answer = await http.request(
                    method, path, params={"projectId": "none"}, json=body, headers=bearer(token)
                )
                assert answer.status_code == 403, path
    none.delete()
