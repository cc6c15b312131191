"""When timers fire: against other libraries, through both changes of daylight saving, where no sun rises."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import Any
from zoneinfo import ZoneInfo

import ephem
import pytest
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st

from shared import solar, timer_times
from shared.errors import Rejected

START = 1_790_000_000_123
MINUTE, DAY = 60_000, 86_400_000
PLACES = [
    *((59.9, 10.7), (0.0, 0.0), (-33.9, 18.4), (40.7, -74.0), (51.5, -0.1), (-41.3, 174.8), (35.7, 139.7)),
    *((1.35, 103.8), (19.4, -99.1), (-34.6, -58.4), (64.1, -21.9), (69.6, 18.9), (-54.8, -68.3)),
    *((21.3, -157.9), (52.5, 13.4), (-12.0, -77.0), (28.6, 77.2), (55.7, 37.6), (-77.8, 166.7), (65.0, 25.5)),
]


def _times(definition: dict[str, Any], since: int, count: int) -> list[int]:
    return list(islice(_walk(definition, since), count))


def _walk(definition: dict[str, Any], since: int) -> Iterator[int]:
    when = timer_times.parse(definition)
    at: int | None = since
    while at is not None:
        at = timer_times.following(when, since, at)
        if at is not None:
            yield at


def _ms(text: str, zone: str = "UTC") -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def test_once_is_at_an_instant_or_after_a_delay_and_then_never() -> None:
    for definition, at in (({"delay": 5_000}, START + 5_000), ({"when": START + 7}, START + 7)):
        when = timer_times.parse({"type": "once", **definition})
        assert timer_times.first(when, START) == at
        assert timer_times.following(when, START, at) is None
    past = timer_times.parse({"type": "once", "when": START - 1})
    assert timer_times.first(past, START) is None


def test_repeating_keeps_to_its_grid_however_late_it_fires() -> None:
    when = timer_times.parse({"type": "repeating", "delay": 60_000})
    assert timer_times.first(when, START) == START + 60_000
    assert timer_times.following(when, START, START + 60_000) == START + 120_000
    assert timer_times.following(when, START, START + 190_000) == START + 240_000
    at_once = timer_times.parse({"type": "repeating", "delay": 60_000, "runImmediately": True})
    assert timer_times.first(at_once, START) == START
    assert timer_times.following(at_once, START, START) == START + 60_000


@pytest.mark.parametrize(
    "cron",
    [
        "0 6 * * 1-5",
        "*/15 8-18/2 * * *",
        "30 2 1,15 * *",
        "0 0 29 2 *",
        "5/20 * * jan,jul sun",
        "59 23 31 * *",
    ],
)
def test_cron_times_are_another_librarys_over_five_years(cron: str) -> None:
    since, until = _ms("2026-01-01T00:00:00"), _ms("2031-01-01T00:00:00")
    found: list[int] = []
    for at in _walk({"type": "scheduled", "cron": cron}, since):
        if at >= until or len(found) == 5_000:
            break
        found.append(at)
    named = cron.replace("5/20", "5-59/20")
    other = croniter(named, datetime.fromtimestamp(since / 1000, UTC))
    assert found == [round(other.get_next(float) * 1000) for _ in found]
    assert found[0] > since


# Both halves of the world; a change of half an hour, some at midnight, none at all.
ZONES = [
    *("Europe/Oslo", "America/New_York", "America/Santiago", "Australia/Lord_Howe"),
    *("Pacific/Auckland", "Africa/Cairo", "America/St_Johns", "Asia/Kolkata"),
]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "cron", ["30 2 * * *", "0 0 * * *", "15,45 0-3 * * sun", "*/30 0-3 * * sun", "0 * * 3,4,9-11 fri,sun"]
)
def test_cron_times_of_a_zone_are_another_librarys_over_five_years(zone: str, cron: str) -> None:
    begin, end = datetime(2026, 1, 1), datetime(2031, 1, 1)
    since, until = _ms(begin.isoformat(), zone), _ms(end.isoformat(), zone)
    found = list(
        takewhile(lambda at: at < until, _walk({"type": "scheduled", "cron": cron, "timezone": zone}, since))
    )
    assert found == [at for at in _by_croniter(cron, begin, end, zone) if since < at < until]
    assert len(found) > 1_000
    # With and without the changes: as far apart as the clocks are moved.
    offsets = {datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).utcoffset() for at in found}
    assert len(offsets) == (1 if zone == "Asia/Kolkata" else 2)


def _by_croniter(cron: str, begin: datetime, end: datetime, zone: str) -> list[int]:
    """The times of an expression: what croniter finds on a clock without changes, as the zone has it."""
    follows = any(field.startswith("*") for field in cron.split()[:2])
    shown = croniter(cron, begin - timedelta(minutes=1))
    found: set[int] = set()
    while (wall := shown.get_next(datetime)) < end:
        first, second = (wall.replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() for fold in (0, 1))
        if _wall(first, zone) != wall:
            # The clocks leave it out. The change is where they show what they showed before it, and no more.
            if not follows:
                found.add(_change(second, first, zone))
            continue
        found.add(round(first * 1000))
        if follows:
            found.add(round(second * 1000))
    return sorted(found)


def _wall(instant: float, zone: str) -> datetime:
    return datetime.fromtimestamp(instant, ZoneInfo(zone)).replace(tzinfo=None)


def _change(before: float, after: float, zone: str) -> int:
    """The minute between two instants at which a zone's clocks are changed; epoch ms."""
    offset = datetime.fromtimestamp(before, ZoneInfo(zone)).utcoffset()
    at = before
    while datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset() == offset:
        assert at <= after
        at += 60
    return round(at * 1000)


