"""Two examples in one route on a running stack; what they met there runs again as their tests."""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

import pytest

from local.processes import ROOT
from tests.e2e.command.test_scripts import until
from tests.support.transcript import Shell

pytestmark = pytest.mark.slow

VALUES = (5, 9, 7, 5.5)
STEP_MS = 600_000
DEVICE = "--alias rooms-net/serial=s1"


def step(alias: str, **params: Any) -> dict[str, Any]:
    return {"topic": "reason", "options": {"reasoner": {"id": alias, **params}}}


def test_examples_do_on_the_platform_what_they_do_in_their_tests(shell: Shell) -> None:
    play = shell.play
    play("fulcrum project create --id rooms --name Rooms && fulcrum use rooms")
    play("fulcrum network create --id rooms-net --name Net --alias-keys serial")
    key = play("fulcrum network-key create rooms-net --name first --extract text 2>/dev/null").strip()
    folders = {"thresholdHysteresis": "threshold_hysteresis", "rateOfChange": "rate_of_change"}
    for alias, folder in folders.items():
        play(f"cp -r {ROOT}/examples/scripts/{folder} {alias}")
        play(f"fulcrum script set-code {alias} {alias} --create")
        assert play(f"fulcrum script deploy {alias} 2>/dev/null").startswith(f"version 1 of {alias}: ")
    alarm = step("thresholdHysteresis", high=8, low=6, recipients=["+4712345678", "ada@example.com"])
    route = json.dumps({"deviceDataEventMsg": [step("rateOfChange"), alarm, "writer"]})
    play(f"fulcrum blueprint create --name Room --alias room --message-route '{route}'")
    play("fulcrum system create --name Main --alias main")
    (shell.folder / "devices.csv").write_text(
        "name,blueprint,system,network,alias.rooms-net.serial\nRoom 1,room,main,rooms-net,s1\n"
    )
    play("fulcrum device import devices.csv")
    start = int(time.time() * 1000) - STEP_MS * len(VALUES)
    times = [start + STEP_MS * at for at in range(len(VALUES))]
    events = [
        {"deviceId": "s1", "id": f"e{at}", "time": time_, "data": {"temperature": value}}
        for at, (time_, value) in enumerate(zip(times, VALUES, strict=True))
    ]
    (shell.folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    play(f"fulcrum send rooms-net --key {key} --file events.jsonl")

    paths = "$id,$time,temperature,temperatureAverage,temperatureRate,alarms"

    def rows() -> list[dict[str, Any]]:
        found = play(f"fulcrum history {DEVICE} --paths '{paths}' --order '$time' --json")
        items: list[dict[str, Any]] = json.loads(found)["items"]
        return items

    # Four readings, the beginning of the alarm and its end.
    stored = until(rows, lambda found: len(found) == len(VALUES) + 2)
    readings = {row["id"]: row for row in stored if row["temperature"] is not None}
    for at, value in enumerate(VALUES):
        row, around = readings[f"e{at}"], VALUES[: at + 1]
        assert row["temperature"] == value
        assert row["temperatureAverage"] == pytest.approx(statistics.fmean(around))
        if at:
            hours = [(time_ - start) / 3_600_000 for time_ in times[: at + 1]]
            slope = statistics.linear_regression(hours, around).slope
            assert row["temperatureRate"] == pytest.approx(slope)
    alarms = [(row["time"], row["alarms"]["temperature"]["active"]) for row in stored if row["alarms"]]
    assert alarms == [(times[1], True), (times[3], False)]

    def effects() -> Any:
        return json.loads(play("fulcrum script metrics thresholdHysteresis --json"))["total"]["effects"]

    assert until(effects, bool) == {"sendSms": 2, "sendEmail": 2, "setDeviceData": 2}

    # What happened is what the tests of both expect from now on.
    for alias in folders:
        for at in (1, 3):
            out = f"{alias}/events/recorded-{at}.event.yaml"
            play(f"fulcrum script save {alias} e{at} {DEVICE} --out {out}")
        assert "2 passed" in play(f"fulcrum script test {alias} -k recorded")
    saved = (shell.folder / "rateOfChange" / "events" / "recorded-3.event.yaml").read_text()
    assert "temperatureRate" in saved
    # And it fails where the script does otherwise.
    main = shell.folder / "thresholdHysteresis" / "main.py"
    main.write_text(main.read_text().replace("value >= high", "value > high + 5"))
    failed = play("fulcrum script test thresholdHysteresis -k recorded-1; echo status $?")
    assert "effects/0\n  expected: " in failed
    assert "status 1" in failed
