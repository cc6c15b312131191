"""A device that falls silent and comes back, with timers that fire as the platform has them fire."""

from __future__ import annotations

import math
from typing import Any

from fulcrum.script import wire
from fulcrum.script.testing import MakeMessage, RunEvent

PARAMS = {"timeout": 900, "recipients": ["+4712345678"]}
MINUTE = 60_000
START = 1_772_366_400_000


def play(run_event: RunEvent, make_message: MakeMessage, minutes: list[int]) -> list[str]:
    """The text messages of a course of events; between them, and after the last, timers fire when due."""
    texts: list[str] = []
    cache: Any = {}
    timer: wire.SetTimer | None = None

    def run(message: dict[str, Any], now: int, **context: Any) -> None:
        nonlocal cache, timer
        outcome = run_event(message, now=now, cache=cache, device={"name": "Room"}, **context)
        cache = cache if outcome.cache is None else outcome.cache.value
        for effect in outcome.effects:
            if isinstance(effect, wire.SetTimer):
                timer = effect
            if isinstance(effect, wire.SendSms):
                texts.append(effect.message["message"].partition(" (")[0])

    def fire(until: float) -> None:
        nonlocal timer
        if timer and timer.timer["when"] < until:
            fired, timer = timer, None
            due = fired.timer["when"]
            message = make_message(type="reasonRunScript", time=due, deviceId="device", timerId=fired.id)
            run(message, due, entry=fired.entry, params=fired.params)

    for at in minutes:
        now = START + at * MINUTE
        fire(now)
        run(make_message({"temperature": 4}, id=f"e{at}", time=now - 5_000), now, params=PARAMS)
    fire(math.inf)
    return texts


def test_a_device_that_sends_in_time_is_left_alone(run_event: RunEvent, make_message: MakeMessage) -> None:
    # Until it stops for good.
    assert play(run_event, make_message, [0, 10, 20, 35]) == ["Room has sent nothing for 15.0 minutes"]


def test_silence_and_return_are_told_once_each(run_event: RunEvent, make_message: MakeMessage) -> None:
    assert play(run_event, make_message, [0, 10, 60, 70, 200, 201]) == [
        "Room has sent nothing for 15.0 minutes",
        "Room sends again, after 50.0 minutes",
        "Room has sent nothing for 15.0 minutes",
        "Room sends again, after 130.0 minutes",
        "Room has sent nothing for 15.0 minutes",
    ]


def test_a_timer_that_fires_twice_tells_once(run_event: RunEvent, make_message: MakeMessage) -> None:
    message = make_message(type="reasonRunScript", time=START, deviceId="device", timerId="silence")
    context: dict[str, Any] = {"entry": "silent", "params": PARAMS | {"heard": START}}
    first = run_event(message, cache={"heard": START, "silent": False}, **context)
    assert first.cache is not None
    assert len(first.effects) == 2
    assert run_event(message, cache=first.cache.value, **context).effects == []


def test_what_was_received_before_sets_no_timer_back(run_event: RunEvent, make_message: MakeMessage) -> None:
    message = make_message({"temperature": 4}, time=START)
    outcome = run_event(message, params=PARAMS, cache={"heard": START + 1, "silent": False})
    assert (outcome.effects, outcome.cache) == ([], None)


def test_readings_of_the_past_are_no_sign_of_life(run_event: RunEvent, make_message: MakeMessage) -> None:
    message = make_message({"temperature": 4}, historical=True)
    assert run_event(message, params=PARAMS).effects == []


def test_a_timeout_of_nothing_fails(run_event: RunEvent, make_message: MakeMessage) -> None:
    outcome = run_event(make_message({"temperature": 4}), params={"timeout": 0})
    assert outcome.failure is not None
    assert "timeout is in seconds" in outcome.failure.message
