"""What a message says at a path, however it was sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulcrum.core import fold
from fulcrum.core.settle import settle
from fulcrum.core.writes import Write
from fulcrum.script.reading import NoNumber, number_at, value_at


def message(*writes: tuple[str, Any]) -> dict[str, Any]:
    return {"data": [{"path": path, "value": value} for path, value in writes]}


@pytest.mark.parametrize(
    ("writes", "path", "value"),
    [
        ([], "a", None),
        ([("a", 1)], "a", 1),
        ([("a", 1)], "ab", None),
        ([("ab", 1)], "a", None),
        ([("a", 1), ("a", 2)], "a", 2),
        ([("a", {"b": {"c": 3}})], "a/b/c", 3),
        ([("a", {"b": 3})], "a/b/c", None),
        ([("a", {"b": 3})], "a/c", None),
        ([("a/b", 1), ("a/c/d", 2)], "a", {"b": 1, "c": {"d": 2}}),
        ([("a", {"b": 1}), ("a/b", 2)], "a/b", 2),
        ([("a/b", 2), ("a", {"c": 1})], "a/b", 2),
        ([("a", 1), ("a/b", 2)], "a", {"b": 2}),
        ([("a/b", 2), ("a", 1)], "a/b", None),
    ],
)
def test_a_value_is_found(writes: list[tuple[str, Any]], path: str, value: Any) -> None:
    assert value_at(message(*writes), path) == value


def test_a_message_without_data_says_nothing() -> None:
    assert value_at({"type": "reasonRunScript"}, "a") is None


@pytest.mark.parametrize("value", ["5", True, {"b": 1}, [1], float("inf")])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(NoNumber, match="a is no number"):
        number_at(message(("a", value)), "a")


def test_numbers_and_nothing() -> None:
    assert number_at(message(("a", 5)), "a") == 5
    assert number_at(message(("a", None)), "a") is None


PATHS = st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map("/".join)
LEAVES = st.integers(0, 9)
VALUES = st.recursive(
    LEAVES, lambda inner: st.dictionaries(st.sampled_from("ab"), inner, min_size=1), max_leaves=4
)


@given(st.lists(st.tuples(PATHS, VALUES), max_size=4), PATHS)
def test_it_is_what_would_be_stored(writes: list[tuple[str, Any]], path: str) -> None:
    stored: Any = fold.nest(settle([Write(at, value) for at, value in writes]).leaves)
    for key in path.split("/"):
        stored = stored.get(key) if isinstance(stored, dict) else None
    assert value_at(message(*writes), path) == stored
