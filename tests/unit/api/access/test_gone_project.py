"""What is of a project goes with it: its accounts' sessions and its keys, before a job has cleared them."""

from __future__ import annotations

import pytest

from fulcrum.core import ids
from shared import clock
from tests.support.api import Api
from tests.unit.api.access.people import account, bearer, sign_in


async def test_accounts_and_keys_of_a_deleted_project_are_refused(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = [0]
    monkeypatch.setattr(clock, "offset_ns", lambda: ahead[0])
    project = api.project(ids.new_id().lower())
    user = account(api, project)
    async with api.client(api.user(project, "*")) as owner, api.client() as http:
        made = (await owner.post(f"/v1/project/{project}/apiAccess", json={"name": "k"})).json()
        signed = (await sign_in(http, user, project)).json()
        tokens = (made["token"], _signed(made, project), signed["idToken"])
        for token in tokens:
            assert (await http.post("/v1/can", json=_CAN, headers=bearer(token))).status_code == 200
        assert (await owner.delete(f"/v1/project/{project}")).status_code == 200
        ahead[0] += 6_000_000_000
        # Nothing is cleared yet: the documents stand, and speak for nobody.
        assert api.documents.document(f"projects/{project}/users/{user.id}").get().exists
        for token in tokens:
            for path in (f"/v1/project/{project}/accounts", "/v1/role", f"/v1/project/{project}/audit"):
                assert (await http.get(path, headers=bearer(token))).status_code == 401
            assert (await http.post("/v1/can", json=_CAN, headers=bearer(token))).status_code == 401
        renamed = await http.patch("/v1/user/me", json={"name": "X"}, headers=bearer(signed["idToken"]))
        assert renamed.status_code == 401
        again = await http.post("/v1/login/refresh", json={"refreshToken": signed["refreshToken"]})
        assert again.status_code == 401
        # Whose deletion it was can still send it again, until its job is done.
        assert (await owner.delete(f"/v1/project/{project}")).status_code == 200


_CAN = {"permission": "device.read"}


def _signed(made: dict[str, dict[str, str]], project: str) -> str:
    import jwt

    claims = {"type": "apiAccess", "iss": made["key"]["id"], "prj": project, "aud": "fulcrum"}
    expires = clock.now_ms() // 1000 + 600
    return jwt.encode(claims | {"exp": expires}, str(made["secret"]), algorithm="HS256")
