"""What Firestore answers, against plain Python; every query it is sent has an index, since it is strict."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from fulcrum.core import ids
from shared import names
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.model.device import DEVICE
from shared.search import match
from shared.search.body import Search, read_search
from shared.search.firestore import ByIds, plan
from shared.store.query import Query
from shared.store.scope import Scope
from shared.values import to_fields
from tests.support import random_fleet
from tests.support.api import Api, embedded_api

_TAGS = ("t1", "x", "Yx")


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with embedded_api() as made:
        yield made


def condition(random: Random) -> Any:
    """A conjunction of conditions that often, but not always, are Firestore's."""
    made = []
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        field = random.choice(("name", "systemId", "blueprintId", "simulated", *random_fleet.FIELDS))
        value = random.choice((1, 2, 1.5, "x", "xy", True, "one", "s1", "b1"))
        made.append(
            random.choice(
                (
                    {"type": "equals", "field": field, "value": value},
                    {"type": "enum", "field": field, "values": [value, "one", 2]},
                    {"type": "equals", "field": "tags", "value": random.choice(_TAGS)},
                    {"type": "enum", "field": "tags", "values": ["t1", "x"]},
                    {"type": "comparison", "field": field, "operator": ">", "value": random.choice((0, "a"))},
                    {"type": "startsWith", "field": random.choice(("name", field)), "value": "x"},
                    random_fleet.condition(random, 0),
                )
            )
        )
    return made


async def everything(search: Search, query: Query, project: str) -> list[str]:
    """All pages of a query."""
    scope, found, after = Scope(project), [], None
    while True:
        asked = Query(query.where, query.order, query.descending, 7, after)
        page = await scope.page(DEVICE, asked)
        found += [stored.id for stored in page.items]
        after = page.next
        if after is None:
            assert await scope.count(DEVICE, query) == len(found)
            return found


async def load(project: str, devices: list[match.Device]) -> None:
    pb = messages()
    writes = []
    for device in devices:
        write = pb.Write(update=pb.Document(name=names.device(project, device.definition["id"])))
        to_fields(write.update.fields, {**device.definition, "data": device.data})
        writes.append(write)
    assert set(await firestore.batch_write(writes)) == {0}


@pytest.mark.parametrize("seed", range(2))
async def test_firestore_answers_what_plain_filters_and_sorts_do(api: Api, seed: int) -> None:
    random, project = Random(seed), ids.new_id()
    rows = random_fleet.fleet(random, project, 1_700_000_000_000, 80)
    devices = [
        match.Device(
            {
                **device.definition,
                "systemId": random.choice(("s1", "s2")),
                "blueprintId": random.choice(("b1", "b2")),
                "created": random.randint(1, 5),
            },
            device.data,
        )
        for device in random_fleet.devices(rows, 1_700_000_000_099)
    ]
    await load(project, devices)
    planned = 0
    for _ in range(150):
        sorts = random.choice(
            ([], [], ["name"], [{"field": "name", "order": "desc"}], ["created"], random_fleet.sorts(random))
        )
        body = {"filter": condition(random), "sort": sorts}
        search = read_search(body)
        made = plan(search)
        kept = [device for device in devices if match.matches(search.condition, device)]
        if isinstance(made, ByIds):
            assert {device.definition["id"] for device in kept} <= set(made.ids), body
        if not isinstance(made, Query):
            continue
        planned += 1
        found = await everything(search, made, project)
        if search.sorts or made.order is None:
            wanted = match.ordered(kept, search.sorts, search.ends_descending())
            assert found == [device.definition["id"] for device in wanted], body
        else:
            assert sorted(found) == sorted(device.definition["id"] for device in kept), body
    assert planned > 30
    await firestore.close()


def test_what_would_scan_is_not_firestores() -> None:
    exists = {"type": "exists", "field": "data/a"}
    more = {"type": "comparison", "field": "data/a", "operator": ">", "value": 1}
    system = {"type": "equals", "field": "systemId", "value": "s"}
    for body in (
        {"filter": exists},
        {"filter": {"type": "not", "condition": system}},
        {"filter": [more, system]},
        {"filter": more, "sort": ["name"]},
        {"sort": ["data/a"]},
        {"sort": ["name", "created"]},
        {"filter": {"type": "contains", "field": "name", "value": "x"}},
        {"filter": {"type": "equals", "field": "data/a", "value": 1}, "sort": ["name"]},
        {"filter": [{"type": "equals", "field": name, "value": "x"} for name in ("tags", "links")]},
        {"filter": {"type": "enum", "field": "name", "values": [f"n{index}" for index in range(31)]}},
        {"filter": {"type": "equals", "field": "name", "value": "x" * 499}, "at": 5},
        {"filter": {"type": "enum", "field": "name", "values": ["x"], "includeEmpty": True}},
    ):
        assert plan(read_search(body)) is None, body
    found = plan(read_search({"filter": [{"type": "equals", "field": "id", "value": "d"}, exists]}))
    assert found == ByIds(("d",))
