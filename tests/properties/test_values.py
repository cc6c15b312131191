"""JSON to Firestore values and back: nothing is lost, and nothing stands that Firestore refuses."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.clients.firestore_pb import messages
from shared.values import MAX_DEPTH, from_fields, from_value, to_fields, to_value

_TEXT = st.text(st.characters(), max_size=8) | st.sampled_from(
    ["", "__a__", "$json", "\ud800", "a/b", "k" * 1501]
)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | _TEXT
    | st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1, -0.0, 1.0])
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=25,
)


def _same(a: Any, b: Any) -> bool:
    """Equality that tells 1 from 1.0 and True, and 0.0 from -0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, float):
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    return bool(a == b)


def _problems(value: Any, depth: int = 1) -> list[str]:
    kind = value.WhichOneof("value_type")
    found = []
    if kind in ("map_value", "array_value") and depth > MAX_DEPTH:
        found.append(f"container at level {depth}")
    if kind == "map_value":
        for key, inner in value.map_value.fields.items():
            if not key or len(key.encode()) > 1500 or (key.startswith("__") and key.endswith("__")):
                found.append(f"key {key!r}")
            found += _problems(inner, depth + 1)
    if kind == "array_value":
        for inner in value.array_value.values:
            if inner.WhichOneof("value_type") == "array_value":
                found.append("array in array")
            found += _problems(inner, depth + 1)
    return found


def _nested(levels: int, leaf: Any, array: bool) -> Any:
    for level in range(levels):
        leaf = [leaf] if array and level % 2 else {"a": leaf}
    return leaf


@given(_JSON)
@example({"$json": "not json"})
@example([[1, [2]], {}, [], {"": 1}])
@example(_nested(19, "\ud800", array=False))
@example(_nested(40, 1, array=True))
def test_every_json_value_comes_back_and_is_storable(value: Any) -> None:
    stored = messages().Value.FromString(to_value(value).SerializeToString())
    assert _same(from_value(stored), value)
    assert _problems(stored) == []


@given(st.integers(1, MAX_DEPTH), st.integers(0, 30), st.booleans(), _SCALARS)
def test_a_value_below_others_counts_its_level(depth: int, levels: int, array: bool, leaf: Any) -> None:
    value = _nested(levels, leaf, array)
    stored = to_value(value, depth)
    assert _same(from_value(stored), value)
    assert _problems(stored, depth) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([[1, 2]], "[1,2]"),
        ({"": 1}, '{"":1}'),
        (2**63, "9223372036854775808"),
        ({"$json": 5}, '{"$json":5}'),
        ("\ud800", '"\\ud800"'),
    ],
)
def test_what_firestore_cannot_hold_stands_as_its_json_text(value: Any, text: str) -> None:
    stored = to_value(value)
    holder = stored.array_value.values[0] if isinstance(value, list) else stored
    assert holder.map_value.fields["$json"].string_value == text
    assert json.loads(text) == (value[0] if isinstance(value, list) else value)


@given(st.datetimes(timezones=st.just(UTC)), st.binary(max_size=20))
def test_documents_hold_bytes_and_times_too(when: datetime, data: bytes) -> None:
    document = messages().Document()
    to_fields(document.fields, {"when": when, "data": data, "none": None})
    assert from_fields(document.fields) == {"when": when, "data": data, "none": None}


def test_what_is_not_json_is_refused_by_its_type() -> None:
    with pytest.raises(TypeError, match="set is not a JSON value"):
        to_value({"a": set()})


def test_a_foreign_kind_of_value_is_refused_by_name() -> None:
    value = messages().Value()
    value.geo_point_value.latitude = 1
    with pytest.raises(ValueError, match="geo_point_value"):
        from_value(value)
