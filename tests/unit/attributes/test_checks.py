"""A blueprint's checks on the writes of an event: whole values, parts, objects above, unknown paths."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.attributes import Checks, checks_text, compile_checks, summary
from shared.messages import Write

_ATTRIBUTES: list[dict[str, Any]] = [
    {"path": "engine/temperature", "type": "temperature", "unit": "degC", "max": 150, "name": "Engine"},
    {"path": "engine/on", "type": "boolean"},
    {"path": "position", "type": "geoPoint"},
    {"path": "area", "type": "geoJson"},
    {"path": "wheels", "type": "pressure", "isCollection": True},
    {"path": "label", "type": "string"},
    {"path": "label/colour", "type": "enum", "values": ["red", "green"]},
    {"path": "owner", "type": "parentRelationship"},
]


@pytest.fixture
def checks() -> Checks:
    return compile_checks(checks_text("strict", _ATTRIBUTES))


def _paths(checks: Checks, *writes: Write) -> list[str]:
    return [problem.path for problem in checks.problems(writes)]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("engine/temperature", 20),
        ("engine", {"temperature": {"value": 70, "unit": "degF"}, "on": True}),
        ("engine", {"temperature": None, "rpm": "unknown paths are nobody's"}),
        ("engine", {}),
        ("engine", None),
        ("engine/rpm", [1, "x"]),
        ("else", {"position": 5}),
        ("engine/temperature/value", 500),
        ("engine/temperature/unit", "degF"),
        ("engine/temperature/type", "temperature"),
        ("engine/temperature/unit", None),
        ("position", {"lat": 1, "lon": 2}),
        ("position/lat", 1),
        ("wheels", [2, {"value": 30, "unit": "psi"}]),
        ("wheels/front", {"value": 30, "unit": "psi"}),
        ("wheels/front/unit", "psi"),
        ("wheels", {"front": 2}),
        ("label", "x"),
        ("label", {"colour": "red"}),
        ("label/size", 5),
        ("owner", None),
    ],
)
def test_writes_that_fit(checks: Checks, path: str, value: Any) -> None:
    assert checks.problems([Write(path, value)]) == []
    assert checks.problems([Write(path, value, "replace")]) == []


@pytest.mark.parametrize(
    ("path", "value", "at", "told"),
    [
        ("engine/temperature", "hot", "engine/temperature", "send a number in degC of at most 150"),
        ("engine", {"temperature": "hot", "on": True}, "engine/temperature", "send a number"),
        ("engine", 5, "engine", "attributes such as engine/on lie below it: send an object, not 5"),
        ("engine", [], "engine", "send an object, not an array"),
        ("engine/temperature/value", "x", "engine/temperature/value", "send a number"),
        ("engine/temperature/unit", "m", "engine/temperature/unit", "send a unit of temperature"),
        ("engine/temperature/type", "length", "engine/temperature/type", "the type is temperature"),
        ("engine/temperature/max", 5, "engine/temperature/max", "only value and unit"),
        ("engine/on/since", 5, "engine/on/since", "written whole at its own path"),
        ("position/lat", 91, "position/lat", "send lat as a number"),
        ("position/lng", 1, "position/lng", "only lat and lon"),
        ("area/type", "Point", "area/type", "written whole"),
        ("wheels/front", "flat", "wheels/front", "send a number in Pa"),
        ("wheels/front/unit", "m", "wheels/front/unit", "send a unit of pressure"),
        ("wheels", 5, "wheels", "send an array"),
        ("label", 5, "label", "send a text"),
        ("label", {"colour": "blue"}, "label/colour", "send one of red, green"),
        ("owner", "6mX", "owner", "link the devices"),
        ("owner/name", "x", "owner/name", "link the devices"),
    ],
)
def test_writes_that_do_not_fit(checks: Checks, path: str, value: Any, at: str, told: str) -> None:
    for op in ("set", "replace"):
        (problem,) = checks.problems([Write(path, value, op)])
        assert problem.path == at
        assert told in problem.message


def test_keys_that_are_paths_are_checked_as_the_fold_flattens_them(checks: Checks) -> None:
    nested = compile_checks(checks_text("strict", [{"path": "a/p", "type": "geoPoint"}]))
    assert _paths(nested, Write("a", {"p/lat": 100})) == ["a/p/lat"]
    assert _paths(nested, Write("a", {"p/lat": 10, "q/p": 5})) == []


def test_every_problem_is_found_in_order_and_deleting_is_none(checks: Checks) -> None:
    writes = [
        Write("engine/on", 1),
        Write("engine/temperature", 5),
        Write("position", "x", "delete"),
        Write("engine", {"on": "yes", "temperature": 151}),
    ]
    assert _paths(checks, *writes) == ["engine/on", "engine/on", "engine/temperature"]


def test_a_path_beyond_all_limits_costs_nothing(checks: Checks) -> None:
    assert checks.problems([Write("position/" + "a/" * 1_000_000 + "a", 5)]) == []


def test_the_text_is_compact_and_the_same_in_any_order() -> None:
    text = checks_text("warn", _ATTRIBUTES)
    assert text == checks_text("warn", reversed(_ATTRIBUTES))
    assert json.loads(text)["mode"] == "warn"
    paths = json.loads(text)["paths"]
    assert paths["engine/temperature"] == {"type": "temperature", "unit": "degC", "max": 150}
    assert paths["position"] == {"type": "geoPoint"}
    assert paths["wheels"] == {"type": "pressure", "isCollection": True}


def test_a_limit_of_zero_is_kept_and_nothing_is_left_out() -> None:
    spec = {"path": "a", "type": "int", "min": 0, "max": 0.0, "isCollection": False, "values": None}
    assert json.loads(checks_text("warn", [spec]))["paths"]["a"] == {"type": "int", "min": 0, "max": 0.0}


def test_off_holds_no_paths_and_another_mode_is_refused() -> None:
    off = compile_checks(checks_text("off", _ATTRIBUTES))
    assert (off.mode, off.active) == ("off", False)
    assert not compile_checks(checks_text("strict", [])).active
    with pytest.raises(ValueError, match="'loud' is no mode: use one of off, warn, strict"):
        checks_text("loud", [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "5",
        '{"mode": "loud"}',
        '{"mode": "warn", "paths": []}',
        '{"paths": {"a": 5}}',
        "[" * 100_000,
    ],
)
def test_a_text_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a blueprint's checks"):
        compile_checks(text)


def test_what_a_newer_version_wrote_is_skipped_and_named() -> None:
    paths = {
        "a": {"type": "hologram"},
        "b": {"type": "length", "unit": "parsec"},
        "c": {"type": "int"},
        "d": {"type": []},
        "e": {"type": "int", "min": "0"},
    }
    checks = compile_checks(json.dumps({"mode": "strict", "paths": paths, "newer": True}))
    assert [problem.split(":")[0] for problem in checks.skipped] == ["a", "b", "d", "e"]
    assert _paths(checks, *(Write(path, "x") for path in paths)) == ["c"]


def test_a_summary_spells_out_the_first_problems(checks: Checks) -> None:
    problems = checks.problems([Write("engine/on", 1)] * 7)
    text = summary(problems, 2)
    assert text.count("engine/on (boolean): send true or false, not 1") == 2
    assert text.endswith("; and 5 more")
    assert summary(problems[:1]) == "engine/on (boolean): send true or false, not 1"
