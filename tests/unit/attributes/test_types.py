"""Good and bad values of every attribute type, and what a bad one is told."""

from __future__ import annotations

from typing import Any

import pytest

from shared.attributes import attribute_types, check, definition_problem
from shared.attributes.conversion import number_of

_LINE = {"type": "LineString", "coordinates": [[9.1, 48.7], [9.2, 48.8, 300]]}
_RING = [[0, 0], [4, 0], [4, 4], [0, 0]]
_FEATURE = {"type": "Feature", "geometry": _LINE, "properties": {"name": "track"}}
_ENUM = {"type": "enum", "values": ["open", "shut", 3]}


def _collection(kind: str, inner: Any) -> dict[str, Any]:
    return {"type": kind, ("features" if kind == "FeatureCollection" else "geometries"): inner}


GOOD: list[tuple[dict[str, Any], list[Any]]] = [
    ({"type": "string"}, ["", "x", "21.5", "ü" * 10_000]),
    ({"type": "number"}, [0, -1.5, 10**30, 1e300]),
    ({"type": "number", "min": -2, "max": 3}, [-2, 3, 0.5]),
    ({"type": "int"}, [0, -(2**63), 2**63 - 1, 5.0]),
    ({"type": "int", "min": 1}, [1, 2**40]),
    ({"type": "percent"}, [0, 100, 55.5]),
    ({"type": "percent", "max": 200}, [0, 180]),
    ({"type": "boolean"}, [True, False]),
    (
        {"type": "timestamp"},
        [0, 1_790_000_000_000, 1_790_000_000_000.0, "2026-11-25T10:00:00Z", "2026-11-25", "2026-11-25T10:00"],
    ),
    ({"type": "timestamp", "min": 1_000}, [1_000, "2026-11-25T10:00:00+02:00"]),
    (_ENUM, ["open", "shut", 3, 3.0]),
    ({"type": "resourceEnum"}, ["6mXkFqWm0n4kz2Vc8Qn0kZ", "a-b_1"]),
    ({"type": "resourceEnum", "values": ["a b"]}, ["a b"]),
    ({"type": "geoPoint"}, [{"lat": 48.7, "lon": 9.1}, {"lat": -90, "lon": 180}]),
    (
        {"type": "geoJson"},
        [
            {"type": "Point", "coordinates": [9.1, 48.7]},
            _LINE,
            {"type": "MultiPoint", "coordinates": [[0, 0]]},
            {"type": "MultiLineString", "coordinates": [[[0, 0], [1, 1]]]},
            {"type": "Polygon", "coordinates": [_RING]},
            {"type": "MultiPolygon", "coordinates": [[_RING], [_RING, _RING]]},
            _FEATURE,
            {"type": "Feature", "geometry": None, "properties": None},
            _collection("FeatureCollection", [_FEATURE]),
            _collection("GeometryCollection", [_LINE, _collection("GeometryCollection", [])]),
        ],
    ),
    ({"type": "shape"}, [{"type": "Point", "coordinates": [1000, -5e6]}, _LINE]),
    ({"type": "ip"}, ["192.0.2.7", "2001:db8::7", "::"]),
    ({"type": "relationship"}, [None]),
    ({"type": "parentRelationship"}, [None]),
    ({"type": "temperature"}, [21.5, {"value": 70, "unit": "degF"}]),
    ({"type": "temperature"}, [{"value": 70, "unit": "K", "type": "temperature"}]),
    # The very edge of a limit, from another unit.
    ({"type": "temperature", "min": 0, "max": 100}, [0, 100, {"value": 212, "unit": "degF"}]),
    ({"type": "temperature", "min": 0, "max": 100}, [{"value": 32, "unit": "degF"}]),
    ({"type": "temperature", "unit": "K", "min": 0}, [{"value": -459.67, "unit": "degF"}, -1e-9]),
    ({"type": "length", "unit": "in", "min": 3, "max": 3}, [{"value": 76.2, "unit": "mm"}]),
    ({"type": "length", "unit": "km", "max": 0}, [{"value": -1e-3, "unit": "nm"}, 0]),
    (
        {"type": "length", "unit": "ft", "max": 3},
        [3, {"value": 1, "unit": "yd"}, {"value": 36, "unit": "in"}],
    ),
    ({"type": "int", "isCollection": True}, [[], [1, None, 3], {"front": 1, "rear": 2}, {}]),
    ({"type": "geoPoint", "isCollection": True}, [[{"lat": 1, "lon": 2}], {"a": {"lat": 1, "lon": 2}}]),
]

