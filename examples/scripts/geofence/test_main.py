"""A whole way, and fences at odd places of the earth."""

from __future__ import annotations

from typing import Any

import pytest

from fulcrum.script import wire
from fulcrum.script.testing import MakeMessage, RunEvent, RunEvents

YARD = {"name": "yard", "lat": 0, "lon": 0, "radius": 1_000}
PHONE = ["+4712345678"]
# Metres of a degree along the equator or a meridian.
DEGREE = 111_195.08


def inside(outcome: wire.Outcome) -> Any:
    """Where the device is after an event, as it is kept for the next."""
    return None if outcome.cache is None else next(iter(outcome.cache.value.values()))["inside"]


def test_a_way_in_and_out_is_told_once_each(run_events: RunEvents, make_message: MakeMessage) -> None:
    metres = [5_000, 1_010, 990, 1_010, 1_040, 990, 1_060, 5_000]
    messages = [
        make_message({"position": {"lat": at / DEGREE, "lon": 0}}, id=f"p{step}", time=step)
        for step, at in enumerate(metres, 1)
    ]
    outcomes = run_events(messages, params={"fence": YARD, "margin": 50, "recipients": PHONE})
    sent = [
        (step, effect.message["message"].partition(" at ")[0])
        for step, outcome in enumerate(outcomes)
        for effect in outcome.effects
        if isinstance(effect, wire.SendSms)
    ]
    assert sent == [(2, "device has entered yard"), (6, "device has left yard")]


def test_positions_that_come_late_or_again_are_passed_over(
    run_events: RunEvents, make_message: MakeMessage
) -> None:
    home = make_message({"position": {"lat": 0, "lon": 0}}, id="p2", time=2_000)
    away = make_message({"position": {"lat": 9, "lon": 0}}, id="p1", time=1_000)
    outcomes = run_events([home, away, home], params={"fence": YARD, "recipients": PHONE})
    assert [inside(outcome) for outcome in outcomes] == [True, None, None]


@pytest.mark.parametrize(
    ("corners", "lat", "lon", "expected"),
    [
        # A square, its edge and its corner.
        ([[0, 0], [0, 2], [2, 2], [2, 0]], 1, 1, True),
        ([[0, 0], [0, 2], [2, 2], [2, 0]], 1, 2, True),
        ([[0, 0], [0, 2], [2, 2], [2, 0]], 2, 2, True),
        ([[0, 0], [0, 2], [2, 2], [2, 0]], 1, 2.001, False),
        # The other way round, and closed.
        ([[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]], 1, 1, True),
        # A U, between its arms.
        ([[0, 0], [0, 3], [3, 3], [3, 2], [1, 2], [1, 1], [3, 1], [3, 0]], 2, 1.5, False),
        ([[0, 0], [0, 3], [3, 3], [3, 2], [1, 2], [1, 1], [3, 1], [3, 0]], 2, 2.5, True),
        # Level with corners of it.
        ([[0, 0], [1, 1], [2, 0], [1, -1]], 1, 0, True),
        ([[0, 0], [1, 1], [2, 0], [1, -1]], 0, -1, False),
        # Across the 180th meridian, from both sides.
        ([[-1, 179], [-1, -179], [1, -179], [1, 179]], 0, 179.5, True),
        ([[-1, 179], [-1, -179], [1, -179], [1, 179]], 0, -179.5, True),
        ([[-1, 179], [-1, -179], [1, -179], [1, 179]], 0, 178.5, False),
        ([[-1, 179], [-1, -179], [1, -179], [1, 179]], 0, 0, False),
        ([[-1, -179], [1, -179], [1, 179], [-1, 179]], 0, 1, False),
    ],
)
def test_polygons(
    run_event: RunEvent, make_message: MakeMessage, corners: Any, lat: float, lon: float, expected: bool
) -> None:
    message = make_message({"position": {"lat": lat, "lon": lon}})
    assert inside(run_event(message, params={"fence": {"polygon": corners}})) is expected


def test_a_circle_lies_across_the_180th_meridian_too(run_event: RunEvent, make_message: MakeMessage) -> None:
    fence = {"lat": 0, "lon": 179.999, "radius": 1_000}
    message = make_message({"position": {"lat": 0, "lon": -179.999}})
    assert inside(run_event(message, params={"fence": fence})) is True


@pytest.mark.parametrize("value", [5, "home", {"lat": 1}, {"lat": True, "lon": 1}, {"lat": "1", "lon": 2}])
def test_what_is_no_position_changes_nothing(
    run_event: RunEvent, make_message: MakeMessage, value: Any
) -> None:
    outcome = run_event(make_message({"position": value}), params={"fence": YARD})
    assert (outcome.status, outcome.effects, outcome.cache) == ("done", [], None)
    assert [line.level for line in outcome.logs] == ["error"]


@pytest.mark.parametrize(
    "fence", ["yard", {}, {"polygon": [[1, 2], [3, 4]]}, {"polygon": [[1, 2], 5, [3, 4]]}]
)
def test_a_faulty_fence_is_no_event_lost(run_event: RunEvent, make_message: MakeMessage, fence: Any) -> None:
    outcome = run_event(make_message({"position": {"lat": 0, "lon": 0}}), params={"fence": fence})
    assert outcome.failure is not None
    assert "params of the route" in outcome.failure.message


def test_positions_of_the_past_are_passed_over(run_event: RunEvent, make_message: MakeMessage) -> None:
    message = make_message({"position": {"lat": 0, "lon": 0}}, historical=True)
    outcome = run_event(message, params={"fence": YARD})
    assert (outcome.effects, outcome.cache) == ([], None)


def test_two_fences_of_one_device_do_not_meet(run_event: RunEvent, make_message: MakeMessage) -> None:
    message = make_message({"position": {"lat": 0, "lon": 0}})
    first = run_event(message, params={"fence": YARD})
    assert first.cache is not None
    other = run_event(message, params={"fence": {**YARD, "name": "town"}}, cache=first.cache.value)
    assert other.cache is not None
    assert set(other.cache.value) == {"yard", "town"}


@pytest.mark.parametrize(("metres", "expected"), [(39, True), (41, False)])
def test_the_margin_of_a_polygon_is_in_metres_far_from_the_equator(
    run_events: RunEvents, make_message: MakeMessage, metres: float, expected: bool
) -> None:
    # At 60 degrees a degree of longitude is half as long.
    fence = {"name": "yard", "polygon": [[59.9, 10.0], [59.9, 10.1], [60.1, 10.1], [60.1, 10.0]]}
    course = [10.05, 10.1 + metres / (DEGREE / 2)]
    messages = [
        make_message({"position": {"lat": 60, "lon": lon}}, id=f"p{at}", time=at)
        for at, lon in enumerate(course, 1)
    ]
    outcomes = run_events(messages, params={"fence": fence, "margin": 40})
    assert (inside(outcomes[1]) is None) is expected
