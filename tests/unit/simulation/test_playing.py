"""What a scenario makes of a span of time: values, faults, and the same again whatever it is cut into."""

from __future__ import annotations

import hashlib
import itertools
import json
import subprocess
import sys
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fulcrum.core.errors import Rejected
from fulcrum.simulation import sphere
from fulcrum.simulation.playing import Event, Play, Segment, key_of, run_id
from fulcrum.simulation.scenario import parse, text_of
from local.processes import ROOT

START = 1_790_000_000_000
KEY = key_of(7, "d1")
HOUR = 3_600_000


def play(*tracks: dict[str, Any], duration: int = HOUR, **more: Any) -> Play:
    return Play(parse(json.dumps({"duration": duration, "tracks": list(tracks), **more})))


def track(*frames: dict[str, Any], path: str = "a", **more: Any) -> dict[str, Any]:
    return {"path": path, "frames": list(frames), **more}


def events(one: Play, span: int = HOUR + 1, key: bytes = KEY, start: int = 0) -> list[Event]:
    return one.events(key, [Segment("run", START, 0)], START + start, START + start + span)


def values(one: Play, path: str = "a", **more: Any) -> list[tuple[int, Any]]:
    return [(e.position, v) for e in events(one, **more) for p, v in e.writes if p == path]


def test_steps_are_sent_once_and_again_where_they_say_how_often() -> None:
    one = play(
        track(
            {"t": 0, "value": "on"}, {"t": 10_000, "value": [1], "every": 4_000}, {"t": 20_000, "value": None}
        ),
        duration=30_000,
    )
    assert values(one) == [(0, "on"), (10_000, [1]), (14_000, [1]), (18_000, [1]), (20_000, None)]


def test_linear_and_sine_go_from_frame_to_frame() -> None:
    line = track({"t": 0, "value": 0, "interp": "linear", "every": 1_000}, {"t": 4_000, "value": 8})
    assert values(play(line, duration=5_000)) == [(0, 0), (1000, 2), (2000, 4), (3000, 6), (4000, 8)]
    wave = track({"t": 0, "value": 0, "interp": "sine", "every": 1_000}, {"t": 4_000, "value": 8})
    assert [v for _, v in values(play(wave, duration=5_000))] == [0, 1.17157288, 4, 6.82842712, 8]


def test_noise_has_the_spread_that_it_says_and_keeps_within_limits() -> None:
    frame = {"t": 0, "value": 10, "interp": "noise", "every": 1_000, "spread": 2}
    drawn = [v for _, v in values(play(track(frame)))]
    assert len(drawn) == 3_601
    assert abs(fmean(drawn) - 10) < 0.2
    assert abs(pstdev(drawn) - 2) < 0.15
    held = [v for _, v in values(play(track(frame, min=9, max=11, decimals=1)))]
    assert min(held) == 9
    assert max(held) == 11
    assert all(round(v, 1) == v for v in held)


def test_random_draws_between_two_frames() -> None:
    frame = {"t": 0, "value": 2, "interp": "random", "every": 1_000}
    drawn = [v for _, v in values(play(track(frame, {"t": HOUR, "value": 4})))][:-1]
    assert 2 <= min(drawn) < 2.05
    assert 3.95 < max(drawn) <= 4


def test_a_walk_goes_by_steps_of_its_spread_and_ends_at_its_end() -> None:
    frame = {"t": 0, "value": 5, "interp": "walk", "every": 1_000, "spread": 0.5}
    drawn = [v for _, v in values(play(track(frame, {"t": 2_000_000, "value": 7})))]
    steps = [b - a for a, b in itertools.pairwise(drawn)]
    assert (drawn[0], drawn[-1]) == (5, 7)
    assert abs(pstdev(steps) - 0.5) < 0.03
    assert pstdev(drawn) > 2
    free = [v for _, v in values(play(track(frame)))]
    assert abs(pstdev([b - a for a, b in itertools.pairwise(free)]) - 0.5) < 0.03