@given(
    minute=st.sampled_from(["0", "30", "*/7", "1-3"]),
    hour=st.sampled_from(["0", "12", "*/5", "22-23"]),
    day=st.sampled_from(["*", "1", "28-31"]),
    month=st.sampled_from(["*", "2", "6-8"]),
    zone=st.sampled_from(["UTC", "Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
    since=st.integers(_ms("2026-01-01T00:00:00"), _ms("2031-01-01T00:00:00")),
)
def test_a_cron_time_is_what_the_clocks_show_and_none_is_left_out(
    minute: str, hour: str, day: str, month: str, zone: str, since: int
) -> None:
    definition = {"type": "scheduled", "cron": f"{minute} {hour} {day} {month} *", "timezone": zone}
    (at,) = _times(definition, since, 1)
    assert at > since
    local = datetime.fromtimestamp(at / 1000, ZoneInfo(zone))
    expression = definition["cron"]
    # No change of the clocks is near: at those the two libraries decide differently.
    if (
        local.utcoffset()
        == (local - timedelta(days=2)).utcoffset()
        == (local + timedelta(days=1)).utcoffset()
    ):
        assert croniter.match(expression, local)
    begin = datetime.fromtimestamp(since / 1000, UTC)
    other = croniter(expression, begin.astimezone(ZoneInfo(zone))).get_next(float) * 1000
    assert abs(other - at) <= 2 * 3_600_000


def test_where_the_clocks_go_forward_a_time_left_out_is_the_instant_of_the_change() -> None:
    oslo = {"type": "scheduled", "timezone": "Europe/Oslo"}
    since = _ms("2027-03-27T12:00", "Europe/Oslo")
    change = _ms("2027-03-28T01:00")
    assert _times({**oslo, "cron": "30 2 * * *"}, since, 2) == [
        change,
        _ms("2027-03-29T02:30", "Europe/Oslo"),
    ]
    # Two that are left out are one.
    assert _times({**oslo, "cron": "15,30 2 * * *"}, since, 1) == [change]
    assert _times({**oslo, "cron": "15,30 2 * * *"}, change, 1) == [_ms("2027-03-29T02:15", "Europe/Oslo")]
    # One that follows the clocks leaves out what they leave out.
    shown = _times({**oslo, "cron": "*/30 * * * *"}, change - 31 * MINUTE, 3)
    assert shown == [change - 30 * MINUTE, change, change + 30 * MINUTE]


def test_where_the_clocks_go_back_a_time_that_comes_twice_counts_the_first_time() -> None:
    oslo = {"type": "scheduled", "timezone": "Europe/Oslo"}
    since = _ms("2027-10-30T12:00", "Europe/Oslo")
    first = _ms("2027-10-31T00:30")
    tomorrow = _ms("2027-11-01T02:30", "Europe/Oslo")
    assert _times({**oslo, "cron": "30 2 * * *"}, since, 2) == [first, tomorrow]
    # Started in the hour that comes the second time, or just before it: not once more.
    for late in (first + 1, first + 45 * MINUTE, first + 60 * MINUTE, first + 70 * MINUTE):
        assert _times({**oslo, "cron": "30 2 * * *"}, late, 1) == [tomorrow]
    hours = _times({**oslo, "cron": "0 * * * *"}, first, 3)
    assert hours == [first + 30 * MINUTE, first + 90 * MINUTE, first + 150 * MINUTE]


def test_a_change_of_half_an_hour_and_one_by_a_day_are_survived() -> None:
    lord_howe = {"type": "scheduled", "timezone": "Australia/Lord_Howe", "cron": "15 2 * * *"}
    around = _times(lord_howe, _ms("2027-09-30T00:00"), 6)
    assert all(DAY - 31 * MINUTE <= b - a <= DAY + 31 * MINUTE for a, b in pairwise(around))
    # Samoa had no 30 December 2011.
    samoa = {"type": "scheduled", "timezone": "Pacific/Apia", "cron": "0 12 * * *"}
    assert len(_times(samoa, _ms("2011-12-28T00:00"), 4)) == 4


@pytest.mark.parametrize(("latitude", "longitude"), PLACES)
def test_the_sun_rises_and_sets_when_another_library_says(latitude: float, longitude: float) -> None:
    allowed = 60.0 if abs(latitude) < 60 else 600.0
    compared = 0
    for number in range(0, 366, 3):
        day = date(2026, 1, 1) + timedelta(days=number)
        for rise in (True, False):
            found = solar.sun_time(day, latitude, longitude, rise=rise)
            other = _by_ephem(day, latitude, longitude, rise)
            if found is None or other is None:
                # They may differ on the very days on which the sun grazes the horizon.
                assert found is other or abs(latitude) > 60, (day, rise)
                continue
            assert abs((found - other).total_seconds()) < allowed, (day, rise, found, other)
            compared += 1
    assert compared > (200 if abs(latitude) < 60 else 70)


def _by_ephem(day: date, latitude: float, longitude: float, rise: bool) -> datetime | None:
    observer = ephem.Observer()
    observer.lat, observer.lon, observer.pressure, observer.horizon = (
        str(latitude),
        str(longitude),
        0,
        "-0:50",
    )
    midnight = datetime(day.year, day.month, day.day) - timedelta(hours=longitude / 15)
    observer.date = midnight if rise else midnight + timedelta(hours=12)
    find = observer.next_rising if rise else observer.next_setting
    try:
        found: datetime = find(ephem.Sun(), use_center=True).datetime()
    except (ephem.AlwaysUpError, ephem.NeverUpError):
        return None
    if found - midnight > timedelta(hours=12 if rise else 24):
        return None
    return found.replace(tzinfo=UTC)


def test_days_without_sunrise_are_passed_over() -> None:
    tromso = {"type": "solar", "latitude": 69.65, "longitude": 18.96}
    rises = _times(tromso, _ms("2026-11-20T00:00"), 20)
    gap = max(pairwise(rises), key=lambda pair: pair[1] - pair[0])
    dark = [datetime.fromtimestamp(at / 1000, UTC) for at in gap]
    assert (dark[0].month, dark[1].month) == (11, 1)
    assert _times({**tromso, "fromSunrise": False}, _ms("2026-05-10T00:00"), 30)[-1] > _ms("2026-07-20T00:00")
    # Nowhere on 21 December at 80 degrees north: given up, not searched for ever.
    assert _times({**tromso, "latitude": 80, "cron": "0 0 21 12 *"}, _ms("2026-01-01T00:00"), 1) == []


def test_solar_days_are_those_of_the_place_and_the_offset_moves_the_instant() -> None:
    auckland = {"type": "solar", "latitude": -36.8, "longitude": 174.8, "cron": "0 0 * * mon"}
    (rise,) = _times(auckland, _ms("2026-06-13T00:00"), 1)
    # Monday there, Sunday still in UTC.
    assert datetime.fromtimestamp(rise / 1000, ZoneInfo("Pacific/Auckland")).weekday() == 0
    assert datetime.fromtimestamp(rise / 1000, UTC).weekday() == 6
    for offset in (-DAY, -MINUTE, MINUTE, DAY):
        moved = _times({**auckland, "offset": offset}, rise + offset - 1, 1)
        assert moved == [rise + offset]
    assert len(set(_times({**auckland, "cron": "30 5 * * *"}, rise, 400))) == 400


@pytest.mark.parametrize(
    "definition",
    [
        {},
        {"type": "never"},
        {"type": "once"},
        {"type": "once", "delay": 5_000, "when": 5},
        {"type": "once", "delay": 999},
        {"type": "once", "delay": "5000"},
        {"type": "repeating", "delay": 0},
        {"type": "repeating", "delay": 11 * 366 * DAY},
        {"type": "scheduled", "cron": "* * *"},
        {"type": "scheduled", "cron": "0 0 31 2 *"},
        {"type": "scheduled", "cron": "0 0 * * *", "timezone": "Mars/Olympus"},
        {"type": "scheduled", "cron": "0 0 * * *", "timezone": "../etc/passwd"},
        {"type": "solar", "latitude": 91, "longitude": 0},
        {"type": "solar", "latitude": 1, "longitude": 0, "cron": "x"},
    ],
)
def test_what_is_no_timer_is_refused(definition: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as caught:
        timer_times.parse(definition)
    assert caught.value.error_type == "timer.invalid"
