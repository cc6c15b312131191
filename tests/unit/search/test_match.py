"""What conditions and orders mean, by examples."""

from __future__ import annotations

from typing import Any

import pytest

from shared.search.body import read_search
from shared.search.match import Device, arc, matches, ordered, plane

DEVICE = Device(
    {
        "id": "d1",
        "name": "Alpha",
        "tags": ["north", "Old"],
        "simulated": True,
        "metadata": {"floor": 2, "none": None},
    },
    {
        "t": 5,
        "text": "5",
        "flag": False,
        "list": [5],
        "empty": {},
        "a": {"b": "x"},
        "p": {"lat": 52, "lon": 13},
    },
)


@pytest.mark.parametrize(
    ("field", "value", "wanted"),
    [
        ("data/t", 5, True),
        ("data/t", 5.0, True),
        ("data/t", "5", False),
        ("data/text", 5, False),
        ("data/flag", False, True),
        ("data/flag", 0, False),
        ("data/t", True, False),
        ("simulated", True, True),
        ("data/list", 5, False),
        ("data/a", "x", False),
        ("data/a/b", "x", True),
        ("data/t/b", "x", False),
        ("tags", "north", True),
        ("tags", "nor", False),
        ("metadata/floor", 2, True),
        ("name", "alpha", False),
        ("parentDeviceId", "x", False),
    ],
)
def test_equality_keeps_types_apart(field: str, value: Any, wanted: bool) -> None:
    condition = read_search({"filter": {"type": "equals", "field": field, "value": value}}).condition
    assert matches(condition, DEVICE) is wanted


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ({"type": "comparison", "field": "data/t", "operator": "<", "value": 5}, False),
        ({"type": "comparison", "field": "data/t", "operator": "<=", "value": 5}, True),
        ({"type": "comparison", "field": "data/t", "operator": ">", "value": 4.5}, True),
        ({"type": "comparison", "field": "data/t", "operator": ">", "value": "4"}, False),
        ({"type": "comparison", "field": "data/text", "operator": ">", "value": "4"}, True),
        ({"type": "comparison", "field": "data/flag", "operator": "<", "value": 9}, False),
        ({"type": "comparison", "field": "data/t", "operator": "between", "value": [5, 5]}, True),
        ({"type": "comparison", "field": "data/z", "operator": "<", "value": 5}, False),
        ({"type": "comparison", "field": "data/z", "operator": "<", "value": 5, "includeEmpty": True}, True),
        ({"type": "enum", "field": "data/z", "values": [5], "includeEmpty": True}, True),
        ({"type": "enum", "field": "data/t", "values": [1, 5]}, True),
        ({"type": "exists", "field": "data/empty"}, True),
        ({"type": "exists", "field": "data/a"}, True),
        ({"type": "exists", "field": "data/list"}, True),
        ({"type": "exists", "field": "data/t/b"}, False),
        ({"type": "exists", "field": "metadata/none"}, False),
        ({"type": "notExists", "field": "data/z"}, True),
        ({"type": "startsWith", "field": "name", "value": "Al"}, True),
        ({"type": "startsWith", "field": "name", "value": "al"}, False),
        ({"type": "startsWith", "field": "name", "value": "al", "ignoreCase": True}, True),
        ({"type": "endsWith", "field": "tags", "value": "ld"}, True),
        ({"type": "contains", "field": "data/t", "value": "5"}, False),
        ({"type": "text", "value": "alp NORTH"}, True),
        ({"type": "text", "value": "alp south"}, False),
        ({"type": "text", "value": "x", "fields": ["data/a/b"]}, True),
        ({"type": "geo", "field": "data/p", "lat": 52, "lon": 13.01, "distance": 1, "unit": "km"}, True),
        ({"type": "geo", "field": "data/p", "lat": 52, "lon": 13.02, "distance": 1, "unit": "km"}, False),
        ({"type": "geo", "field": "data/a", "lat": 52, "lon": 13, "distance": 1, "unit": "km"}, False),
        ({"type": "not", "condition": {"type": "exists", "field": "data/t"}}, False),
    ],
)
def test_conditions(condition: dict[str, Any], wanted: bool) -> None:
    assert matches(read_search({"filter": condition}).condition, DEVICE) is wanted


def test_an_order_puts_types_apart_and_the_missing_where_it_says() -> None:
    held = {"a": "x", "b": 2, "c": True, "d": None, "e": 10, "f": [1], "g": False}
    devices = [Device({"id": key}, {} if value is None else {"v": value}) for key, value in held.items()]

    def order(**sort: str) -> str:
        search = read_search({"sort": [{"field": "data/v", **sort}]})
        found = ordered(devices, search.sorts, search.ends_descending())
        return "".join(device.definition["id"] for device in found)

    assert order() == "gcbeadf"
    assert order(missing="_first") == "dfgcbea"
    assert order(order="desc") == "aebcgfd"
    assert order(order="desc", missing="_first") == "fdaebcg"


def test_distances_are_those_of_the_globe() -> None:
    # Berlin to Paris is 878 km; a degree of latitude is 111.2 km everywhere.
    assert arc(52.52, 13.405, 48.8566, 2.3522) == pytest.approx(877_500, rel=0.002)
    assert arc(10, 20, 11, 20) == pytest.approx(111_195, rel=0.001)
    assert plane(52, 13, 52.01, 13.01) == pytest.approx(arc(52, 13, 52.01, 13.01), rel=1e-6)
    assert arc(0, 0, 0, 180) == pytest.approx(20_015_000, rel=0.001)
