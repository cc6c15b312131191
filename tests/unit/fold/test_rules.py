"""The rules of the fold, one example each, as its documentation states them."""

from __future__ import annotations

from typing import Any

import pytest

from fulcrum.core import fold
from shared.errors import Rejected
from shared.messages import Write


def state(*events: tuple[int, str, list[Write]]) -> dict[str, Any]:
    registers: fold.Registers = {}
    for time, event_id, writes in events:
        fold.fold(registers, [((time, event_id), fold.settle(writes))])
    return fold.derive(registers)


def test_siblings_survive() -> None:
    assert state((1, "x", [Write("a/b", 1)]), (2, "y", [Write("a/c", 2)])) == {"a": {"b": 1, "c": 2}}


def test_an_older_event_that_comes_late_loses_path_by_path() -> None:
    late = (1, "x", [Write("a", 1), Write("b", 1)])
    assert state((2, "y", [Write("a", 2)]), late) == {"a": 2, "b": 1}


def test_a_newer_scalar_ends_what_is_below_it_and_an_older_one_does_not() -> None:
    child, scalar = [Write("a/b", 1)], [Write("a", 5)]
    assert state((1, "x", child), (2, "y", scalar)) == {"a": 5}
    assert state((2, "x", child), (1, "y", scalar)) == {"a": {"b": 1}}


def test_an_object_merges_and_replace_does_not() -> None:
    first = (1, "x", [Write("a", {"b": 1, "c": {"d": 2}})])
    assert state(first, (2, "y", [Write("a", {"b": 3})])) == {"a": {"b": 3, "c": {"d": 2}}}
    assert state(first, (2, "y", [Write("a", {"b": 3}, op="replace")])) == {"a": {"b": 3}}


def test_delete_ends_what_is_older_and_leaves_what_is_newer() -> None:
    delete = (2, "y", [Write("a", op="delete")])
    assert state((1, "x", [Write("a/b", 1)]), delete) == {}
    assert state(delete, (1, "x", [Write("a/b", 1)])) == {}
    assert state(delete, (3, "x", [Write("a/b", 1)])) == {"a": {"b": 1}}


def test_deleting_the_last_leaf_takes_its_object_with_it() -> None:
    assert state((1, "x", [Write("a/b", 1)]), (2, "y", [Write("a/b", op="delete")])) == {}
    explicit = (0, "w", [Write("a", {})])
    assert state(explicit, (1, "x", [Write("a/b", 1)]), (2, "y", [Write("a/b", op="delete")])) == {"a": {}}


def test_deleting_below_a_scalar_changes_nothing() -> None:
    assert state((1, "x", [Write("a", 5)]), (2, "y", [Write("a/b", op="delete")])) == {"a": 5}


def test_arrays_are_leaves() -> None:
    assert state((1, "x", [Write("a", [1, [2]])]), (2, "y", [Write("a", [3])])) == {"a": [3]}


def test_equal_time_and_id_is_settled_by_the_value() -> None:
    one, two = (1, "x", [Write("a", 1)]), (1, "x", [Write("a", 2)])
    assert state(one, two) == state(two, one) == {"a": 2}
    gone = (1, "x", [Write("a", op="delete")])
    assert state(one, gone) == state(gone, one) == {"a": 1}


def test_equal_stamps_keep_a_child_beside_its_ancestor() -> None:
    upper, lower = (1, "x", [Write("a", 5)]), (1, "x", [Write("a/b", 1)])
    assert state(upper, lower) == state(lower, upper) == {"a": {"b": 1}}


@pytest.mark.parametrize(
    ("writes", "leaves", "cleared"),
    [
        ([Write("a", 1), Write("a", 2)], {"a": 2}, ()),
        ([Write("a", 5), Write("a/b", 1)], {"a/b": 1}, ("a",)),
        ([Write("a/b", 1), Write("a", 5)], {"a": 5}, ()),
        ([Write("a/b", 1), Write("a", op="delete")], {}, ("a",)),
        ([Write("a", op="delete"), Write("a/b", 1)], {"a/b": 1}, ("a",)),
        ([Write("a", op="delete"), Write("a/b", op="delete")], {}, ("a",)),
        ([Write("a", 5), Write("a/b", op="delete")], {"a": 5}, ()),
        ([Write("a", {"b": {}, "c": 1}, op="replace")], {"a/b": {}, "a/c": 1}, ("a",)),
        ([Write("a", 7, op="replace")], {"a": 7}, ()),
        ([], {}, ()),
    ],
)
def test_settling(writes: list[Write], leaves: dict[str, Any], cleared: tuple[str, ...]) -> None:
    assert fold.settle(writes) == (leaves, cleared)


@pytest.mark.parametrize("path", ["", "a//b", "a/", "ä", "__x__", "/".join("abcdefghijklmnop")])
def test_a_path_that_cannot_stand_is_named(path: str) -> None:
    for write in (Write(path, 1), Write(path, op="delete"), Write("a", {path: 1})):
        with pytest.raises(Rejected) as raised:
            fold.settle([write])
        assert raised.value.error_type == "path.invalid"


def test_whole_numbers_are_integers_wherever_they_stand() -> None:
    (leaves, _) = fold.settle([Write("a", 5.0), Write("b", [1e17, {"c": 2.5}]), Write("d", 2**64)])
    assert [type(leaves["a"]), type(leaves["b"][0]), type(leaves["b"][1]["c"]), type(leaves["d"])] == [
        int,
        int,
        float,
        float,
    ]


def test_registers_are_small_versioned_json_and_equal_ones_equal_bytes() -> None:
    one: fold.Registers = {}
    fold.fold(one, [((1, "x"), fold.settle([Write("b", 1), Write("a/c", [1]), Write("d", op="delete")]))])
    data = fold.encode(one)
    assert data == b'{"v":1,"r":[[1,"x",{"a/c":[1],"b":1},["d"]]]}'
    assert fold.decode(data) == one
    assert fold.encode(dict(reversed(list(one.items())))) == data
    assert fold.decode(b"") == {}


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"v":2,"r":[]}', b'{"v":1,"r":[[1]]}'])
def test_foreign_registers_are_refused_by_name(data: bytes) -> None:
    with pytest.raises(Rejected, match="stored registers"):
        fold.decode(data)


def test_a_derived_object_is_not_the_registers_own() -> None:
    registers: fold.Registers = {}
    fold.fold(registers, [((1, "x"), fold.settle([Write("a", {})]))])
    fold.fold(registers, [((2, "x"), fold.settle([Write("a/b", 1)]))])
    assert fold.derive(registers) == {"a": {"b": 1}}
    assert registers["a"] == ((1, "x"), {})