def test_tracks_with_their_own_frequency_meet_in_one_event() -> None:
    one = play(
        track({"t": 0, "value": 1, "interp": "noise", "every": 2_000, "spread": 0}),
        track({"t": 0, "value": 2, "interp": "noise", "every": 3_000, "spread": 0}, path="b"),
        duration=6_000,
    )
    assert [(e.position, [p for p, _ in e.writes]) for e in events(one)] == [
        (0, ["a", "b"]), (2000, ["a"]), (3000, ["b"]), (4000, ["a"]), (6000, ["a", "b"]),
    ]  # fmt: skip


def test_a_loop_begins_again_and_what_does_not_loop_ends() -> None:
    frames = ({"t": 0, "value": 1}, {"t": 2_000, "value": 2}, {"t": 3_000, "value": 3})
    assert values(play(track(*frames), duration=3_000), span=9_000) == [(0, 1), (2000, 2), (3000, 3)]
    looped = play(track(*frames), duration=3_000, loop=True)
    assert values(looped, span=6_001) == [(0, 1), (2000, 2), (3000, 1), (5000, 2), (6000, 1)]
    assert looped.ends() is None
    noise = track({"t": 0, "value": 1, "interp": "noise", "every": 1_000, "spread": 1})
    rounds = [v for _, v in values(play(noise, duration=2_000, loop=True), span=20_000)]
    assert len(set(rounds)) == 20


def test_a_line_is_followed_at_its_speed() -> None:
    points = [
        {"lat": 59.91, "lon": 10.75},
        {"lat": 59.95, "lon": 10.75, "halt": 20_000},
        {"lat": 59.95, "lon": 10.9},
    ]
    line = {
        "points": points, "speed": 20, "every": 1_000,
        "headingPath": "heading", "speedPath": "speed", "distancePath": "way",
    }  # fmt: skip
    one = play({"path": "position", "line": line}, duration=900_000)
    places = [dict(e.writes) for e in events(one)]
    north = sphere.distance(59.91, 10.75, 59.95, 10.75)
    east = sphere.distance(59.95, 10.75, 59.95, 10.9)
    # A degree of latitude is 111.195 km on a sphere of the mean radius.
    assert abs(north - 0.04 * 111_195) < 1
    first, hundredth = places[0], places[100]
    assert first["position"] == {"lat": 59.91, "lon": 10.75}
    assert (first["heading"], first["speed"], hundredth["way"]) == (0, 20, 2000)
    gone = sphere.distance(59.91, 10.75, hundredth["position"]["lat"], hundredth["position"]["lon"])
    assert abs(gone - 2_000) < 0.1
    standing = [place for place in places if place["speed"] == 0 and place["way"] == round(north, 1)]
    assert len(standing) == 20
    turned = places[int(north / 20) + 30]
    assert 89 < turned["heading"] < 91
    assert places[-1]["position"] == {"lat": 59.95, "lon": 10.9}
    assert abs(places[-1]["way"] - north - east) < 0.1


@pytest.mark.parametrize(("at_end", "after"), [("stay", 1.0), ("back", 0.5), ("again", 0.5)])
def test_at_the_end_of_its_line_a_device_does_as_it_is_told(at_end: str, after: float) -> None:
    points = [{"lat": 0, "lon": 179.99}, {"lat": 0, "lon": -179.99}]
    length = sphere.distance(0, 179.99, 0, -179.99)
    line = {"points": points, "speed": length / 100, "every": 50_000, "atEnd": at_end, "distancePath": "way"}
    places = [dict(e.writes) for e in events(play({"path": "p", "line": line}, duration=200_000))]
    # Over the date line, the short way.
    assert abs(length - 2_223.9) < 1
    assert abs(abs(places[1]["p"]["lon"]) - 180) < 1e-6
    lon = places[3]["p"]["lon"]
    assert abs((lon % 360) - (179.99 + 0.02 * after)) < 1e-6
    assert abs(places[3]["way"] - (length if at_end == "stay" else 1.5 * length)) < 0.1


