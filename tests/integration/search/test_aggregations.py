"""Aggregations as BigQuery groups them, against plain Python over the same fleet."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from fulcrum.core import ids
from shared import device_rows
from shared.errors import ApiError
from shared.messages import Write
from shared.search import buckets, match
from shared.search.body import read_search
from shared.search.fleet_sql import Window
from shared.search.queries import aggregated
from tests.support import random_fleet
from tests.support.aggregating import aggregate
from tests.support.warehouse import DATASET, Warehouse, data_row, hours_ago

_BASE = hours_ago(48)
_NUMBER = ("data/a", "data/a/b", "metadata/m", "data/b")


def aggregation(random: Random, depth: int = 2) -> dict[str, Any]:
    """A random aggregation of a body."""
    kind = random.choice(("terms", "terms", "filters", "range", "histogram", "geoDistance", "stats"))
    field = random.choice(_NUMBER)
    made: dict[str, Any]
    match kind:
        case "terms":
            made = {"field": random.choice((*random_fleet.FIELDS, "tags")), "size": random.choice((2, 50))}
            if random.random() < 0.4:
                made["missing"] = "none"
            if random.random() < 0.3:
                made["exclude"] = ["x", "1"]
            if random.random() < 0.3:
                made["include"] = ["x", "true", "t1", "one", "2"]
            if random.random() < 0.3:
                made["minCount"] = 2
        case "filters":
            names = ("f", "g", "h")[: random.randint(1, 3)]
            made = {"filters": {name: random_fleet.condition(random, 1) for name in names}}
        case "range":
            made = {"field": field, "ranges": [{"to": 1}, {"from": 0, "to": 1.5}, {"from": 1, "key": "big"}]}
        case "histogram":
            made = {"field": field, "interval": random.choice((1, 0.5)), "offset": random.choice((0, 0.25))}
            if random.random() < 0.4:
                made["bounds"] = {"min": -3, "max": 4}
            if random.random() < 0.4:
                made["missing"] = 7
            if random.random() < 0.4:
                made["minCount"] = 1
        case "geoDistance":
            made = {
                "field": "data/place",
                "origin": {"lat": 1, "lon": 2},
                "unit": random.choice(("km", "m")),
                "type": random.choice(("arc", "plane")),
                "ranges": [{"to": 100.5}, {"from": 50.5, "to": 200_000.5}],
            }
        case _:
            return {"stats": {"field": field} | ({"missing": 3} if random.random() < 0.5 else {})}
    inner = depth and {f"i{index}": aggregation(random, depth - 1) for index in range(random.randint(0, 2))}
    return {kind: made} | ({"aggregations": inner} if inner else {})


def near(found: Any, wanted: Any) -> bool:
    """Equal, sums of floating numbers up to their last digits."""
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(near(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(near, found, wanted))
    return bool(found == pytest.approx(wanted) if isinstance(wanted, float) else found == wanted)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_aggregations_say_what_plain_python_does(bigquery: Warehouse, seed: int) -> None:
    random, project = Random(seed), ids.new_id()
    rows = random_fleet.fleet(random, project, _BASE, 40)
    for index in range(0, 40, 2):
        where = {"lat": random.uniform(-3, 3), "lon": random.uniform(0, 4)}
        rows.append(data_row(project, f"d{index}", (_BASE, "p"), [Write("place", where)]))
    bigquery.add_events(rows)
    devices = random_fleet.devices(rows, _BASE + 8)
    for _ in range(6):
        body = {
            "filter": random_fleet.condition(random) if random.random() < 0.5 else {},
            "aggregations": {name: aggregation(random) for name in ("x", "y")},
        }
        search = read_search(body)
        sql = aggregated(DATASET, project, search, Window.of(None, None, hours_ago(0)))
        found = buckets.answer(search.aggregations, [buckets.Group.of(row) for row in bigquery.run(sql)])
        kept = [device for device in devices if match.matches(search.condition, device)]
        wanted = aggregate(search.aggregations, kept)
        assert near(found, wanted), (body, found, wanted)


def test_too_many_buckets_are_refused_with_their_reason(bigquery: Warehouse) -> None:
    project = ids.new_id()
    rows = [
        device_rows.device_row(project, f"d{index}", {"name": f"n{index}", "version": 1}, _BASE)
        for index in range(10_001)
    ]
    bigquery.add_events(rows)
    search = read_search({"aggs": {"names": {"terms": {"field": "name"}}}})
    sql = aggregated(DATASET, project, search, Window.of(None, None, hours_ago(0)))
    groups = [buckets.Group.of(row) for row in bigquery.run(sql)]
    with pytest.raises(ApiError, match="more than 10000 buckets") as caught:
        buckets.answer(search.aggregations, groups)
    assert caught.value.error == "search.unsupported"
