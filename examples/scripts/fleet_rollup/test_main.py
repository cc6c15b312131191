"""A fleet whose readings come in any order, against what its last readings say."""

from __future__ import annotations

import random
import statistics
from typing import Any

import pytest

from fulcrum.core import fold
from fulcrum.core.settle import settle
from fulcrum.script import wire
from fulcrum.script.testing import MakeMessage, RunEvent, RunEvents

MINUTE = 60_000


def at_parent(outcomes: list[wire.Outcome]) -> Any:
    """What stands at the parent after all effects, folded as they are stored."""
    registers: fold.Registers = {}
    for number, outcome in enumerate(outcomes):
        for effect in outcome.effects:
            assert isinstance(effect, wire.SetDeviceData)
            assert effect.device_id == "site"
            fold.fold(registers, [((effect.time, f"x{number % 7}"), settle(effect.data))])
    return fold.derive(registers)


@pytest.mark.parametrize("seed", range(5))
def test_the_parent_has_what_the_last_readings_say(
    run_events: RunEvents, make_message: MakeMessage, seed: int
) -> None:
    chance = random.Random(seed)
    readings = [
        (f"room-{chance.randrange(5)}", 1_000 * at + chance.randrange(1_000), chance.uniform(-20, 20))
        for at in range(60)
    ]
    messages = [
        make_message({"temperature": value}, id=f"e{at}", time=time, deviceId=device)
        for at, (device, time, value) in enumerate(readings)
    ]
    # In any order, some of them twice.
    messages += chance.sample(messages, 20)
    chance.shuffle(messages)
    last = {device: value for device, _, value in sorted(readings, key=lambda reading: reading[1])}
    assert at_parent(run_events(messages, params={"parent": "site"})) == {
        "fleet": {
            "temperature": {
                "count": len(last),
                "min": min(last.values()),
                "max": max(last.values()),
                "avg": pytest.approx(statistics.fmean(last.values())),
            }
        }
    }


def test_a_member_that_is_silent_for_long_no_longer_counts(
    run_events: RunEvents, make_message: MakeMessage
) -> None:
    course = [("a", 0, 10), ("b", 30, 20), ("b", 59, 30), ("b", 60, 40), ("a", 61, 50)]
    messages = [
        make_message({"temperature": value}, id=f"e{at}", time=at * MINUTE, deviceId=device)
        for device, at, value in course
    ]
    outcomes = run_events(messages, params={"parent": "site", "goneAfter": 3_600})
    counts = [at_parent([outcome])["fleet"]["temperature"]["count"] for outcome in outcomes]
    assert counts == [1, 2, 2, 1, 2]


def test_each_parent_and_path_stands_by_itself(run_events: RunEvents, make_message: MakeMessage) -> None:
    messages = [
        make_message({"temperature": at, "humidity": 70}, id=f"e{at}", time=at, deviceId=f"r{at}")
        for at in (1, 2)
    ]
    devices = {"r1": {"parentDeviceId": "north"}, "r2": {"parentDeviceId": "south"}}
    first, second = run_events(messages, devices=devices)
    assert [
        effect.device_id
        for effect in (*first.effects, *second.effects)
        if isinstance(effect, wire.SetDeviceData)
    ] == [
        "north",
        "south",
    ]
    cache = second.script_cache
    assert cache is not None
    humid = run_events(messages, devices=devices, params={"path": "humidity"}, script_cache=cache.value)
    kept = humid[-1].script_cache
    assert kept is not None
    assert set(kept.value["fleets"]) == {
        f"{at} {what}" for at in ("north", "south") for what in ("temperature", "humidity")
    }


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({"humidity": 5}, {}),
        ({"temperature": "warm"}, {}),
        ({"temperature": 5}, {"historical": True}),
        # The parent's own readings.
        ({"temperature": 5}, {"deviceId": "site"}),
    ],
)
def test_what_is_no_member_reading_changes_nothing(
    run_event: RunEvent, make_message: MakeMessage, data: Any, fields: dict[str, Any]
) -> None:
    outcome = run_event(make_message(data, **fields), params={"parent": "site"})
    assert (outcome.status, outcome.effects, outcome.script_cache) == ("done", [], None)


def test_a_time_of_nothing_fails(run_event: RunEvent, make_message: MakeMessage) -> None:
    outcome = run_event(make_message({"temperature": 5}), params={"parent": "site", "goneAfter": 0})
    assert outcome.failure is not None
    assert "goneAfter is in seconds" in outcome.failure.message
