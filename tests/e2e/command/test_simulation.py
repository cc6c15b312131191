"""Simulated devices by the command: a fleet that loses nothing, one that pauses and goes on, a recording."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from local.stack import Stack
from tests.support.transcript import Shell

_SECONDS = 60
_PREPARE = """
fulcrum project create --id simulated --name Simulated && fulcrum use simulated
"""
_TRUCK = """
SYSTEM=$(fulcrum system create --name Roads --extract id)
BLUEPRINT=$(fulcrum blueprint create --name Truck --alias truck --extract id)
FIRST=$(fulcrum device create $SYSTEM --name first --blueprint-id $BLUEPRINT --simulated --extract id)
SECOND=$(fulcrum device create $SYSTEM --name second --blueprint-id $BLUEPRINT --simulated --extract id)
REAL=$(fulcrum device create $SYSTEM --name real --blueprint-id $BLUEPRINT --extract id)
SCENARIO=$(fulcrum scenario create --name Road --blueprint-id $BLUEPRINT --duration 600000 \\
  --body @road.json --extract id)
"""
_ROAD = {
    "tracks": [
        {
            "path": "position",
            "line": {
                "points": [{"lat": 59.91, "lon": 10.75}, {"lat": 59.95, "lon": 10.9}],
                "speed": 20,
                "every": 2000,
                "distancePath": "way",
            },
        },
        {"path": "cargo", "frames": [{"t": 0, "value": 4, "interp": "walk", "every": 5000, "spread": 0.5}]},
    ]
}


@pytest.fixture
def stack(moving_stack: Stack) -> Stack:
    """The one whose clock is moved."""
    return moving_stack


def _until(true: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + _SECONDS
    while not (found := true()):
        assert time.monotonic() < deadline, what
        time.sleep(0.1)
    return found


@pytest.mark.slow
def test_simulated_devices_send_pause_go_on_and_play_what_was_recorded(shell: Shell, stack: Stack) -> None:
    (shell.folder / "road.json").write_text(json.dumps(_ROAD))
    shell.play(_PREPARE)
    report = json.loads(shell.play("fulcrum simulate --devices 25 --rate 4/s --seconds 3 --json 2>/dev/null"))
    counts = ("sent", "in history", "lost", "devices behind")
    assert [report[key] for key in counts] == [300, 300, 0, 0]

    said = shell.play(_TRUCK)
    assert "fulcrum:" not in said, said
    refused = shell.play("fulcrum device play-scenario $REAL --scenario-id $SCENARIO || echo $?")
    assert "device.notSimulated" in refused
    assert refused.split()[-1] == "5"

    def rows(name: str) -> list[dict[str, Any]]:
        found = shell.play(f"fulcrum device history-list ${name} --start 0 --per-page 1000 --json")
        return sorted(json.loads(found)["items"], key=lambda row: row["time"])

    def state(name: str) -> Any:
        return json.loads(shell.play(f"fulcrum device simulation ${name} --json"))

    shell.play("fulcrum device play-scenario $FIRST --scenario-id $SCENARIO --seed 7")
    stack.drain(_SECONDS)
    stack.advance_clock(40)
    stack.drain(_SECONDS)
    shell.play("fulcrum device pause-sim $FIRST")
    stack.drain(_SECONDS)
    stack.advance_clock(120)
    stack.drain(_SECONDS)
    paused = state("FIRST")
    assert paused["state"] == "paused"
    shell.play("fulcrum device start-sim $FIRST")
    stack.drain(_SECONDS)
    stack.advance_clock(40)
    stack.drain(_SECONDS)
    ways = _until(lambda: [row["data"]["way"] for row in rows("FIRST") if "way" in row["data"]], "rows")
    # 20 m/s, every 2 s: the pause left nothing out.
    assert ways == [40.0 * number for number in range(len(ways))]
    assert len(ways) >= 38
    shell.play("fulcrum device stop-scenario $FIRST")
    stack.drain(_SECONDS)
    assert _until(lambda: state("FIRST")["state"] == "stopped", "it must stop")

    before = rows("FIRST")
    start, end = before[0]["time"], before[9]["time"]
    shell.play(
        f"RECORDED=$(fulcrum device record-scenario $FIRST --name Recorded --start {start} --end {end} "
        "--extract id)\nfulcrum device play-scenario $SECOND --scenario-id $RECORDED"
    )
    stack.drain(_SECONDS)
    stack.advance_clock(60)
    stack.drain(_SECONDS)
    played = _until(lambda: (found := rows("SECOND")) and len(found) >= 10 and found, "the recording")
    told = [[(row["time"] - some[0]["time"], row["data"]) for row in some] for some in (before[:10], played)]
    assert told[0] == told[1]