def test_a_device_halts_once_where_it_turns_back() -> None:
    points = [{"lat": 0, "lon": 0, "halt": 20_000}, {"lat": 0, "lon": 0.01, "halt": 40_000}]
    line = {"points": points, "speed": 20, "every": 1_000, "atEnd": "back", "distancePath": "way"}
    ways = [dict(e.writes)["way"] for e in events(play({"path": "p", "line": line}))]
    stood = [len(list(same)) for _, same in itertools.groupby(ways)]
    # 1,112 m take 55.6 s: a halt may begin and end between two instants.
    halts = zip([long - 1 for long in stood if long > 1][:5], [20, 40, 20, 40, 20], strict=True)
    assert all(told in (asked - 1, asked) for told, asked in halts)
    assert abs(ways[20 + 56 + 40 + 56 + 20] - 2 * 1_111.95) < 20


def test_gps_noise_is_in_metres() -> None:
    line = {
        "points": [{"lat": 60, "lon": 10}, {"lat": 60, "lon": 10.0001}],
        "speed": 0.001,
        "every": 1_000,
        "spread": 5,
    }
    places = [dict(e.writes)["p"] for e in events(play({"path": "p", "line": line}))]
    off = [sphere.distance(60, 10, place["lat"], place["lon"]) for place in places]
    # The length of a two-dimensional error of 5 m each way has a mean of 5 * sqrt(pi / 2).
    assert abs(fmean(off) - 6.3) < 0.5


NOISE = track({"t": 0, "value": 10, "interp": "noise", "every": 1_000, "spread": 0})


def test_lost_and_repeated_are_shares_of_all_events() -> None:
    sent = events(play(NOISE, faults={"lost": 0.2, "repeated": 0.1}), span=HOUR + 10_000)
    ids = [e.id for e in sent]
    assert abs(len(set(ids)) - 2_881) < 150
    twice = [e for e in sent if ids.count(e.id) == 2]
    assert abs(len(twice) / 2 - 288) < 60
    first, second = (e for e in sent if e.id == twice[0].id)
    assert second == first._replace(received=first.received + 5_000)


def test_what_cannot_be_sent_in_time_comes_late_and_none_of_it_is_missing() -> None:
    sent = events(play(NOISE, faults={"late": {"share": 0.3, "forMs": 60_000}}), span=HOUR + 60_001)
    assert len({e.id for e in sent}) == len(sent) == 3_601
    late = [e for e in sent if e.received > e.time]
    assert 600 < len(late) < 1_600
    assert {e.received - START for e in late} <= set(range(60_000, HOUR + 60_001, 60_000))
    assert [e.received for e in sent] == sorted(e.received for e in sent)


def test_a_skewed_clock_is_off_all_the_time_and_too_far_ahead_does_not_count() -> None:
    one = play(NOISE, faults={"skewMs": 1_000_000})
    offs = set()
    for number in range(40):
        found = events(one, key=key_of(1, f"d{number}"), span=3_000)
        assert len({(e.original or e.time) - e.received for e in found}) == 1
        off = (found[0].original or found[0].time) - found[0].received
        assert (found[0].original is not None) is (off > 300_000)
        offs.add(off)
    assert len(offs) == 40
    assert min(offs) < -300_000 < 300_000 < max(offs)


def test_a_restart_is_silence_and_then_a_clock_that_nobody_has_set() -> None:
    wrong = {"resets": {"perHour": 6, "downMs": 20_000, "unsetMs": 30_000}}
    sent = events(play(NOISE, faults=wrong))
    gaps = [b.position - a.position for a, b in itertools.pairwise(sent) if b.position - a.position > 1_000]
    assert len(gaps) == 6
    assert all(20_000 <= gap <= 21_000 for gap in gaps)
    unset = [e for e in sent if e.original is not None]
    assert 6 * 29 <= len(unset) <= 6 * 31
    assert all(e.original is not None and 0 <= e.original < 30_000 and e.time == e.received for e in unset)


