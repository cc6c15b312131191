from __future__ import annotations

import pytest

from fulcrum.core import paths


@pytest.mark.parametrize("path", ["a", "engine/temperature", "A_1/b2", "_x", "__x", "/".join("abcdefghij")])
def test_good_paths(path: str) -> None:
    assert paths.problem(path) == ""


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("", "empty"),
        ("/a", "segments of"),
        ("a/", "segments of"),
        ("a//b", "segments of"),
        ("a b", "segments of"),
        ("ä", "segments of"),
        ("a\n", "segments of"),
        ("a.b", "segments of"),
        ("__name__", "__"),
        ("a/__b__/c", "__"),
        ("/".join("abcdefghijk"), "more than 10"),
        ("a" * 301, "at most 300"),
    ],
)
def test_bad_paths_say_why(path: str, word: str) -> None:
    assert word in paths.problem(path)


def test_the_keys_of_objects_continue_a_path_up_to_fifteen_levels() -> None:
    assert paths.leaf_problem("/".join("abcdefghijklmno")) == ""
    assert "more than 15" in paths.leaf_problem("/".join("abcdefghijklmnop"))


def test_objects_are_walked_and_arrays_are_leaves() -> None:
    value = {"x": 1, "y": {"z": [1, {"k": 2}]}, "empty": {}}
    assert list(paths.flatten("a", value)) == [
        ("a/x", 1),
        ("a/y/z", [1, {"k": 2}]),
        ("a/empty", {}),
    ]


def test_below_is_strict_and_by_segment() -> None:
    assert paths.is_below("a/b", "a")
    assert not paths.is_below("a", "a")
    assert not paths.is_below("ab/c", "a")
