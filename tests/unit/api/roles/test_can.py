"""Asking whether something is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from fulcrum.core import ids
from tests.support.api import Api

HELD = ("device.read", "device.create", "blueprint.list")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"permission": "device.read"}, True),
        ({"permission": "device.delete"}, False),
        ({"permission": "device.create:b1"}, True),
        ({"permission": "*"}, False),
        ({"permissions": ["device.delete", "device.read"]}, True),
        ({"permissions": ["device.delete", "role.read"]}, False),
        ({"condition": {"type": "and", "permissions": ["device.read", "blueprint.list"]}}, True),
        ({"condition": {"type": "and", "permissions": ["device.read", "role.list"]}}, False),
        ({"condition": {"type": "or", "permissions": ["role.list", "device.read"]}}, True),
        (
            {
                "condition": {
                    "type": "and",
                    "permissions": ["device.read"],
                    "conditions": [{"type": "or", "permissions": ["role.list", "blueprint.list"]}],
                }
            },
            True,
        ),
        (
            {
                "condition": {
                    "type": "or",
                    "conditions": [
                        {"type": "and", "permissions": ["device.read", "role.list"]},
                        {"type": "and", "permissions": ["role.read"]},
                    ],
                }
            },
            False,
        ),
    ],
)
async def test_permissions_and_conditions(api: Api, body: dict[str, Any], expected: bool) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.user(project, *HELD)) as http:
        assert (await http.post("/v1/can", json=body)).json() == {"can": expected}


async def test_of_several_resources_one_is_enough(api: Api) -> None:
    project, system = api.project(ids.new_id()), ids.new_id()
    there, elsewhere = {"kind": "system", "id": system}, {"kind": "system", "id": ids.new_id()}
    async with api.client(api.user(project, *HELD, on=("system", system))) as http:
        for body, expected in (
            ({"resource": there}, True),
            ({"resource": elsewhere}, False),
            ({"resources": [elsewhere, there]}, True),
            ({"resource": {"kind": "project", "id": project}}, False),
            ({"resource": {"kind": "project", "id": ids.new_id()}}, False),
        ):
            answer = await http.post("/v1/can", json={"permission": "device.read"} | body)
            assert answer.json() == {"can": expected}, body


async def test_about_somebody_else(api: Api) -> None:
    project, other = api.project(ids.new_id()), api.project(ids.new_id())
    api.user(project, *HELD)
    (user,) = api.documents.collection(f"projects/{project}/users").stream()
    api.user(other, *HELD)
    (foreign,) = api.documents.collection(f"projects/{other}/users").stream()
    body = {"permission": "device.read", "user": user.id}
    async with api.client(api.user(project, "user.read")) as http:
        assert (await http.post("/v1/can", json=body)).json() == {"can": True}
        assert (await http.post("/v1/can", json=body | {"permission": "role.read"})).json() == {"can": False}
        assert (await http.post("/v1/can", json=body | {"user": foreign.id})).status_code == 404
    async with api.client(api.user(project, "device.read")) as http:
        assert (await http.post("/v1/can", json=body)).status_code == 403


def deep(levels: int) -> dict[str, Any]:
    condition: dict[str, Any] = {"type": "and", "permissions": ["device.read"]}
    for _ in range(levels):
        condition = {"type": "and", "conditions": [condition]}
    return condition


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"permission": "device.read", "permissions": ["device.read"]},
        {"permissions": []},
        {"permission": "not a name"},
        {"condition": {"type": "xor", "permissions": ["device.read"]}},
        {"condition": {"type": "and"}},
        {"condition": deep(9)},
        {"condition": deep(400)},
        {"condition": {"type": "or", "conditions": [{"type": "or", "permissions": ["a.b"] * 99}] * 3}},
        {"permission": "device.read", "resource": {"kind": "planet", "id": "x"}},
        {"permission": "device.read", "more": 1},
        [],
    ],
)
async def test_what_cannot_be_asked(api: Api, body: Any) -> None:
    project = api.project(ids.new_id())
    async with api.client(api.user(project, *HELD)) as http:
        answer = await http.post("/v1/can", json=body)
    assert answer.status_code == 400, answer.text