def test_a_sensor_drifts_until_its_device_restarts() -> None:
    drifted = values(play(NOISE, faults={"drift": {"perHour": 2}}))
    end = drifted[-1][1] - 10
    assert 0 < abs(end) <= 2
    assert abs(dict(drifted)[HOUR // 2] - 10 - end / 2) < 1e-6
    other = play(NOISE, faults={"drift": {"perHour": 2, "paths": ["b"]}})
    assert {v for _, v in values(other)} == {10}
    healed = values(play(NOISE, faults={"drift": {"perHour": 2}, "resets": {"perHour": 1}}))
    assert abs(healed[-1][1] - 10) < abs(end)


def test_each_path_drifts_its_own_way() -> None:
    tracks = [track({"t": 0, "value": 0, "every": HOUR}, path=f"sensors/{name}") for name in "abcd"]
    last = events(play(*tracks, faults={"drift": {"perHour": 2}}))[-1]
    assert len({value for _, value in last.writes}) == 4


def test_two_devices_and_two_seeds_differ_and_the_same_is_the_same() -> None:
    one = play(track({"t": 0, "value": 1, "interp": "noise", "every": 1_000, "spread": 1}))
    keys = [key_of(1, "d1"), key_of(1, "d2"), key_of(2, "d1"), key_of(1, "d1")]
    first, second, third, again = (events(one, key=key, span=10_000) for key in keys)
    assert first == again
    assert len({tuple(str(e.writes) for e in found) for found in (first, second, third)}) == 3


def test_a_pause_leaves_nothing_out_and_sends_nothing_twice() -> None:
    one = play(track({"t": 0, "value": 0, "interp": "linear", "every": 1_000}, {"t": HOUR, "value": 3_600}))
    segments = [Segment("run", START, 0, START + 10_500), Segment("run", START + 60_000, 10_500)]
    sent = one.events(KEY, segments, START, START + 70_000)
    assert [e.position for e in sent] == list(range(0, 20_001, 1_000))
    assert sent[11].time == START + 60_500


def test_what_comes_twice_or_late_after_a_pause_has_the_time_at_which_it_was_measured() -> None:
    tick = track({"t": 0, "value": 1, "every": 1_000})
    segments = [Segment("run", START, 0, START + 10_500), Segment("run", START + 60_000, 10_500)]
    twice = play(tick, faults={"repeated": 1}).events(KEY, segments, START, START + 70_000)
    times = {(e.position, e.time) for e in twice}
    assert len(twice) == 37
    assert len(times) == 21
    late = play(tick, faults={"late": {"share": 1, "forMs": 20_000}})
    sent = late.events(KEY, segments, START, START + 70_000)
    assert [(e.time - START, e.received - START) for e in sent][9:12] == [
        (9_000, 69_500),
        (10_000, 69_500),
        (60_500, 69_500),
    ]


ALL = {
    "lost": 0.1, "repeated": 0.2, "skewMs": 400_000, "late": {"share": 0.2, "forMs": 7_000},
    "resets": {"perHour": 40, "downMs": 4_000, "unsetMs": 6_000}, "drift": {"perHour": 10},
}  # fmt: skip
RICH = {
    "duration": 95_000,
    "loop": True,
    "faults": ALL,
    "tracks": [
        track({"t": 0, "value": 1, "interp": "walk", "every": 700, "spread": 1}, {"t": 50_000, "value": 2}),
        track(
            {"t": 500, "value": 1, "interp": "sine", "every": 1_300, "spread": 0.1},
            {"t": 9_000, "value": 4}, path="b",
        ),
        {"path": "p", "line": {
            "points": [{"lat": 1, "lon": 2}, {"lat": 1.001, "lon": 2, "halt": 3_000}], "speed": 9,
            "every": 900, "atEnd": "back", "spread": 3, "headingPath": "h",
        }},
    ],
}  # fmt: skip


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(1, 119_999), max_size=25), pause=st.integers(0, 100_000))
def test_however_time_is_cut_the_events_are_the_same(cuts: list[int], pause: int) -> None:
    one = Play(parse(json.dumps(RICH)))
    segments = [Segment("run", START, 0, START + pause), Segment("run", START + pause + 5_000, pause)]
    whole = one.events(KEY, segments, START, START + 120_000)
    edges = [0, *sorted(set(cuts)), 120_000]
    parts = [
        event
        for begin, end in itertools.pairwise(edges)
        for event in one.events(KEY, segments, START + begin, START + end)
    ]
    assert parts == whole
    assert len(whole) > 50


