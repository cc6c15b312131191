"""A timer is what the greatest stamps made of it, in whatever order and however often their messages come."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions.scheduler import timers
from functions.scheduler.timers import Timer
from shared import timer_times
from shared.clock import from_ms
from shared.messages import CancelRelatedTimer, SetTimer

PROJECT, ID = "farm", "t"
ONCE: dict[str, Any] = {"type": "once", "delay": 5_000}
REPEATING: dict[str, Any] = {"type": "repeating", "delay": 60_000}
PAST: dict[str, Any] = {"type": "once", "when": 1}

Kinds = st.sampled_from(["once", "repeating", "past", "cancel", "patch"])
# Times repeat, so that the second part of a stamp has to decide too.
Commands = st.lists(
    st.tuples(Kinds, st.integers(1_000, 1_006), st.integers(0, 3)),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one[1:],
)


def _apply(timer: Timer | None, command: tuple[str, int, int]) -> Timer | None:
    kind, time, by = command
    stamp = (time, f"s{by}")
    if kind == "cancel":
        return timers.cancel(timer, PROJECT, ID, stamp) or timer
    action = {"type": "publishTopic", "topic": "writer", "message": {"by": f"{kind} {stamp}"}}
    definition = {"once": ONCE, "repeating": REPEATING, "past": PAST}.get(kind, {})
    message = SetTimer(
        id=ID,
        stamp=stamp,
        project_id=PROJECT,
        timer=definition,
        action=action,
        patch_action=kind == "patch",
    )
    if kind == "patch":
        return timers.patch(timer, message) or timer
    return timers.set_(timer, message, timer_times.parse(definition), time) or timer


def _all(commands: list[tuple[str, int, int]]) -> Timer | None:
    timer: Timer | None = None
    for command in commands:
        timer = _apply(timer, command)
    return timer


def _seen(timer: Timer | None) -> Any:
    """What counts of a timer: of one that does not run, its action does not."""
    if timer is None or timer.state != "running":
        return (timer.state, timer.stamp) if timer else None
    return timer


@given(commands=Commands, data=st.data())
def test_any_order_and_any_repetition_leave_the_same_timer(
    commands: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(commands + data.draw(st.lists(st.sampled_from(commands)))))
    assert _seen(_all(shuffled)) == _seen(_all(sorted(commands, key=lambda one: one[1:])))


@given(commands=Commands, fires=st.integers(1, 3), data=st.data())
def test_nothing_that_comes_again_starts_what_has_fired(
    commands: list[tuple[str, int, int]], fires: int, data: st.DataObject
) -> None:
    timer = _all(commands)
    for _ in range(fires):
        if timer is not None and timer.fire_time is not None:
            timer = timers.fired(timer, timer.fire_time)
    for command in data.draw(st.lists(st.sampled_from(commands))):
        assert _seen(_apply(timer, command)) == _seen(timer)


@given(commands=Commands)
def test_a_timer_is_stored_as_it_is(commands: list[tuple[str, int, int]]) -> None:
    timer = _all(commands)
    if timer is not None:
        assert timers.from_fields(timers.to_fields(timer, from_ms(0))) == timer


@given(
    ids=st.tuples(*[st.sampled_from([None, "a", "b"])] * 3),
    named=st.tuples(*[st.sampled_from([None, "a", "b"])] * 3),
    later=st.booleans(),
)
def test_what_is_related_has_all_the_ids_that_are_named(
    ids: tuple[Any, ...], named: tuple[Any, ...], later: bool
) -> None:
    fields = ("system_id", "device_id", "script_id")
    timer = Timer(project_id=PROJECT, timer_id=ID, stamp=(5, ""), **dict(zip(fields, ids, strict=True)))
    cancelled = CancelRelatedTimer(
        stamp=(6 if later else 5, ""), project_id=PROJECT, **dict(zip(fields, named, strict=True))
    )
    all_of_them = all(one is None or one == has for one, has in zip(named, ids, strict=True))
    assert timers.concerns(cancelled, timer) == (later and all_of_them)
