"""A store that fails or loses answers: nothing is half done, nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from tests.support.api import Api
from tests.unit.api.devices.support import World


@pytest.fixture
def world(api: Api) -> Iterator[World]:
    yield World(api)
    _faults(api)


def _faults(api: Api, *rules: dict[str, Any]) -> None:
    httpx.post(f"{api.address.http}/faults", json={"rules": rules, "seed": 3}).raise_for_status()


def _devices(world: World) -> list[str]:
    found = world.api.documents.collection(f"projects/{world.project}/devices").stream()
    return [document.id for document in found]


async def test_commits_whose_answers_are_lost_are_done_once(api: Api, world: World) -> None:
    room = world.add_blueprint("room")
    world.relation(world.blueprint, "r", room, "oneToOne", owned=True)
    parent, child = world.add_device(), world.add_device(room)
    before = len(_devices(world))
    made = []
    async with api.client(world.user()) as http:
        await http.get(f"/v1/device/{parent}")
        _faults(api, {"method": "Commit", "drop_answer_rate": 0.5})
        for number in range(8):
            answer = await http.post(
                f"/v1/system/{world.system}/devices",
                json=world.aliased(f"S-{number}"),
                headers={"Idempotency-Key": f"k{number}"},
            )
            assert answer.status_code == 201, answer.text
            made.append(answer.json()["id"])
            changed = await http.patch(f"/v1/device/{made[-1]}", json={"name": f"n{number}"})
            assert changed.json()["version"] == 2, changed.text
        body = {"relation": "r", "childId": child}
        linked = await http.post(f"/v1/device/{parent}/relations", json=body)
        assert linked.status_code == 200, linked.text
        _faults(api)
    assert len(_devices(world)) == before + 8
    assert len(set(made)) == 8


async def test_a_store_that_is_down_is_said_and_nothing_changes(api: Api, world: World) -> None:
    device = world.add_device()
    path = f"/v1/device/{device}"
    async with api.client(world.user()) as http:
        await http.get(path)
        _faults(api, {"method": "Commit", "error_rate": 1.0})
        answers = [
            await http.post(f"/v1/system/{world.system}/devices", json=world.aliased("S-1")),
            await http.patch(path, json={"name": "x"}),
            await http.delete(path),
        ]
        _faults(api, {"method": "BatchGetDocuments", "error_rate": 1.0})
        answers.append(await http.get(path))
        _faults(api)
        assert {answer.status_code for answer in answers} == {503}, [a.text for a in answers]
        assert (await http.get(path)).json()["name"] == device
        again = await http.post(f"/v1/system/{world.system}/devices", json=world.aliased("S-1"))
    assert again.status_code == 201
    assert world.get(f"aliases/{ids.alias_id(world.network, 'serial', 'S-1')}")
