"""Documents, changes by hand and jobs at once, in any order: the project stays whole, revisions come back."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from shared.attributes import checks_text
from shared.attributes.types import RELATIONS
from tests.support.api import Api, embedded_api
from tests.support.jobs import Jobs, jobs_function

ALIASES = ("a", "b", "c")
PATHS = ("p", "q", "r/s", "r/t")
TURNS = 8


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with embedded_api() as made:
        yield made


def attribute(draw: random.Random, path: str, targets: list[str], target: str) -> dict[str, Any]:
    """An attribute of any sort; a relationship names one of ``targets`` in the field ``target``."""
    made: dict[str, Any] = {"path": path, "name": path}
    made["type"] = draw.choice(("number", "string", "temperature", "enum", "relationship"))
    if made["type"] == "temperature":
        made["unit"] = "degC"
    if made["type"] == "enum":
        made["values"] = ["x", "y"]
    if made["type"] == "number":
        made["min"] = draw.randint(0, 3)
    if made["type"] == "relationship":
        made |= {target: draw.choice(targets), "relationshipType": draw.choice(("oneToOne", "manyToMany"))}
    return made


def document(draw: random.Random, roles: list[dict[str, Any]]) -> dict[str, Any]:
    """A document of a few blueprints, and a role for some of what is generated for them."""
    aliases = [alias for alias in ALIASES if draw.random() < 0.75]
    blueprints: list[dict[str, Any]] = [
        {
            "alias": alias,
            "name": f"{alias} {draw.randint(0, 3)}",
            "checkMode": draw.choice(("off", "warn", "strict")),
            "attributes": [
                attribute(draw, path, aliases, "targetBlueprint") for path in PATHS if draw.random() < 0.6
            ],
        }
        for alias in aliases
    ]
    generated = [f"device.create:{alias}" for alias in aliases] + [
        f"relationship.create:{blueprint['alias']}/{one['path']}"
        for blueprint in blueprints
        for one in blueprint["attributes"]
        if one["type"] == "relationship"
    ]
    permissions = [permission for permission in generated if draw.random() < 0.6]
    return {
        "format": 1,
        "project": {"name": f"n{draw.random()}"},
        "blueprints": blueprints,
        "roles": [*roles, {"name": "r", "permissions": permissions}],
    }


async def by_hand(draw: random.Random, http: httpx.AsyncClient, path: str) -> None:
    """A few changes as the console makes them; whatever is refused is refused with a reason."""
    blueprints = (await http.get(f"{path}/blueprints")).json()["items"]
    for _ in range(3):
        choice = draw.choice(("blueprint", "attribute", "mode", "gone", "less"))
        some = draw.choice(blueprints)["id"] if blueprints else None
        if choice == "blueprint" or some is None:
            body = {"name": "u", "alias": draw.choice(ALIASES)}
            answer = await http.post(f"{path}/blueprints", json=body)
        elif choice == "attribute":
            targets = [one["id"] for one in blueprints]
            body = attribute(draw, draw.choice(PATHS), targets, "targetBlueprintId")
            answer = await http.post(f"/v1/blueprint/{some}/attributes", json=body)
        elif choice == "mode":
            mode = draw.choice(("off", "warn", "strict"))
            answer = await http.patch(f"/v1/blueprint/{some}", json={"checkMode": mode})
        elif choice == "gone":
            answer = await http.delete(f"/v1/blueprint/{some}")
        else:
            listed = (await http.get(f"/v1/blueprint/{some}/attributes")).json().get("items")
            if not listed:
                continue
            answer = await http.delete(f"/v1/attribute/{draw.choice(listed)['id']}")
        assert answer.status_code < 500, answer.text


def hold_whole(api: Api, project: str) -> None:
    """The checks say what the attributes do; mirrors, owners and subjects of permissions are there."""

    def found(collection: str) -> dict[str, dict[str, Any]]:
        stream = api.documents.collection(f"projects/{project}/{collection}").stream()
        return {one.id: one.to_dict() or {} for one in stream}

    blueprints, attributes = found("blueprints"), found("attributes")
    for blueprint_id, blueprint in blueprints.items():
        mine = [one for one in attributes.values() if one["blueprintId"] == blueprint_id]
        plain = [one for one in mine if one["type"] not in RELATIONS]
        wanted = checks_text(blueprint["checkMode"], plain if blueprint["checkMode"] != "off" else [])
        assert json.loads(blueprint["checks"]) == json.loads(wanted)
    for attribute_id, one in attributes.items():
        assert one["blueprintId"] in blueprints
        if one["type"] in RELATIONS:
            assert attributes[one["mirrorId"]]["mirrorId"] == attribute_id
    for role in found("roles").values():
        subjects = {permission.partition(":")[2] for permission in role["permissions"]} - {""}
        assert subjects <= {*blueprints, *attributes}
    places = {(one["blueprintId"], one["path"]) for one in attributes.values()}
    assert len(places) == len(attributes)
    held = [lock for lock in found("locks").values() if lock["kind"] == "attribute"]
    assert len(held) == len(attributes)


async def turn(draw: random.Random, api: Api, http: httpx.AsyncClient, project: str, jobs: Jobs) -> None:
    """Some changes at once, then a rollback to any revision: its document is the project's, and stays so."""
    path = f"/v1/project/{project}"
    roles = [
        one for one in (await http.get(f"{path}/export")).json()["document"]["roles"] if one["name"] != "r"
    ]
    asked = {"document": document(draw, roles), "force": True}
    applied, *_ = await asyncio.gather(
        http.post(f"{path}/apply", json=asked),
        by_hand(draw, http, path),
        by_hand(draw, http, path),
        jobs.finish(),
    )
    assert applied.status_code == 200, applied.text
    if draw.random() < 0.5:
        await jobs.finish()
    revisions = (await http.get(f"{path}/revisions")).json()["items"]
    number = draw.choice(revisions)["number"]
    back = await http.post(f"{path}/rollback", json={"revision": number, "force": True})
    assert back.status_code == 200, back.text
    wanted = (await http.get(f"{path}/revisions/{number}")).json()["document"]
    for _ in range(2):
        exported = (await http.get(f"{path}/export")).json()
        assert exported["document"] == wanted
        assert exported["base"] == back.json()["base"]
        await jobs.finish()
    hold_whole(api, project)


@pytest.mark.parametrize("seed", range(3))
async def test_a_project_stays_whole_and_every_revision_comes_back(api: Api, seed: int) -> None:
    draw, project = random.Random(seed), api.project(ids.new_id())
    async with api.client(api.user(project, "*")) as http, jobs_function(api.topics) as jobs:
        for _ in range(TURNS):
            await turn(draw, api, http, project, jobs)
