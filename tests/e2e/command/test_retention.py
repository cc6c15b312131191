"""Retention from the command to the history: previewed, carried out, and the state stays."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack
from shared import clock
from tests.support.transcript import Shell

_SECONDS = 60
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_PREPARE = """
fulcrum project create --id kept --name Farm && fulcrum use kept
SYSTEM=$(fulcrum system create --name North --extract id)
BLUEPRINT=$(fulcrum blueprint create --name Room --alias room --extract id)
fulcrum network create --id kept-net --name Net --alias-keys serial
export FULCRUM_KEY=$(fulcrum network-key create kept-net --extract text)
DEVICE=$(fulcrum device create $SYSTEM --name Room --blueprint-id $BLUEPRINT networkId=kept-net \\
  networkAliases/kept-net/serial=room-1 --extract id)
fulcrum send kept-net --file readings.jsonl
fulcrum project update kept retention='{"history": {"days": 20}}' --extract id
RULES='{"history": {"paths": [{"path": "pos", "days": 3}]}}'
fulcrum blueprint update $BLUEPRINT retention="$RULES" --extract id
"""


@pytest.fixture
def stack(moving_stack: Stack) -> Stack:
    """The one whose clock is moved."""
    return moving_stack


def _now(stack: Stack) -> int:
    """The stack's time, epoch ms."""
    offset = clock.offset_in(Path(stack.env()["FULCRUM_CLOCK_FILE"]))
    return round(time.time() * 1000 + offset / 1e6)


def _past_the_night(stack: Stack) -> None:
    """Let 03:00 UTC be over where it is near: what is asked for here would be done by that night's run."""
    left = (3 * _HOUR_MS - _now(stack)) % _DAY_MS
    if left < 5 * _HOUR_MS:
        stack.advance_clock(left / 1000 + 60)
        stack.drain(_SECONDS, skip_backoff=True)


@pytest.mark.slow
def test_what_a_project_no_longer_keeps_is_let_go(shell: Shell, stack: Stack) -> None:
    _past_the_night(stack)
    now = _now(stack)
    data = ({"a": 1, "pos": {"lat": 1}}, {"b": 2, "pos": {"lat": 2}}, {"c": 3})
    readings = [
        {"deviceId": "room-1", "time": now - days * _DAY_MS, "data": one}
        for days, one in zip((40, 10, 0), data, strict=True)
    ]
    (shell.folder / "readings.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in readings))
    said = shell.play(_PREPARE)
    assert "fulcrum:" not in said, said
    stack.drain(_SECONDS)
    # What has just been stored is left to a later curation.
    stack.advance_clock(3 * 3_600)

    def asked(line: str) -> Any:
        said = shell.play(f"{line} --json")
        assert said.startswith("{"), said
        return json.loads(said)

    found = asked("fulcrum retention preview")
    (history,) = (one for one in found["stores"] if one["store"] == "history")
    assert (history["rows"], history["shortened"]) == (1, 1)
    before = asked("fulcrum device show $DEVICE")["device"]["data"]
    assert before == {"a": 1, "b": 2, "c": 3, "pos": {"lat": 2}}

    run = shell.play("fulcrum retention curate --yes").split()[0]
    deadline = time.monotonic() + _SECONDS
    done: dict[str, Any] = {}
    while set(done) != {"done"}:
        assert time.monotonic() < deadline, done
        curations = [one for one in asked("fulcrum retention get")["curations"] if one["run"] == run]
        done = {one["state"]: one["store"] for one in curations} if len(curations) == 11 else {}
        time.sleep(0.1)
    result = {one["store"]: one["result"] for one in curations}
    assert (result["history"]["rows"], result["history"]["shortened"]) == (1, 1)
    assert result["snapshot"]["devices"] == 1

    assert asked("fulcrum device show $DEVICE")["device"]["data"] == before
    left = asked("fulcrum history $DEVICE --start 60d")
    assert [row["data"] for row in left["items"]] == [{"c": 3}, {"b": 2}]
