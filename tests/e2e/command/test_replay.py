"""A new version over what really happened on a running stack, before it is deployed; it sends nothing."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.support.transcript import Shell

pytestmark = pytest.mark.slow

PROJECT = "replayed"
MAIN = """from fulcrum.script import needs

HIGH, LOW = 10, 5


@needs("cache", "deviceData")
def run(message, context):
    value = message["data"][0]["value"]
    if value < 0:
        return False
    alarm = context.cache.get("alarm", False)
    if not alarm and value >= HIGH:
        context.set_cache({"alarm": True})
        context.send_sms(f"too warm: {value}, before {context.device_data.get('t')}", to=["+4790000000"])
        context.set_device_data({"alarm/last": value})
    elif alarm and value <= LOW:
        context.set_cache({"alarm": False})
        return {**message, "data": [*message["data"], {"path": "alarm/ended", "value": True}]}
    return None
"""
VALUES = [3, 11, -1, 12, 4, 10, 2, 15, 1]


def items(shell: Shell, command: str) -> list[dict[str, Any]]:
    """What a list answers."""
    found: list[dict[str, Any]] = json.loads(shell.play(f"{command} --json"))["items"]
    return found


def awaited(shell: Shell, command: str, count: int) -> list[dict[str, Any]]:
    """A list that has so many items."""
    deadline = time.monotonic() + 120
    while len(found := items(shell, command)) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.3)
    return found


def test_a_new_version_is_replayed_over_what_happened(shell: Shell) -> None:
    play = shell.play
    play(f"fulcrum project create --id {PROJECT} --name Replayed && fulcrum use {PROJECT}")
    play("fulcrum network create --id replay-net --name Net --alias-keys serial")
    key = play("fulcrum network-key create replay-net --name first --extract text 2>/dev/null").strip()
    folder = shell.folder / "warm"
    folder.mkdir()
    (folder / "main.py").write_text(MAIN)
    play("fulcrum script set-code tooWarm warm --create")
    play("fulcrum script deploy tooWarm 2>/dev/null")
    step = {"topic": "reason", "options": {"reasoner": {"id": "tooWarm"}}}
    route = json.dumps({"deviceDataEventMsg": [step, "writer"]})
    play(f"fulcrum blueprint create --name Cold --alias cold --message-route '{route}'")
    play("fulcrum system create --name Main --alias main")
    (shell.folder / "devices.csv").write_text(
        "name,blueprint,system,network,alias.replay-net.serial\nd1,cold,main,replay-net,s1\n"
    )
    play("fulcrum device import devices.csv")
    for number, value in enumerate(VALUES, 1):
        play(f"fulcrum send replay-net --key {key} s1 t='{value}'")
        awaited(shell, "fulcrum script logs tooWarm", number)
    stored = [one for one in VALUES if one >= 0]
    # And what the script itself wrote, three times.
    awaited(shell, "fulcrum history --whole --start 1h --limit 100", len(stored) + 3)

    # The deployed version over its own history.
    same = json.loads(play("fulcrum script replay tooWarm warm --since 1h --json --save-input input.ndjson"))
    assert (same["complete"], same["problems"], same["events"]) == (True, [], len(VALUES))
    assert (same["fidelity"]["compared"], same["fidelity"]["counts"]) == (len(VALUES), {}), same["fidelity"]
    assert (same["eventsChanged"], same["stateChanged"], same["after"]["sms"]) == (0, 0, 3)

    # A higher limit: the second alarm, at 10, is gone.
    (folder / "main.py").write_text(MAIN.replace("HIGH, LOW = 10", "HIGH, LOW = 11"))
    command = "fulcrum script replay tooWarm warm --since 1h --fail-on sms-30% --fail-on sms-lost>0"
    shown = play(f"{command.replace('>0', '')} --html report.html 2>/dev/null; echo status $?")
    assert "No longer sent: 1 text messages" in shown
    assert "too warm: 10, before 4" in shown
    assert f"{len(VALUES)} of {len(VALUES)} recorded runs come to exactly what was recorded" in shown
    assert "status 4" in shown
    assert "too warm: 10, before 4" in (shell.folder / "report.html").read_text()
    report = json.loads(play("fulcrum script replay tooWarm warm --input input.ndjson --json"))
    assert (report["lost"], report["gained"]) == ({"sms": 1}, {})
    assert {path["path"] for path in report["paths"]} == {"alarm/last"}

    # Nothing of it was carried out.
    assert len(items(shell, "fulcrum script logs tooWarm")) == len(VALUES)
    total = json.loads(play("fulcrum script metrics tooWarm --json"))["total"]
    assert total["effects"]["sendSms"] == 3
