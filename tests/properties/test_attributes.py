"""Checks against any value, and conversion against pint itself."""

from __future__ import annotations

import copy
import math
from typing import Any

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulcrum.core.paths import flatten
from fulcrum.core.settle import normal
from shared.attributes import (
    attribute_types,
    check,
    checks_text,
    compile_checks,
)
from shared.attributes.conversion import convert, number_of
from shared.attributes.units import unit_types
from shared.messages import Write

_TYPES = sorted(attribute_types())
_UNIT_TYPES = sorted(unit_types())
_texts = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["degC", "m", "temperature", "1.1.1.1", "2026-11-25", "Point", "Polygon", "Feature"]),
)
_keys = st.sampled_from(
    ["value", "unit", "type", "lat", "lon", "a", "b", "a/b", "coordinates", "geometry", "geometries"]
)
_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), _texts, st.integers(-(10**400), 10**400)
)
_names: st.SearchStrategy[str] = st.text(min_size=1, max_size=5)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def _specs(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(_TYPES))
    kind = attribute_types()[name]
    spec: dict[str, Any] = {"type": name, "isCollection": draw(st.booleans())}
    if len(kind.units) > 0 and draw(st.booleans()):
        spec["unit"] = draw(st.sampled_from(kind.units))
    if kind.ranged and draw(st.booleans()):
        spec["min"], spec["max"] = sorted([draw(st.integers(-50, 50)), draw(st.integers(-50, 50))])
    if name == "enum":
        spec["values"] = draw(st.lists(_names, min_size=1, max_size=3, unique=True))
    return spec


def _same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)


@given(_specs(), _values)
def test_any_value_is_judged_and_stays_as_it_is(spec: dict[str, Any], value: Any) -> None:
    before = copy.deepcopy(value)
    problem = check(spec, value, "p")
    assert _same(value, before)
    assert problem is None or (problem.path == "p" and problem.message and len(str(problem)) < 600)


@given(_specs(), _values)
def test_a_store_that_rewrites_numbers_changes_no_verdict(spec: dict[str, Any], value: Any) -> None:
    if check(spec, value) is None:
        assert check(spec, normal(value)) is None


@given(st.lists(st.tuples(st.sampled_from(["a", "a/b", "a/b/lat", "b"]), _specs()), max_size=3), _values)
def test_the_event_path_and_the_api_agree_at_an_attributes_path(
    paths: list[tuple[str, dict[str, Any]]], value: Any
) -> None:
    attributes = [{"path": path, **spec} for path, spec in dict(paths).items()]
    checks = compile_checks(checks_text("strict", attributes))
    assert checks.skipped == []
    for attribute in attributes:
        path = attribute["path"]
        below = any(other["path"].startswith(path + "/") for other in attributes)
        found = checks.problems([Write(path, value)])
        if not (below and isinstance(value, dict)):
            expected = check(attribute, value, path)
            assert [p.message for p in found] == ([expected.message] if expected else [])


@given(st.dictionaries(st.sampled_from("abc"), _scalars, min_size=1, max_size=3))
def test_an_object_is_checked_as_its_leaves_are(value: dict[str, Any]) -> None:
    attributes = [{"path": "o/a", "type": "int"}, {"path": "o/b", "type": "ip"}]
    checks = compile_checks(checks_text("warn", attributes))
    whole = checks.problems([Write("o", value)])
    leaves = checks.problems([Write(path, inner) for path, inner in flatten("o", value)])
    assert whole == leaves


@pytest.fixture(scope="module")
def registry() -> Any:
    made: Any = pint.UnitRegistry(on_redefinition="ignore")
    made.define("revolutions_per_minute = 1 / minute = rpm")
    return made


_numbers = st.floats(-1e9, 1e9).filter(lambda x: x == 0 or abs(x) > 1e-6)


@given(st.data(), _numbers)
def test_conversion_agrees_with_pint_and_the_data_file_and_comes_back(
    registry: Any, data: st.DataObject, value: float
) -> None:
    name = data.draw(st.sampled_from(_UNIT_TYPES))
    units = unit_types()[name]
    source, target = (data.draw(st.sampled_from(sorted(units.scales))) for _ in range(2))
    there = convert(value, source, target, name)
    # Temperatures cancel where their scales begin: what is lost there is relative to the offset.
    near = 1e-9 * (max(abs(value), 500) if name == "temperature" else 0)
    assert math.isclose(there, registry.Quantity(value, source).m_as(target), rel_tol=1e-12, abs_tol=near)
    assert math.isclose(there, units.convert(value, source, target), rel_tol=1e-9, abs_tol=near)
    assert math.isclose(convert(there, target, source, name), value, rel_tol=1e-9, abs_tol=near)


@given(st.sampled_from(_UNIT_TYPES), _numbers, st.data())
def test_the_number_of_what_fits_fits_too(name: str, value: float, data: st.DataObject) -> None:
    units = sorted(unit_types()[name].scales)
    spec = {"type": name, "unit": data.draw(st.sampled_from(units)), "min": -1000, "max": 1000}
    given_value = {"value": value, "unit": data.draw(st.sampled_from(units))}
    fits = check(spec, given_value) is None
    assert fits == (check(spec, number_of(spec, given_value)) is None)
