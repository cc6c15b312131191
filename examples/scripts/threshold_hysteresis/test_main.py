"""What one event in a file cannot show: a whole course of readings."""

from __future__ import annotations

import pytest

from fulcrum.script import wire
from fulcrum.script.testing import MakeMessage, RunEvent, RunEvents

PARAMS = {"high": 30, "low": 25, "recipients": ["+4712345678"]}


def texts(outcomes: list[wire.Outcome]) -> list[str]:
    """The text messages of all outcomes."""
    effects = [effect for outcome in outcomes for effect in outcome.effects]
    return [effect.message["message"] for effect in effects if isinstance(effect, wire.SendSms)]


def test_each_crossing_is_told_once(run_events: RunEvents, make_message: MakeMessage) -> None:
    course = [20, 29.9, 30, 31, 28, 30.5, 25.1, 25, 24, 29, 30]
    messages = [
        make_message({"temperature": value}, id=f"e{at}", time=1_000 * at) for at, value in enumerate(course)
    ]
    told = texts(run_events(messages, params=PARAMS, device={"name": "Room"}))
    assert [text.partition(" (")[0] for text in told] == [
        "Room: temperature is 30, limit 30",
        "Room: temperature is 25, back to 25 or below",
        "Room: temperature is 30, limit 30",
    ]


def test_an_event_that_comes_again_is_not_told_again(
    run_events: RunEvents, make_message: MakeMessage
) -> None:
    rises = make_message({"temperature": 31}, id="e1", time=1_000)
    falls = make_message({"temperature": 20}, id="e2", time=2_000)
    assert len(texts(run_events([rises, rises, falls, rises, falls], params=PARAMS))) == 2


def test_two_alarms_of_one_device_do_not_meet(run_events: RunEvents, make_message: MakeMessage) -> None:
    message = make_message({"temperature": 31})
    warned = run_events([message], params=PARAMS | {"name": "warm"})[0]
    assert warned.cache is not None
    hot = run_events([message], params=PARAMS | {"name": "hot"}, cache=warned.cache.value)[0]
    assert hot.cache is not None
    assert set(hot.cache.value) == {"warm", "hot"}


@pytest.mark.parametrize("low", [1, 2])
def test_limits_the_wrong_way_round_fail(run_event: RunEvent, make_message: MakeMessage, low: int) -> None:
    outcome = run_event(make_message({"temperature": 31}), params={"high": 1, "low": low})
    assert outcome.failure is not None
    assert outcome.failure.message == f"low ({low}) is not below high (1): correct the params of the route"


def test_one_recipient_may_be_a_text(run_event: RunEvent, make_message: MakeMessage) -> None:
    (_, sent) = run_event(
        make_message({"temperature": 31}), params=PARAMS | {"recipients": "+4712345678"}
    ).effects
    assert isinstance(sent, wire.SendSms)
    assert sent.message["recipients"] == ["+4712345678"]


def test_readings_of_the_past_are_passed_over(run_event: RunEvent, make_message: MakeMessage) -> None:
    outcome = run_event(make_message({"temperature": 31}, historical=True), params=PARAMS)
    assert (outcome.effects, outcome.cache) == ([], None)
