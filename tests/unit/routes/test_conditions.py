"""Conditions on a device and a message."""

from __future__ import annotations

from typing import Any

import pytest

from shared.conditions import Facts, problems, reads_state, satisfied

_FACTS = Facts(
    device={"name": "truck 1", "simulated": False, "data": {"t": 20, "engine": {"rpm": 900}, "on": True}},
    msg={
        "type": "deviceDataEventMsg",
        "historical": False,
        "data": [
            {"path": "t", "value": 26},
            {"path": "engine", "value": {"rpm": 900, "oil": {"p": 3.5}}},
            {"path": "engine/load", "value": 0.5},
            {"path": "gone", "value": 1},
            {"path": "gone", "op": "delete"},
            {"path": "new", "value": "x"},
            {"path": "rest/a", "value": 1},
            {"path": "rest", "value": {"b": 2}, "op": "replace"},
        ],
    },
)


def _attribute(path: str, *args: Any) -> dict[str, Any]:
    op, value = args if len(args) == 2 else ("eq", args[0])
    return {"type": "attribute", "path": path, "op": op, "value": value}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (_attribute("device/name", "truck 1"), True),
        (_attribute("device/name", "ne", "truck 1"), False),
        (_attribute("device/name", "gt", "truck 0"), True),
        (_attribute("device/name", "gt", 5), False),
        (_attribute("device/name", "in", ["a", "truck 1"]), True),
        (_attribute("device/data/engine/rpm", "ge", 900), True),
        (_attribute("device/data/on", 1), False),
        (_attribute("device/data/on", True), True),
        (_attribute("device/data/none", "ne", 1), False),
        (_attribute("device/data/none", "exists", False), True),
        (_attribute("device/data/none", "exists", True), False),
        (_attribute("msg/type", "deviceDataEventMsg"), True),
        (_attribute("msg/historical", False), True),
        (_attribute("msg/data/t", "gt", 25), True),
        (_attribute("msg/data/t", "le", 25), False),
        (_attribute("msg/data/engine/oil/p", "lt", 4), True),
        (_attribute("msg/data/engine/load", 0.5), True),
        (_attribute("msg/data/engine", "exists", True), True),
        (_attribute("msg/data/gone", "exists", True), False),
        (_attribute("msg/data/rest/a", "exists", True), False),
        (_attribute("msg/data/rest", {"b": 2}), True),
        (_attribute("msg/data/nothing", 1), False),
        ({"type": "delta", "path": "t"}, True),
        ({"type": "delta", "path": "t", "op": "gt", "value": 5}, True),
        ({"type": "delta", "path": "t", "value": 6}, False),
        ({"type": "delta", "path": "t", "op": "lt", "value": 0, "signed": True}, False),
        ({"type": "delta", "path": "engine/rpm"}, False),
        ({"type": "delta", "path": "new", "value": 5}, True),
        ({"type": "delta", "path": "on"}, False),
        ({"type": "not", "condition": _attribute("msg/data/t", 26)}, False),
        ({"type": "and", "conditions": [_attribute("msg/data/t", 26), _attribute("msg/x", 1)]}, False),
        ({"type": "or", "conditions": [_attribute("msg/data/t", 26), _attribute("msg/x", 1)]}, True),
    ],
)
def test_conditions(condition: dict[str, Any], holds: bool) -> None:
    assert list(problems(condition, "c")) == []
    assert satisfied(condition, _FACTS) is holds


def test_an_object_reported_in_parts_is_put_together() -> None:
    facts = Facts(msg={"data": [{"path": "a/b", "value": 1}, {"path": "a/c/d", "value": 2}]})
    assert satisfied(_attribute("msg/data/a", {"b": 1, "c": {"d": 2}}), facts)


def test_whether_the_state_is_needed() -> None:
    assert not reads_state(_attribute("device/name", "x"))
    assert reads_state({"type": "not", "condition": _attribute("device/data/t", 1)})
    assert reads_state({"type": "or", "conditions": [_attribute("msg/t", 1), {"type": "delta", "path": "t"}]})


def test_messages_without_data_satisfy_nothing_about_data() -> None:
    for msg in ({}, {"data": None}, {"data": {"path": "t"}}):
        assert not satisfied(_attribute("msg/data/t", "gt", 0), Facts(msg=msg))
        assert not satisfied({"type": "delta", "path": "t"}, Facts(msg=msg))
