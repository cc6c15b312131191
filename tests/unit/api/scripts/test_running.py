"""An occasion to run a script, asked for by a caller."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.api.scripts.conftest import Life


def published(life: Life) -> list[dict[str, Any]]:
    return [json.loads(data) for data in life.api.topics.take("reason")]


async def test_an_occasion_says_which_script_function_and_parameters(life: Life) -> None:
    await life.deploy()
    life.document("devices", "d1").set({"name": "D", "systemId": "s1", "blueprintId": "b1"})
    answer = await life.post("run", {"deviceId": "d1", "params": {"limit": 8}})
    assert answer.status_code == 202, answer.text
    (message,) = published(life)
    assert message["type"] == "routeMsg"
    assert message["options"] == {"reasoner": {"id": life.script, "targetFunction": "run", "limit": 8}}
    inner = message["message"]
    assert inner["type"] == "reasonRunScript"
    assert (inner["projectId"], inner["deviceId"], inner["systemId"]) == (life.project, "d1", "s1")
    assert (inner["id"], inner["time"]) == (answer.json()["id"], answer.json()["time"])


@pytest.mark.parametrize("named", ["key", "id"])
async def test_the_same_occasion_again_is_the_same(life: Life, named: str) -> None:
    await life.deploy()
    body: dict[str, Any] = {"id": "visit-1"} if named == "id" else {}
    headers = {"Idempotency_Key": "k"} if named == "key" else {}
    first = await life.post("run", body, **headers)
    again = await life.post("run", body, **headers)
    assert first.json() == again.json()
    one, other = published(life)
    assert one == other
    reused = await life.post("run", body | {"params": {"x": 1}}, **headers)
    assert (reused.status_code, reused.json()["error"]) == (422, "idempotency.reused")
    assert (await life.post("run", {})).json()["id"] != first.json()["id"]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"targetFunction": "other"}, "script.targetFunction"),
        ({"params": {"id": "x"}}, "script.params"),
        ({"params": {"targetFunction": "x"}}, "script.params"),
        ({"params": {"text": "x" * 300_000}}, "script.paramsTooLarge"),
        ({"targetFunction": "a b"}, None),
        ({"id": "a/b"}, None),
    ],
    ids=lambda value: ascii(value)[:30],
)
async def test_what_cannot_be_run_is_refused(life: Life, body: dict[str, Any], error: str | None) -> None:
    await life.deploy()
    answer = await life.post("run", body)
    assert answer.status_code == 400, answer.text
    assert error in (None, answer.json()["error"])
    assert published(life) == []


async def test_a_script_that_is_not_deployed_is_not_run(life: Life) -> None:
    answer = await life.post("run")
    assert (answer.status_code, answer.json()["error"]) == (409, "script.notDeployed")
    await life.deploy()
    assert (await life.post("run", {"deviceId": "nobody"})).status_code == 404
    life.api.topics.down = True
    try:
        assert (await life.post("run")).status_code == 503
    finally:
        life.api.topics.down = False
    assert published(life) == []


async def test_a_script_is_run_for_a_device_by_who_may_write_its_data(life: Life) -> None:
    await life.deploy()
    for device_id, system_id in (("d1", "north"), ("d2", "south")):
        life.document("devices", device_id).set({"name": device_id, "systemId": system_id})
    token = life.api.user(life.project, "script.run")
    (held,) = (each.to_dict() for each in life.document("userRoles", "x").parent.get())
    life.document("roles", "writer").set({"name": "writer", "permissions": ["device.updateData"]})
    grant = {"roleId": "writer", "resourceKind": "system", "resourceId": "north"}
    life.document("userRoles", "y").set({**held, **grant})
    async with life.api.client(token) as http:
        for named, status in (("d1", 202), ("d2", 403), (None, 202)):
            answer = await http.post(
                f"/v1/script/{life.script}/run",
                params={"projectId": life.project},
                json={"deviceId": named} if named else {},
            )
            assert answer.status_code == status, answer.text
    assert [one["message"].get("deviceId") for one in published(life)] == ["d1", None]
