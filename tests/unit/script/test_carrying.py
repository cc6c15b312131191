"""State that an event finds is what is stored when those before it are: as folded from all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fulcrum.core import fold
from fulcrum.core.writes import Write
from fulcrum.script import wire
from fulcrum.script.carrying import DeviceState
from fulcrum.script.identity import effect_id
from tests.unit.script.support import T0, event, run

PATHS = st.sampled_from(["a", "a/b", "a/b/c", "b", "b/c", "c"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("xy", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("bcd"), inner, max_size=2),
    max_leaves=4,
)
WRITES = st.lists(
    st.builds(Write, PATHS, VALUES, st.sampled_from(["set", "replace"]))
    | st.builds(Write, PATHS, st.none(), st.just("delete")),
    max_size=3,
)
EVENTS = st.lists(st.tuples(st.tuples(st.integers(0, 4), st.sampled_from("pqr")), WRITES), max_size=8)


@given(before=EVENTS, after=EVENTS, looked=st.sets(st.integers(0, 8)))
def test_data_grows_as_the_fold_of_all_writes(before: Any, after: Any, looked: set[int]) -> None:
    registers: fold.Registers = {}
    fold.fold(registers, [(stamp, fold.settle(writes)) for stamp, writes in before])
    state = DeviceState({}, fold.encode(registers).decode())
    for number, (stamp, writes) in enumerate(after):
        if number in looked:
            assert state.data == fold.derive(registers)
        state.write(stamp, writes)
        fold.fold(registers, [(stamp, fold.settle(writes))])
    assert state.data == fold.derive(registers)
    assert state.registers == registers


def test_many_writes_that_nobody_looks_at_are_folded_all_the_same() -> None:
    state = DeviceState({})
    for number in range(1000):
        state.write((number, "e"), [Write("a", number), Write(f"b/n{number % 7}", number)])
    assert state.data["a"] == 999
    assert state.data["b"] == {f"n{number % 7}": number for number in range(993, 1000)}


SEES = """
    from fulcrum.script import needs
    @needs("deviceData")
    def run(message, context):
        context.log(dict(sorted(context.device_data.items())))
        does = context.params.get("does")
        if does == "stop":
            return False
        if does == "replace":
            return {"data": {"a": 70}}
        if does == "history":
            return {"historical": True}
        if does == "earlier":
            return {"time": message["time"] - 100_000}
        if does == "fail":
            raise ValueError
        if does == "set":
            context.set_device_data({"b": 5})
        if does == "elsewhere":
            context.set_device_data({"b": 5}, device_id="d2")
        if does == "route":
            context.set_device_data({"b": 5}, route=True)
"""


@pytest.mark.parametrize(
    ("does", "after_result", "after_input"),
    [
        (None, {"a": 2}, {"a": 2}),
        ("stop", {"a": 1}, {"a": 2}),
        ("replace", {"a": 70}, {"a": 2}),
        ("history", {"a": 1}, {"a": 2}),
        ("earlier", {"a": 1}, {"a": 2}),
        ("fail", {"a": 1}, {"a": 2}),
        ("set", {"a": 2, "b": 5}, {"a": 2, "b": 5}),
        ("elsewhere", {"a": 2}, {"a": 2}),
        ("route", {"a": 2}, {"a": 2}),
    ],
)
def test_next_event_finds_what_the_one_before_it_leaves(
    tmp_path: Path, does: str | None, after_result: Any, after_input: Any
) -> None:
    for follows, expected in (("result", after_result), ("input", after_input)):
        more: dict[str, Any] = {"follows": follows}
        outcomes = run(
            tmp_path,
            SEES,
            event(1, data={"a": 1}, **more),
            event(2, data={"a": 2}, params={"does": does}, **more),
            event(3, **more),
            event(4, device="d2"),
            devices={name: wire.Device(device={"id": name}) for name in ("d1", "d2")},
        )
        assert outcomes[1].logs[0].text == "{'a': 1}"
        assert outcomes[2].logs[0].text == str(expected)
        assert outcomes[3].logs[0].text == ("{'b': 5}" if does == "elsewhere" else "{}")


def test_stored_state_and_stamps_decide(tmp_path: Path) -> None:
    """What is older than what is stored changes nothing; what scripts set has the stamp it is stored with."""
    registers: fold.Registers = {}
    fold.fold(registers, [((T0 + 2000, "e2"), fold.settle([Write("a", 9), Write("c/d", 1)]))])
    first, second, third = run(
        tmp_path,
        SEES,
        event(1, data={"a": 1}),
        event(2, data={"c": {"e": 2}}, params={"does": "set"}),
        event(3),
        devices={"d1": wire.Device(device={}, registers=fold.encode(registers).decode())},
    )
    assert first.logs[0].text == second.logs[0].text == "{'a': 9, 'c': {'d': 1}}"
    assert third.logs[0].text == "{'a': 9, 'b': 5, 'c': {'d': 1, 'e': 2}}"
    state = DeviceState({})
    state.write((T0 + 2000, effect_id("key2", 0)), [Write("b", 5)])
    assert list(state.registers) == ["b"]


def test_an_event_that_cannot_be_stored_changes_nothing(tmp_path: Path) -> None:
    bad = event(1, message={"data": [{"path": "no path", "value": 1}]})
    outcomes = run(tmp_path, SEES, bad, event(2))
    assert [each.status for each in outcomes] == ["done", "done"]
    assert outcomes[1].logs[0].text == "{}"


def test_what_is_no_data_of_a_device_changes_no_state(tmp_path: Path) -> None:
    timer = event(1, message={"type": "reasonRunScript", "data": [{"path": "a", "value": 1}]})
    late = event(2, message={"historical": True}, data={"a": 1})
    assert run(tmp_path, SEES, timer, late, event(3))[2].logs[0].text == "{}"


def test_keys_stand_in_one_order_however_the_data_came_about(tmp_path: Path) -> None:
    main = """
        from fulcrum.script import needs
        @needs("deviceData")
        def run(message, context):
            context.log(context.device_data)
    """
    first = event(1, data={"c": [{"z": 1, "a": 2}], "b/y": 1, "b/x": 2, "a": 3})
    (_, together) = run(tmp_path, main, first, event(2))
    registers: fold.Registers = {}
    writes = [Write(each["path"], each["value"]) for each in first.message["data"]]
    fold.fold(registers, [((first.message["time"], "e1"), fold.settle(writes))])
    devices = {"d1": wire.Device(device={}, registers=fold.encode(registers).decode())}
    (stored,) = run(tmp_path, main, event(2), devices=devices)
    assert (
        together.logs
        == stored.logs
        == [wire.LogLine(text="{'a': 3, 'b': {'x': 2, 'y': 1}, 'c': [{'a': 2, 'z': 1}]}")]
    )
