"""Whole series of readings, against the standard library's own statistics."""

from __future__ import annotations

import random
import statistics
from typing import Any

import pytest

from fulcrum.script import wire
from fulcrum.script.testing import MakeMessage, RunEvent, RunEvents

MINUTE = 60_000


def added(outcome: wire.Outcome) -> dict[str, float]:
    """The values that the script has added to a reading."""
    assert isinstance(outcome.result, dict)
    return {write["path"]: write["value"] for write in outcome.result["data"][1:]}


def plain(readings: dict[int, float], time: int, window: int) -> dict[str, float]:
    """The same by other means: of readings by time, at one of them."""
    around = {at: value for at, value in readings.items() if time - window < at <= time}
    made = {"temperatureAverage": statistics.fmean(around.values())}
    if len(around) > 1:
        hours = [(at - time) / 3_600_000 for at in around]
        made["temperatureRate"] = statistics.linear_regression(hours, list(around.values())).slope
    return made


def test_a_course_has_the_rates_and_averages_of_its_windows(
    run_events: RunEvents, make_message: MakeMessage
) -> None:
    chance = random.Random(5)
    time, readings = 1_772_366_400_000, {}
    messages = []
    for at in range(200):
        time += chance.randrange(1, 20) * MINUTE
        readings[time] = round(chance.uniform(-20, 40), 2)
        messages.append(make_message({"temperature": readings[time]}, id=f"r{at}", time=time))
    outcomes = run_events(messages, params={"window": 3_600})
    for message, outcome in zip(messages, outcomes, strict=True):
        known = {at: value for at, value in readings.items() if at <= message["time"]}
        assert added(outcome) == pytest.approx(plain(known, message["time"], 60 * MINUTE), abs=1e-9)


def test_late_readings_take_their_place(run_events: RunEvents, make_message: MakeMessage) -> None:
    readings = {at * MINUTE: float(at * at) for at in range(1, 9)}
    messages = [make_message({"temperature": value}, id=f"r{at}", time=at) for at, value in readings.items()]
    mixed = [messages[at] for at in (0, 3, 1, 2, 7, 5, 6, 4)]
    seen: dict[int, float] = {}
    for message, outcome in zip(mixed, run_events(mixed, params={"window": 600}), strict=True):
        seen[message["time"]] = readings[message["time"]]
        assert added(outcome) == pytest.approx(plain(seen, message["time"], 10 * MINUTE))


def test_a_reading_that_comes_again_changes_nothing(run_events: RunEvents, make_message: MakeMessage) -> None:
    messages = [make_message({"temperature": at}, id=f"r{at}", time=at * MINUTE) for at in (1, 2)]
    first, second, again = run_events([*messages, messages[1]])
    assert again.result == second.result
    assert first.result != second.result
    assert again.cache == second.cache


def test_what_is_kept_is_bounded(run_events: RunEvents, make_message: MakeMessage) -> None:
    messages = [make_message({"temperature": 20}, id=f"r{at}", time=at) for at in range(60)]
    outcomes = run_events(messages, params={"samples": 10})
    cache = outcomes[-1].cache
    assert cache is not None
    assert [at for at, _ in cache.value["temperature"]] == list(range(50, 60))


@pytest.mark.parametrize("params", [{"window": 0}, {"per": -1}, {"samples": 1}, {"samples": 5_000}])
def test_params_that_make_no_sense_fail(
    run_event: RunEvent, make_message: MakeMessage, params: dict[str, Any]
) -> None:
    outcome = run_event(make_message({"temperature": 20}), params=params)
    assert outcome.failure is not None
    assert "correct the params of the route" in outcome.failure.message
