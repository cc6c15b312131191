"""The fleet as BigQuery computes it, against the fold itself and filters in plain Python."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from fulcrum.core import ids
from shared import device_rows
from shared.messages import Write
from shared.search import match
from shared.search.body import read_search
from shared.search.expressions import Expressions, Parameters
from shared.search.fields import Field, data_field, definition_field
from shared.search.fleet_sql import LATE_MS, Window, fleet, with_clauses
from shared.search.queries import Sql, matching
from tests.support import random_fleet
from tests.support.warehouse import DATASET, Warehouse, data_row, hours_ago

_BASE = hours_ago(48)
_SNAPSHOT = _BASE + 4
_LAST = _BASE + 8


def columns(bigquery: Warehouse, project: str, fields: list[Field], window: Window) -> dict[str, Any]:
    """Of each device and field: whether something is there, and its single value."""
    parameters = Parameters()
    expressions = Expressions(fields, parameters)
    clauses = fleet(DATASET, project, window, expressions, "TRUE")
    names = [f"{kind}{number}" for number in range(len(fields)) for kind in "xsbr"]
    sql = f"{with_clauses(clauses)} SELECT device_id, {', '.join(names)} FROM found"
    found: dict[str, Any] = {}
    for device_id, *cells in bigquery.run(Sql(sql, parameters.all())):
        values = []
        for number in range(len(fields)):
            there, text, flag, digits = cells[number * 4 : number * 4 + 4]
            value = flag == "true" if flag else text if text is not None else digits and float(digits)
            values.append((there == "true", value))
        found[str(device_id)] = values
    return found


def expected(device: match.Device, field: Field) -> tuple[bool, Any]:
    values = device.scalars(field)
    return device.at(field) is not None, values[0] if values else None


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("with_snapshot", [False, True])
def test_every_path_has_the_value_that_the_fold_gives_it(
    bigquery: Warehouse, seed: int, with_snapshot: bool
) -> None:
    random, project = Random(seed), ids.new_id()
    rows = random_fleet.fleet(random, project, _BASE, 150)
    if with_snapshot:
        bigquery.add_snapshot(random_fleet.snapshot(project, rows, _SNAPSHOT))
    # What a snapshot holds may be gone from the history; repeats change nothing.
    kept = [row for row in rows if not with_snapshot or row["time"] // 1000 > _SNAPSHOT]
    bigquery.add_events([*kept, *kept[::3]])
    fields = [data_field(path) for path in random_fleet.PATHS]
    fields += [definition_field("name"), Field("metadata/m", "scalar", ("metadata", "m"))]
    used = _SNAPSHOT if with_snapshot else None
    for at in (None, _LAST, _SNAPSHOT + 2, _SNAPSHOT):
        found = columns(bigquery, project, fields, Window.of(used, at, hours_ago(0)))
        wanted = random_fleet.devices(rows, at or _LAST)
        for device in wanted:
            device_id = device.definition["id"]
            assert found[device_id] == [expected(device, field) for field in fields], device_id
        assert len(found) == len(wanted)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_searches_answer_what_plain_filters_and_sorts_do(bigquery: Warehouse, seed: int) -> None:
    random, project, other = Random(seed), ids.new_id(), ids.new_id()
    rows = random_fleet.fleet(random, project, _BASE, 60)
    bigquery.add_events(rows)
    bigquery.add_events(random_fleet.fleet(random, other, _BASE, 60))
    devices = {at: random_fleet.devices(rows, at) for at in (_LAST, _SNAPSHOT)}
    sizes = set()
    for index in range(20):
        at = random.choice((_LAST, _SNAPSHOT))
        body = {"filter": random_fleet.condition(random), "sort": random_fleet.sorts(random)}
        search = read_search(body)
        window = Window.of(None, at, hours_ago(0))
        found = [row[0] for row in bigquery.run(matching(DATASET, project, search, window))]
        kept = [device for device in devices[at] if match.matches(search.condition, device)]
        wanted = match.ordered(kept, search.sorts, search.ends_descending())
        assert found == [device.definition["id"] for device in wanted], (index, body)
        sizes.add(len(found))
    assert len(sizes) > 4


def test_history_alone_other_projects_and_incomplete_snapshots_do_not_count(bigquery: Warehouse) -> None:
    project, other = ids.new_id(), ids.new_id()
    now = hours_ago(0)
    bigquery.add_events(
        [
            device_rows.device_row(project, "d", {"name": "n", "version": 1}, _BASE),
            data_row(project, "d", (_BASE, "a"), [Write("a", 1)]),
            data_row(project, "d", (_BASE + 1, "b"), [Write("a", 2)], historical=True),
            data_row(project, "d", (_BASE + 2, "c"), [Write("a", 3)], kind="input"),
            data_row(other, "d", (_BASE + 3, "d"), [Write("a", 4)]),
            # What retention keeps of a write stands where retention keeps it.
            data_row(project, "d", (_BASE + 4, "e"), [Write("b", 5)], kind="baseline", original_time="7"),
        ]
    )
    fields = [data_field("a"), data_field("b")]
    found = columns(bigquery, project, fields, Window.of(None, None, now))
    assert found == {"d": [(True, 1.0), (True, 5.0)]}
    bigquery.add_snapshot([device_rows.complete_row(other, _BASE)])
    incomplete = device_rows.snapshot_rows(project, _BASE, "d", {"name": "n", "version": 1}, {})
    bigquery.add_snapshot(incomplete)
    assert newest(bigquery, project, None) is None
    bigquery.add_snapshot([device_rows.complete_row(project, at) for at in (_BASE, _BASE - LATE_MS)])
    assert newest(bigquery, project, None) == _BASE
    assert newest(bigquery, project, _BASE - 1) == _BASE - LATE_MS
    # So far ahead of all that there is, as from now.
    assert newest(bigquery, project, 253_402_300_799_999) == _BASE


def test_a_snapshot_of_long_ago_is_not_looked_for(bigquery: Warehouse) -> None:
    project, old = ids.new_id(), hours_ago(0) - device_rows.LOOK_BACK_MS - 7_200_000
    bigquery.add_snapshot([device_rows.complete_row(project, old)])
    assert newest(bigquery, project, old) == old
    # Years of snapshots are not read to find the newest.
    assert newest(bigquery, project, None) is None


def newest(bigquery: Warehouse, project: str, at: int | None) -> int | None:
    sql, parameters = device_rows.newest_snapshot(DATASET, project, at, hours_ago(0))
    ((cell,),) = bigquery.run(Sql(sql, tuple(parameters)))
    return None if cell is None else int(cell)


def test_a_late_event_counts_without_a_new_snapshot(bigquery: Warehouse) -> None:
    project = ids.new_id()
    bigquery.add_snapshot(
        [
            *device_rows.snapshot_rows(
                project, _BASE, "d", {"name": "n", "version": 1}, {"a": ((_BASE - 9, "i"), 1)}
            ),
            device_rows.complete_row(project, _BASE),
        ]
    )
    late = _BASE - LATE_MS + 1
    bigquery.add_events(
        [
            data_row(project, "d", (late, "l"), [Write("b", 2)]),
            data_row(project, "d", (late, "l"), [Write("a", 3)]),
        ]
    )
    found = columns(
        bigquery, project, [data_field("a"), data_field("b")], Window.of(_BASE, None, hours_ago(0))
    )
    assert found == {"d": [(True, 1.0), (True, 2.0)]}
