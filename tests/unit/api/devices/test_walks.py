"""Walks over random fleets give what the links say, each device once, however few may be read at once."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from functions.api.devices import reaching
from tests.support.api import Api
from tests.unit.api.devices.support import World

# Relation → (blueprint of the parents, of the children, kind).
RELATIONS = {
    "buildings": ("site", "building", "oneToMany"),
    "rooms": ("building", "room", "manyToMany"),
    "twin": ("room", "room", "manyToOne"),
    "sensors": ("room", "sensor", "manyToMany"),
}
COUNTS = {"site": 4, "building": 8, "room": 14, "sensor": 25}


class Fleet:
    """Devices linked at random, and what a path leads to by the links alone."""

    def __init__(self, world: World, seed: int) -> None:
        choose = random.Random(seed)
        self.kinds = {name: world.add_blueprint(name) for name in COUNTS}
        self.relations = {
            path: world.relation(self.kinds[parent], path, self.kinds[child], kind)
            for path, (parent, child, kind) in RELATIONS.items()
        }
        self.devices: dict[str, list[str]] = {name: [] for name in COUNTS}
        self.children: dict[tuple[str, str], set[str]] = {}
        taken: set[tuple[str, str]] = set()
        for name, count in COUNTS.items():
            for _ in range(count):
                links = []
                for path, (parent, child, kind) in RELATIONS.items():
                    if child != name:
                        continue
                    above = self.devices[parent]
                    most = 1 if kind in ("oneToOne", "oneToMany") else 3
                    for one in choose.sample(above, min(len(above), choose.randint(0, most))):
                        if kind in ("oneToOne", "manyToOne") and (path, one) in taken:
                            continue
                        taken.add((path, one))
                        links.append((path, one))
                device = world.add_device(
                    self.kinds[name], links=[f"{self.relations[path]}:{one}" for path, one in links]
                )
                self.devices[name].append(device)
                for path, one in links:
                    self.children.setdefault((path, one), set()).add(device)

    def leads_to(self, root: str, steps: list[tuple[str, str]]) -> list[str]:
        """What ``root`` (an id or '*') and (relation, pick) steps lead to."""
        current = {one for one in self.devices["site"] if root in ("*", one)}
        for path, pick in steps:
            below = set().union(*(self.children.get((path, one), set()) for one in current))
            current = {one for one in below if pick in ("*", "", one)}
        return sorted(current)


async def _pages(http: Any, path: str) -> list[str]:
    seen: list[str] = []
    params: dict[str, Any] = {"perPage": 3}
    for _ in range(500):
        answer = await http.get(path, params=params)
        if answer.status_code == 404:
            # What the path names does not stand there, or has no child.
            assert answer.json()["error"] == "device.notFound", answer.text
            return []
        assert answer.status_code == 200, answer.text
        page = answer.json()
        if "items" not in page:
            return [page["id"]]
        seen += [item["id"] for item in page["items"]]
        if "next" not in page:
            return seen
        params["cursor"] = page["next"]
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("fanout", "reads"), [(30, 1_000), (2, 1_000), (1, 60)])
async def test_a_walk_gives_what_the_links_say(
    api: Api, monkeypatch: pytest.MonkeyPatch, seed: int, fanout: int, reads: int
) -> None:
    monkeypatch.setattr(reaching, "FANOUT", fanout)
    monkeypatch.setattr(reaching, "MAX_READS", reads)
    world = World(api)
    fleet = Fleet(world, seed)
    choose = random.Random(seed)
    site, building, room = (choose.choice(fleet.devices[kind]) for kind in ("site", "building", "room"))
    paths = [("buildings",), ("buildings", "rooms"), ("buildings", "rooms", "twin")]
    paths.append(("buildings", "rooms", "sensors"))
    async with api.client(world.user()) as http:
        for path in paths:
            picks = [("*", one) for one in (site, building, room)[: len(path)]]
            for root, *below in itertools.product(*picks):
                steps = list(zip(path, [*below, ""], strict=True))
                rest = "/".join(part for step in steps for part in step if part)
                url = f"/v1/interface/{world.system}/site/{root}/{rest}"
                assert await _pages(http, url) == fleet.leads_to(root, steps), url


async def test_what_would_read_too_much_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "FANOUT", 1)
    monkeypatch.setattr(reaching, "MAX_READS", 5)
    world = World(api)
    fleet = Fleet(world, 1)
    path = f"/v1/interface/{world.system}/site/*/buildings/*/rooms/*/sensors"
    async with api.client(world.user()) as http:
        wide = await http.get(path, params={"perPage": 50})
    async with api.client(world.user("device.read", on=("device", fleet.devices["site"][0]))) as http:
        alone = await http.get(path)
    assert wide.json()["error"] == "interface.tooWide"
    assert alone.json()["error"] == "interface.tooWide"