BAD: list[tuple[dict[str, Any], list[Any], str]] = [
    ({"type": "string"}, [1, True, [], {}], "send a text"),
    ({"type": "number"}, ["1", True, [], {}, float("inf"), float("nan"), 10**400], "send a number"),
    ({"type": "number", "min": -2, "max": 3}, [-2.1, 3.1], "send a number from -2 to 3"),
    ({"type": "int"}, [1.5, 2**63, -(2**63) - 1, 1e300, "1", False, float("nan")], "send a whole number"),
    ({"type": "int", "min": 1}, [0, -5.0], "send a whole number of at least 1"),
    ({"type": "number", "max": 100}, [100.00000001], "of at most 100, not 100.00000001"),
    ({"type": "length", "unit": "km", "max": 0}, [{"value": 1e-3, "unit": "nm"}, 1e-15], "of at most 0"),
    ({"type": "percent"}, [-0.1, 100.1, "50%"], "send a number from 0 to 100"),
    ({"type": "percent", "max": 200}, [-1, 201], "send a number from 0 to 200"),
    ({"type": "boolean"}, [0, 1, "true", []], "send true or false"),
    (
        {"type": "timestamp"},
        [
            -1,
            10**16,
            1.5,
            "yesterday",
            "1969-01-01",
            "0001-01-01T00:00+14:00",
            "20261125",
            True,
            {},
            "1" * 99,
        ],
        "send epoch milliseconds or a time such as",
    ),
    ({"type": "timestamp", "max": 1_000}, [1_001, "2026-11-25"], "of at most 1000"),
    (_ENUM, ["Open", "3", True, [], {}, 4], "send one of open, shut, 3"),
    ({"type": "resourceEnum"}, ["", "a b", "__x__", 5, "x" * 129], "send the id of a resource"),
    ({"type": "geoPoint"}, [[9, 48], "48,9", {"lat": 1}, {"lat": 1, "lng": 2}, {}], "send {lat, lon}"),
    ({"type": "geoPoint"}, [{"lat": 1, "lon": 2, "alt": 3}], "send {lat, lon}"),
    (
        {"type": "geoPoint"},
        [{"lat": 90.1, "lon": 2}, {"lat": "1", "lon": 2}],
        "send lat as a number from -90",
    ),
    (
        {"type": "geoPoint"},
        [{"lat": 1, "lon": 181}, {"lat": 1, "lon": None}],
        "send lon as a number from -180",
    ),
    ({"type": "geoJson"}, [5, [], "x", {}, {"type": "Circle"}, {"type": []}], "send a GeoJSON object"),
    (
        {"type": "geoJson"},
        [
            {"type": "Point"},
            {"type": "Point", "coordinates": [[1, 2]]},
            {"type": "Point", "coordinates": [1]},
            {"type": "Point", "coordinates": [1, 2, 3, 4]},
            {"type": "Point", "coordinates": [1, True]},
            {"type": "LineString", "coordinates": [1, 2]},
            {"type": "LineString", "coordinates": [[1, 2]]},
            {"type": "MultiLineString", "coordinates": [[[1, 2]]]},
            {"type": "Polygon", "coordinates": []},
            {"type": "Polygon", "coordinates": [_RING[:3]]},
            {"type": "MultiPolygon", "coordinates": [_RING]},
            {"type": "MultiPolygon", "coordinates": [[[[0, 0], [1, 0], [1, 1], [0, 1]]]]},
            {"type": "Feature", "geometry": 5},
            {"type": "Feature", "geometry": None, "properties": 5},
            _collection("FeatureCollection", [_LINE]),
            _collection("FeatureCollection", 5),
            _collection("GeometryCollection", {}),
            _collection("GeometryCollection", [_FEATURE]),
        ],
        "send a GeoJSON object",
    ),
    ({"type": "geoJson"}, [{"type": "Point", "coordinates": [48.7, 91]}], "longitude (-180 to 180), then"),
    ({"type": "shape"}, [_FEATURE, {}, {"type": "Point", "coordinates": ["1", 2]}], "send a shape"),
    ({"type": "ip"}, ["192.0.2", "192.0.2.7/24", 3221225991, "", "host"], "send an address such as"),
    ({"type": "relationship"}, ["6mX", []], "link the devices"),
    ({"type": "parentRelationship", "isCollection": True}, [["6mX"]], "link the devices"),
    ({"type": "temperature"}, ["hot", True, [], {}, {"value": 1}], "send a number in degC or {value, unit}"),
    ({"type": "temperature"}, [{"value": 1, "unit": "K", "at": 1}], "send a number in degC or {value, unit}"),
    ({"type": "temperature"}, [{"value": "1", "unit": "K"}, {"value": None, "unit": "K"}], "as its value"),
    ({"type": "temperature"}, [{"value": 1, "unit": "m"}, {"value": 1, "unit": []}], "degC, degF, K, degR"),
    ({"type": "temperature"}, [{"value": 1, "unit": "K", "type": "length"}], "the type is temperature"),
    ({"type": "temperature", "max": 100}, [100.1, {"value": 213, "unit": "degF"}], "of at most 100"),
    ({"type": "length", "unit": "ft", "max": 3}, [3.1, {"value": 37, "unit": "in"}], "in ft of at most 3"),
    ({"type": "bit"}, [{"value": 1e308, "unit": "s"}], "and 2 more"),
    ({"type": "int", "isCollection": True}, [5, "x", True], "send an array of values or an object"),
    ({"type": "int", "isCollection": True}, [[1, "x"], {"1": 1.5}], "in its member 1: send a whole number"),
]