# What the scenario above made when this was written: another version must make the same.
DIGEST = "2d211c479e06"


def test_another_process_makes_the_same_to_the_byte() -> None:
    code = (
        "import hashlib, json, sys\n"
        "from fulcrum.simulation.playing import *\n"
        "from fulcrum.simulation.scenario import parse\n"
        "play = Play(parse(sys.stdin.read()))\n"
        f"found = play.events(key_of(7, 'd1'), [Segment('run', {START}, 0)], {START}, {START + 300_000})\n"
        "print(hashlib.sha256(json.dumps(found).encode()).hexdigest())"
    )
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "123"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=env,
        input=json.dumps(RICH),
        capture_output=True,
        text=True,
    )
    found = Play(parse(json.dumps(RICH))).events(KEY, [Segment("run", START, 0)], START, START + 300_000)
    mine = hashlib.sha256(json.dumps(found).encode()).hexdigest()
    assert done.stdout.strip() == mine, done.stderr
    assert mine.startswith(DIGEST)


def test_a_scenario_has_one_text() -> None:
    one = parse(json.dumps(RICH))
    assert text_of(parse(text_of(one))) == text_of(one)
    assert run_id("d", text_of(one), 1, START) == run_id("d", text_of(one), 1, START)
    assert run_id("d", text_of(one), 1, START) != run_id("d", text_of(one), 2, START)


FRAME = {"t": 0, "value": 1}


def _line(*latitudes: float, speed: float = 1) -> dict[str, Any]:
    return {"points": [{"lat": one, "lon": 1} for one in latitudes], "speed": speed, "every": 1_000}


@pytest.mark.parametrize(
    "bad",
    [
        {"duration": 10, "tracks": []},
        {"duration": 5_000},
        {"duration": 5_000, "tracks": [{"path": "a"}]},
        {"duration": 5_000, "tracks": [{"path": "__a__", "frames": [FRAME]}]},
        {"duration": 5_000, "tracks": [{"path": "a", "frames": [FRAME, FRAME]}]},
        {"duration": 5_000, "tracks": [{"path": "a", "frames": [{"t": 6_000, "value": 1}]}]},
        {"duration": 5_000, "tracks": [{"path": "a", "frames": [FRAME | {"interp": "cubic"}]}]},
        {"duration": 5_000, "tracks": [{"path": "a", "frames": [FRAME | {"interp": "linear"}]}]},
        {"duration": 5_000, "tracks": [{"path": "a", "frames": [FRAME | {"every": 10}]}]},
        {"duration": 5_000, "tracks": [track({"t": 0, "value": "x", "interp": "noise", "every": 300})]},
        {"duration": 5_000, "tracks": [{"path": "a", "line": {"points": [], "speed": 1, "every": 1_000}}]},
        {"duration": 5_000, "tracks": [{"path": "a", "line": _line(1, 1)}]},
        {"duration": 5_000, "tracks": [{"path": "a", "line": _line(1, 2, speed=0)}]},
        {"duration": 5_000, "tracks": [], "faults": {"lost": 2}},
        {"duration": 5_000, "tracks": [], "faults": {"late": {"share": 0.5, "forMs": 1}}},
        {"duration": 5_000, "tracks": [], "faults": {"resets": {"perHour": 60, "downMs": 50_000}}},
        {"duration": 5_000, "tracks": [], "faults": {"skewMs": 10**13}},
        {"duration": 5_000, "tracks": [], "faults": {"resets": {"perHour": 5e-324}}},
        [],
    ],
    ids=lambda bad: hashlib.md5(json.dumps(bad).encode(), usedforsecurity=False).hexdigest()[:8],
)  # fmt: skip
def test_what_cannot_be_played_is_refused(bad: Any) -> None:
    with pytest.raises(Rejected):
        Play(parse(json.dumps(bad)))
