"""Roles are changed by a document only by who could change them one by one."""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tests.unit.api.project_code.conftest import Project

READING = [
    *(f"{kind}.list" for kind in ("messageRoute", "blueprint", "attribute", "network", "system", "template")),
    *("script.list", "role.list", "project.read", "project.update"),
]
CHANGING = ["role.create", "role.update", "role.delete", "device.read"]


@pytest.mark.parametrize(
    ("held", "before", "after", "error"),
    [
        ([], ["device.read"], [], "permission.denied"),
        ([], [], ["device.read"], "permission.denied"),
        (["user.assignRoles"], ["device.read", "device.delete"], ["device.read"], "role.exceedsYours"),
        (["user.assignRoles"], ["device.read"], ["device.delete"], "role.exceedsYours"),
        ([], ["device.delete"], None, "role.exceedsYours"),
        ([], None, ["device.delete"], "role.exceedsYours"),
        (["user.assignRoles"], ["device.read"], [], None),
        (["user.assignRoles"], [], ["device.read"], None),
        ([], ["device.read"], None, None),
        ([], None, ["device.read"], None),
    ],
)
async def test_a_document_gives_and_takes_what_the_caller_holds_alone(
    api: Api,
    project: Project,
    held: list[str],
    before: list[str] | None,
    after: list[str] | None,
    error: str | None,
) -> None:
    token = api.user(project.id, *READING, *CHANGING, *held)
    if before is not None:
        role = {"name": "watcher", "permissions": before}
        assert (await project.http.post(f"{project.path}/role", json=role)).status_code == 201
    document = (await project.export())["document"]
    document["roles"] = [one for one in document["roles"] if one["name"] != "watcher"]
    if after is not None:
        document["roles"].append({"name": "watcher", "permissions": after})
    headers = {"Authorization": f"Bearer {token}"}
    answer = await project.http.post(f"{project.path}/apply", json={"document": document}, headers=headers)
    held_now = {one["name"]: one["permissions"] for one in project.documents("roles")}
    if error is None:
        assert answer.status_code == 200, answer.text
        assert held_now.get("watcher") == after
    else:
        assert (answer.status_code, answer.json()["error"]) == (403, error)
        assert held_now.get("watcher") == before
