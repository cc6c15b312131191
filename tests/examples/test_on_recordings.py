"""The examples against independent, plain computations: on made courses, and on recordings of real devices.

The recordings are no part of this repository; where they lie beside it, in ``../shared/data``, they are used.
"""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections.abc import Callable
from typing import Any

import pytest

from fulcrum.script import wire
from tests.examples import courses
from tests.examples.courses import Course, Reading

PHONE = ["+4712345678"]
MINUTE = 60_000


def made(seed: int, path: str, count: int = 400) -> list[Reading]:
    """A value that wanders about, with gaps."""
    chance = random.Random(seed)
    time, value, readings = 1_772_366_400_000, 50.0, []
    for _ in range(count):
        time += chance.choice([1, 2, 5, 5, 5, 60]) * MINUTE
        value += chance.gauss(0, 6) + (50 - value) * 0.1
        readings.append(("made", time, {path: round(value, 3)}))
    return readings


def recording(name: str) -> Any:
    """A case that reads a recording, where there are any."""
    return pytest.param(lambda path: courses.sensor(name, path), id=name, marks=courses.recorded)


Source = Callable[[str], list[Reading]]
MADE = [pytest.param(lambda path, seed=seed: made(seed, path), id=f"made-{seed}") for seed in range(3)]


@pytest.mark.parametrize(
    "source",
    [
        *MADE,
        recording("machine_temperature_system_failure"),
        recording("ambient_temperature_system_failure"),
        recording("speed_6005"),
    ],
)
def test_threshold_tells_of_each_crossing(source: Source) -> None:
    readings = source("temperature")
    values = [data["temperature"] for _, _, data in readings]
    low, high = statistics.quantiles(values, n=10)[2], statistics.quantiles(values, n=10)[7]
    course = Course("threshold_hysteresis", {"low": low, "high": high, "recipients": PHONE}).run(readings)
    # Plainly: of the readings at a limit or beyond it, those that are on another side than the one before.
    beyond = [
        (time, value >= high)
        for (_, time, _), value in zip(readings, values, strict=True)
        if not low < value < high
    ]
    expected, before = [], False
    for time, is_high in beyond:
        if is_high is not before:
            expected.append((readings[0][0], time, is_high))
        before = is_high
    assert course.data("alarms/temperature/active") == expected
    assert len(course.texts()) == len(expected) > 4


@pytest.mark.parametrize(
    "source",
    [*MADE, recording("ambient_temperature_system_failure"), recording("TravelTime_387")],
)
def test_rate_and_average_are_those_of_the_window(source: Source) -> None:
    readings = source("value")
    window = 4 * 3600
    course = Course("rate_of_change", {"path": "value", "window": window}).run(readings)
    assert len(course.outcomes) == len(readings)
    rates = 0
    for at, outcome in enumerate(course.outcomes):
        time = readings[at][1]
        # One value a time, the last that came.
        around = {
            when: data["value"]
            for _, when, data in readings[max(0, at - 400) : at + 1]
            if when > time - 1000 * window
        }
        assert isinstance(outcome.result, dict)
        got = {write["path"]: write["value"] for write in outcome.result["data"]}
        assert got["valueAverage"] == pytest.approx(statistics.fmean(around.values()))
        if len(around) > 1:
            hours = [(when - time) / 3_600_000 for when in around]
            slope = statistics.linear_regression(hours, list(around.values())).slope
            assert got["valueRate"] == pytest.approx(slope, abs=1e-6)
            rates += 1
    assert rates > len(readings) / 2


@pytest.mark.parametrize(
    "source",
    [
        *MADE,
        recording("ambient_temperature_system_failure"),
        recording("occupancy_t4013"),
        recording("speed_6005"),
    ],
)
def test_watchdog_tells_of_each_gap(source: Source) -> None:
    readings = source("value")
    times = [time for _, time, _ in readings]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    timeout = max(2 * int(statistics.median(gaps)), MINUTE)
    course = Course("watchdog", {"timeout": timeout / 1000, "recipients": PHONE}).run(readings)
    course.end(times[-1] + 10 * timeout)
    expected: list[tuple[str, int, bool]] = []
    for before, after in zip(times, [*times[1:], None], strict=True):
        if after is None or after - before > timeout:
            expected.append((readings[0][0], before + timeout, True))
            if after is not None:
                expected.append((readings[0][0], after, False))
    assert course.data("watchdog/silent") == expected
    assert len(course.texts()) == len(expected) > 2


