"""What a PATCH changes, and that an object and an array of changes mean the same."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.api.resources.patch import PatchOperation, apply
from shared.errors import ApiError
from shared.store.audit import canonical

MAY = frozenset({"name", "tags", "metadata"})
FIELDS = {"name": "N", "tags": ["a"], "metadata": {"x": {"y": 1}, "z": None}}


def change(path: str, value: Any = None, op: Any = "set") -> list[PatchOperation]:
    return [PatchOperation(path=path, value=value, op=op)]


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"name": "M"}, {"name": "M"}),
        ({"name": None}, {"name": None}),
        ({"/metadata/x/y": 2}, {"metadata": {"x": {"y": 2}, "z": None}}),
        ({"metadata/new/deep": 2}, {"metadata": {"x": {"y": 1}, "z": None, "new": {"deep": 2}}}),
        ({"metadata/x": None}, {"metadata": {"z": None}}),
        ({"metadata/x/y": 2, "metadata/z": 3}, {"metadata": {"x": {"y": 2}, "z": 3}}),
        ({}, {}),
        (change("tags", "b", "add"), {"tags": ["a", "b"]}),
        (change("tags", "a", "add"), {"tags": ["a"]}),
        (change("metadata/list", 1, "add"), {"metadata": {"x": {"y": 1}, "z": None, "list": [1]}}),
        (change("metadata/x/y", op="remove"), {"metadata": {"x": {}, "z": None}}),
        (change("metadata/none", op="remove"), {"metadata": {"x": {"y": 1}, "z": None}}),
        (change("metadata/x/y"), {"metadata": {"x": {"y": None}, "z": None}}),
    ],
)
def test_changes(patch: Any, expected: dict[str, Any]) -> None:
    assert apply("system", MAY, FIELDS, patch) == expected
    assert FIELDS == {"name": "N", "tags": ["a"], "metadata": {"x": {"y": 1}, "z": None}}


@pytest.mark.parametrize(
    ("patch", "error"),
    [
        ({"id": "x"}, "system.path"),
        ({"names": "x"}, "system.path"),
        ({"metadata//x": 1}, "system.path"),
        ({"metadata/": 1}, "system.path"),
        ({"/": 1}, "system.path"),
        ({"metadata/" + "a/" * 20 + "b": 1}, "system.path"),
        ({"name/first": "x"}, "system.patch"),
        ({"tags/0": "x"}, "system.patch"),
        (change("name", "x", "add"), "system.patch"),
        (change("metadata", 1, "add"), "system.patch"),
    ],
)
def test_what_cannot_be_changed(patch: Any, error: str) -> None:
    with pytest.raises(ApiError) as refused:
        apply("system", MAY, FIELDS, patch)
    assert (refused.value.status, refused.value.error) == (400, error)


@pytest.mark.parametrize(("one", "other"), [(1, True), (0, False), (1, 1.0)])
def test_what_differs_in_type_is_added(one: Any, other: Any) -> None:
    changed = apply("system", MAY, {"metadata": {"list": [one]}}, change("metadata/list", other, "add"))
    assert len(changed["metadata"]["list"]) == 2


paths = st.lists(st.sampled_from("xyz"), min_size=0, max_size=3).map(lambda s: "/".join(["metadata", *s]))
json = st.recursive(
    st.integers() | st.booleans(), lambda inner: st.dictionaries(st.sampled_from("xyz"), inner)
)


@settings(deadline=None)
@given(st.dictionaries(paths, json, max_size=4), st.dictionaries(st.sampled_from("xyz"), json))
def test_an_object_means_the_same_as_an_array(patch: dict[str, Any], metadata: dict[str, Any]) -> None:
    def outcome(given: Any) -> Any:
        try:
            return apply("system", MAY, {"metadata": metadata}, given)
        except ApiError as error:
            return error.error

    before = copy.deepcopy(patch)
    found = outcome(patch)
    assert patch == before
    assert found == outcome([PatchOperation(path=p, value=v) for p, v in patch.items()])


@pytest.mark.parametrize("depth", [33, 300, 700, 900])
def test_a_value_that_nests_too_deep_is_refused_before_it_is_walked(depth: int) -> None:
    deep: Any = 1
    for _ in range(depth):
        deep = {"a": deep}
    for patch in ({"metadata": deep}, change("metadata/x", deep), change("metadata/list", deep, "add")):
        with pytest.raises(ApiError) as refused:
            apply("system", MAY, FIELDS, patch)
        assert (refused.value.status, refused.value.error) == (400, "system.invalid")


def test_many_additions_to_one_list_look_at_each_element_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Any] = []

    def counting(value: Any) -> str:
        looked.append(value)
        return canonical(value)

    monkeypatch.setattr("functions.api.resources.patch.canonical", counting)
    operations = [
        PatchOperation(path="metadata/list", op="add", value=number % 500) for number in range(1000)
    ]
    changed = apply("system", MAY, {"metadata": {"list": [*range(100)]}}, operations)
    assert changed == {"metadata": {"list": [*range(500)]}}
    assert len(looked) == 1100


def test_an_addition_sees_what_was_set_before_it() -> None:
    operations = [
        PatchOperation(path="tags", op="add", value="a"),
        PatchOperation(path="tags", value=["b"]),
        PatchOperation(path="/tags", op="add", value="a"),
        PatchOperation(path="tags", op="add", value="b"),
    ]
    assert apply("system", MAY, FIELDS, operations) == {"tags": ["b", "a"]}


def test_what_is_not_there_is_removed_without_a_trace() -> None:
    operation = PatchOperation(path="metadata/none/below", op="remove")
    assert apply("system", MAY, {"metadata": {"a": 1}}, [operation]) == {"metadata": {"a": 1}}