def _cases(table: list[Any]) -> list[Any]:
    return [
        pytest.param(row[0], value, *row[2:], id=f"{row[0]['type']}-{number}-{index}")
        for number, row in enumerate(table)
        for index, value in enumerate(row[1])
    ]


@pytest.mark.parametrize(("spec", "value"), _cases(GOOD))
def test_a_value_that_fits(spec: dict[str, Any], value: Any) -> None:
    assert definition_problem(spec) == ""
    assert check(spec, value, "a/b") is None


@pytest.mark.parametrize(("spec", "value", "told"), _cases(BAD))
def test_a_value_that_does_not_fit_is_told_what_to_send(spec: dict[str, Any], value: Any, told: str) -> None:
    assert definition_problem(spec) == ""
    problem = check(spec, value, "engine/x")
    assert problem is not None
    assert told in problem.message
    assert spec["type"] in problem.type
    text = str(problem)
    assert text.startswith("engine/x (")
    assert len(text) < 400


def test_the_tables_name_every_type_that_is_no_unit() -> None:
    plain = {name for name, kind in attribute_types().items() if not kind.units}
    for table in (GOOD, BAD):
        assert plain <= {row[0]["type"] for row in table}


@pytest.mark.parametrize("name", [name for name, kind in attribute_types().items() if kind.units])
def test_every_unit_type_takes_numbers_and_its_own_units(name: str) -> None:
    kind = attribute_types()[name]
    assert kind.default_unit == kind.units[0]
    for unit in kind.units:
        spec = {"type": name, "unit": unit, "min": -5, "max": 5}
        assert definition_problem(spec) == ""
        assert check(spec, 5) is None
        assert check(spec, {"value": -5, "unit": unit}) is None
        for bad in ("5", True, {"value": 5}, {"value": 5, "unit": "parsec"}, {"unit": unit}, 5.1, [5]):
            assert check(spec, bad) is not None, bad


def test_every_type_of_the_platform_is_there_with_how_it_is_searched() -> None:
    units = """
        length speed acceleration surface volume mass time frequency angle current temperature
        substanceAmount luminousIntensity force energy power pressure electricCharge electricCapacitance
        electricPotential electricResistance electricInductance electricConductance magneticFlux
        magneticFluxDensity bit flow
    """
    expected = {
        "string": "string",
        "number": "number",
        "int": "number",
        "percent": "number",
        "boolean": "boolean",
        "timestamp": "date",
        "enum": "string",
        "resourceEnum": "string",
        "geoPoint": "geoPoint",
        "geoJson": "geoShape",
        "shape": "shape",
        "ip": "ip",
        "relationship": "string",
        "parentRelationship": "string",
        **dict.fromkeys(units.split(), "number"),
    }
    assert {name: kind.search_kind for name, kind in attribute_types().items()} == expected


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({}, "None is no type of an attribute"),
        ({"type": "colour"}, "'colour' is no type of an attribute: use one of string"),
        ({"type": "temperature", "unit": "m"}, "use one of degC, degF, K, degR"),
        ({"type": "string", "unit": "m"}, "leave it out"),
        ({"type": "string", "min": 1}, "min and max are for"),
        ({"type": "number", "min": 3, "max": 2}, "min (3) is above max (2)"),
        ({"type": "number", "max": "5"}, "max is a number"),
        ({"type": "number", "min": True}, "min is a number"),
        ({"type": "enum"}, "an enum needs its values"),
        ({"type": "enum", "values": "abc"}, "values is an array"),
        ({"type": "enum", "values": list(range(1_001))}, "values is an array"),
        ({"type": "enum", "values": ["a", True]}, "each of values"),
        ({"type": "enum", "values": ["a", ""]}, "each of values"),
        ({"type": "enum", "values": ["a", {}]}, "each of values"),
        ({"type": "enum", "values": ["a", "b", "a"]}, "one of them twice"),
        ({"type": "string", "values": ["a"]}, "values are for enum"),
    ],
)
def test_a_definition_that_is_wrong_is_told_so(spec: dict[str, Any], told: str) -> None:
    assert told in definition_problem(spec)


def test_a_type_that_there_is_not_cannot_be_checked() -> None:
    with pytest.raises(ValueError, match="colour"):
        check({"type": "colour"}, 5)


def test_a_message_shows_no_more_than_the_beginning_of_a_value() -> None:
    for value in ("x" * 10_000, {"k" * 10_000: 1}, 10**5_000, -(10**4_000)):
        assert len(str(check({"type": "boolean"}, value))) < 200


def test_the_number_of_a_unit_value_is_in_the_attributes_unit() -> None:
    spec = {"type": "length", "unit": "cm"}
    assert number_of(spec, {"value": 1, "unit": "m"}) == pytest.approx(100)
    assert number_of(spec, 7) == 7
    assert number_of({"type": "string"}, "x") == "x"
    assert number_of({"type": "geoPoint"}, {"lat": 1, "lon": 2}) == {"lat": 1, "lon": 2}
    many = {**spec, "isCollection": True}
    assert number_of(many, [1, {"value": 2, "unit": "cm"}, None]) == [1, 2, None]
    assert number_of(many, {"a": {"value": 3, "unit": "cm"}}) == {"a": 3}
