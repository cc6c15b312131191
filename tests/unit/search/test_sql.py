"""The SQL of searches: nothing that a caller wrote stands in it; what it reads, partitions bound."""

from __future__ import annotations

import re
from typing import Any

import pytest

from shared.search import queries
from shared.search.body import read_search
from shared.search.fleet_sql import LATE_MS, Window

_HOSTILE = "mark'\"`); DROP TABLE x; --\\"
_VALUES: list[Any] = [
    {"type": "equals", "field": "name", "value": _HOSTILE},
    {"type": "equals", "field": "name", "value": 31337.5},
    {"type": "enum", "field": "tags", "values": [_HOSTILE, 31337]},
    {"type": "comparison", "field": "data/mark/a", "operator": "between", "value": [31337, 31337.5]},
    {"type": "comparison", "field": "data/mark", "operator": "<", "value": _HOSTILE},
    {"type": "contains", "field": "metadata/mark", "value": _HOSTILE},
    {"type": "startsWith", "field": "networkAliases/mark/mark", "value": _HOSTILE, "ignoreCase": True},
    {"type": "geo", "field": "data/mark", "lat": 31.337, "lon": 31.337, "distance": 31337},
    {"type": "text", "value": _HOSTILE},
    {"type": "parent", "value": _HOSTILE, "attributeId": _HOSTILE},
]
_AGGREGATIONS: list[Any] = [
    {"terms": {"field": "data/mark", "include": [_HOSTILE], "exclude": [_HOSTILE], "missing": _HOSTILE}},
    {"histogram": {"field": "data/mark", "interval": 31337, "offset": 31337, "missing": 31337}},
    {"range": {"field": "data/mark", "ranges": [{"from": 31337, "key": _HOSTILE}]}},
    {"filters": {"filters": {_HOSTILE: _VALUES[0]}}},
]
_WINDOW = Window.of(1_700_000_000_000, None, 1_700_000_100_000)


@pytest.mark.parametrize("condition", _VALUES)
def test_no_text_of_a_filter_stands_in_the_sql(condition: Any) -> None:
    search = read_search({"filter": condition, "sort": ["data/mark/b"]})
    sql = queries.matching("history", _HOSTILE, search, _WINDOW)
    assert not re.search("mark|DROP|31337|31[.]337", sql.text)
    assert _HOSTILE in [value for _, _, value in sql.parameters]


@pytest.mark.parametrize("aggregation", _AGGREGATIONS)
def test_no_text_of_an_aggregation_stands_in_the_sql(aggregation: Any) -> None:
    search = read_search({"aggregations": {_HOSTILE: aggregation | {"aggs": {"mark": _AGGREGATIONS[0]}}}})
    sql = queries.aggregated("history", "mark", search, _WINDOW)
    assert not re.search("mark|DROP|31337", sql.text)


def test_every_reading_of_a_table_names_project_and_partitions() -> None:
    search = read_search({"filter": {"type": "exists", "field": "data/a"}})
    sql = queries.matching("history", "p", search, _WINDOW)
    readings = re.findall(
        r"FROM `history\.(\w+)` WHERE project_id = @p\d+ AND (\w+) (?:>=|=) @(p\d+)", sql.text
    )
    assert [(table, column) for table, column, _ in readings] == [
        ("device_snapshots", "snapshot_time"),
        ("device_events", "time"),
    ]
    values = {name: value for name, _, value in sql.parameters}
    assert values[readings[1][2]] == 1_700_000_000_000 - LATE_MS
    assert sql.text.count("`history.") == 2


def test_states_are_not_read_where_nothing_of_them_is_asked() -> None:
    search = read_search({"filter": {"type": "exists", "field": "name"}})
    sql = queries.matching("history", "p", search, _WINDOW)
    assert "'data'" not in sql.text
    assert "cleared" in sql.text