def wandering(seed: int) -> list[Reading]:
    """People who walk about a place, with positions that tremble."""
    chance = random.Random(seed)
    readings = []
    for tracker in ("a", "b", "c"):
        north = east = 0.0
        for step in range(300):
            north, east = north + chance.gauss(0, 30) - north * 0.02, east + chance.gauss(0, 30) - east * 0.02
            lat, lon = 39.98 + north / 111_195, 116.32 + east / (111_195 * math.cos(math.radians(39.98)))
            position = {"lat": round(lat, 6), "lon": round(lon, 6)}
            readings.append((tracker, 1_772_366_400_000 + step * 5_000, {"position": position}))
    return sorted(readings, key=lambda reading: reading[1])


def chord(one: dict[str, float], other: dict[str, float]) -> float:
    """Metres along a great circle, by the angle between vectors and no haversine."""
    vectors = []
    for point in (one, other):
        lat, lon = math.radians(point["lat"]), math.radians(point["lon"])
        vectors.append((math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)))
    return 2 * 6_371_008.8 * math.asin(math.dist(*vectors) / 2)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(lambda: wandering(1), id="made-1"),
        pytest.param(lambda: wandering(2), id="made-2"),
        pytest.param(courses.tracks, id="tracks", marks=courses.recorded),
    ],
)
@pytest.mark.parametrize("shape", ["circle", "box"])
def test_geofence_tells_of_each_entering_and_leaving(source: Callable[[], list[Reading]], shape: str) -> None:
    readings = source()
    points = [data["position"] for _, _, data in readings]
    centre = {axis: statistics.median(point[axis] for point in points) for axis in ("lat", "lon")}
    half = {axis: statistics.stdev(point[axis] for point in points) / 2 for axis in ("lat", "lon")}
    radius = statistics.median(chord(point, centre) for point in points)
    if shape == "circle":
        fence: dict[str, Any] = {"name": "place", **centre, "radius": radius}
    else:
        corners = [(-1, -1), (-1, 1), (1, 1), (1, -1)]
        fence = {
            "name": "place",
            "polygon": [
                [centre["lat"] + y * half["lat"], centre["lon"] + x * half["lon"]] for y, x in corners
            ],
        }

    def is_in(point: dict[str, float]) -> bool:
        if shape == "circle":
            return chord(point, centre) <= radius
        return all(abs(point[axis] - centre[axis]) <= half[axis] for axis in ("lat", "lon"))

    course = Course("geofence", {"fence": fence, "recipients": PHONE}).run(readings)
    expected, last, told = [], dict[str, bool](), 0
    for device, time, data in readings:
        inside = is_in(data["position"])
        if last.get(device) is not inside:
            expected.append((device, time, inside))
            told += device in last
        last[device] = inside
    assert course.data("fences/place/inside") == expected
    assert len(course.texts()) == told > 4


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(None, id="made"),
        pytest.param(("speed_6005", "speed_7578", "speed_t4013"), id="speeds", marks=courses.recorded),
    ],
)
def test_rollup_is_that_of_the_last_readings(names: tuple[str, ...] | None) -> None:
    if names is None:
        fleet = [(f"m{seed}", time, data) for seed in range(4) for _, time, data in made(seed, "speed", 150)]
    else:
        fleet = [reading for name in names for reading in courses.sensor(name, "speed")]
    fleet.sort(key=lambda reading: reading[1])
    gone = 3_600_000
    course = Course("fleet_rollup", {"path": "speed", "parent": "road", "goneAfter": gone / 1000}).run(fleet)
    last: dict[str, tuple[int, float]] = {}
    compared = 0
    for (device, time, data), outcome in zip(fleet, course.outcomes, strict=True):
        if device in last and time <= last[device][0]:
            assert outcome.effects == []
            continue
        last[device] = (time, data["speed"])
        values = [value for at, value in last.values() if at > time - gone]
        (effect,) = outcome.effects
        assert isinstance(effect, wire.SetDeviceData)
        assert effect.device_id == "road"
        assert effect.data[0].value == {
            "count": len(values),
            "min": min(values),
            "max": max(values),
            "avg": pytest.approx(statistics.fmean(values)),
        }
        compared += len(values) > 1
    assert compared > 100
