"""Recorded history as a scenario: played, it sends what was reported, when it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fulcrum.core.errors import Rejected
from fulcrum.simulation import recording
from fulcrum.simulation.playing import Play, Segment, key_of
from fulcrum.simulation.scenario import parse

ROWS: list[tuple[int, dict[str, Any]]] = [
    (900, {"early": 1}),
    (1_000, {"air": {"temperature": 4.5, "humidity": 70}}),
    (3_000, {"air/temperature": 5, "door": "open"}),
    (3_000, {"door": "shut"}),
    (9_000, {"tags": ["a", {"b": 1}]}),
    (9_001, {"late": 1}),
]


def test_a_recording_plays_what_was_reported() -> None:
    made = recording.tracks(ROWS, 1_000, 9_000)
    play = Play(parse(json.dumps({"duration": 8_000, "tracks": made})))
    sent = play.events(key_of(1, "d"), [Segment("r", 50_000, 0)], 0, 100_000)
    assert [(event.time, dict(event.writes)) for event in sent] == [
        (50_000, {"air/temperature": 4.5, "air/humidity": 70}),
        (52_000, {"air/temperature": 5, "door": "shut"}),
        (58_000, {"tags": ["a", {"b": 1}]}),
    ]


def test_of_a_recording_some_paths_may_be_taken() -> None:
    made = recording.tracks(ROWS, 0, 10_000, ["air", "doo"])
    assert [track["path"] for track in made] == ["air/humidity", "air/temperature"]


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([], "recording.empty"),
        ([(1, {f"p{number}": 1 for number in range(101)})], "recording.tooMany"),
        ([(number, {"a": number}) for number in range(10_001)], "recording.tooLong"),
        ([(1, {"/".join("abcdefghijk"): 1})], "recording.path"),
    ],
    ids=["nothing", "too-many-paths", "too-many-values", "too-deep"],
)
def test_what_makes_no_scenario_is_refused(rows: list[tuple[int, dict[str, Any]]], error: str) -> None:
    with pytest.raises(Rejected) as refused:
        recording.tracks(rows, 0, 20_000)
    assert refused.value.error_type == error
