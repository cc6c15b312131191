"""A script's life by the command alone, on a running stack: from its folder to what it did among events."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.transcript import Shell

pytestmark = pytest.mark.slow

PROJECT = "scripted"
MAIN = """from fulcrum.script import needs

from lib.limits import WARM


@needs("deviceData")
def run(message, context):
    value = next((write["value"] for write in message.get("data", ()) if write["path"] == "t"), None)
    if value == "broken":
        raise ValueError("no number: broken")
    if value is not None and value > WARM:
        context.log("too warm:", value)
        context.set_device_data({"warm": True})
    return None
"""


def until(look: Callable[[], Any], wanted: Callable[[Any], bool], seconds: float = 60.0) -> Any:
    """What is seen once it is as wanted."""
    deadline = time.monotonic() + seconds
    while not wanted(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.3)
    return found


def test_a_script_from_its_folder_to_its_logs(shell: Shell) -> None:
    play = shell.play
    play(f"fulcrum project create --id {PROJECT} --name Scripted && fulcrum use {PROJECT}")
    play("fulcrum network create --id scripted-net --name Net --alias-keys serial")
    key = play("fulcrum network-key create scripted-net --name first --extract text 2>/dev/null").strip()
    folder = shell.folder / "warm"
    (folder / "lib").mkdir(parents=True)
    (folder / "main.py").write_text(MAIN)
    (folder / "lib" / "limits.py").write_text("WARM = 8\n")
    assert "it can be deployed" in play("fulcrum script check warm")
    play("fulcrum script set-code tooWarm warm --create")
    refused = play("fulcrum script run tooWarm; echo status $?")
    assert "script.notDeployed" in refused
    assert "status 5" in refused
    deployed = play("fulcrum script deploy tooWarm --note first 2>/dev/null")
    assert deployed.startswith("version 1 of tooWarm: ")
    step = {"topic": "reason", "options": {"reasoner": {"id": "tooWarm"}}}
    route = json.dumps({"deviceDataEventMsg": [step, "writer"]})
    play(f"fulcrum blueprint create --name Cold --alias cold --message-route '{route}'")
    play("fulcrum system create --name Main --alias main")
    (shell.folder / "devices.csv").write_text(
        "name,blueprint,system,network,alias.scripted-net.serial\nd1,cold,main,scripted-net,s1\n"
    )
    play("fulcrum device import devices.csv")
    for value in ("4", "9", '"broken"'):
        play(f"fulcrum send scripted-net --key {key} s1 t='{value}'")

    def logs(options: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(play(f"fulcrum script logs tooWarm --json {options}"))[
            "items"
        ]
        return found

    runs = until(logs, lambda found: len(found) == 3)
    assert sorted(run["status"] for run in runs) == ["done", "done", "failed"]
    (failed,) = logs("--status failed")
    assert failed["failure"]["type"] == "ValueError"
    assert [line["text"] for run in logs("--level info") for line in run.get("lines", ())] == ["too warm: 9"]
    assert "ValueError: no number: broken" in play("fulcrum script logs tooWarm --level error")
    total = json.loads(play("fulcrum script metrics tooWarm --json"))["total"]
    assert (total["runs"], total["failed"], total["effects"]) == (3, 1, {"setDeviceData": 1})
    device = until(
        lambda: json.loads(play("fulcrum device show --alias scripted-net/serial=s1 --json"))["device"],
        lambda found: "warm" in found.get("data", {}),
    )
    assert device["data"] == {"t": 9, "warm": True}

    # Another version, which is gone back from.
    (folder / "lib" / "limits.py").write_text("WARM = 100\n")
    play("fulcrum script set-code tooWarm warm")
    play("fulcrum script deploy tooWarm 2>/dev/null")
    assert "+WARM = 100" in play("fulcrum script versions tooWarm 2 --difference 1")
    assert "2 runs" in play("fulcrum script versions tooWarm")
    back = play("fulcrum script rollback tooWarm 2>/dev/null")
    assert back.startswith("version 1 of tooWarm: ")
    occasion = json.loads(
        play("fulcrum script run tooWarm --alias scripted-net/serial=s1 --id visit-1 --json")
    )
    assert occasion["id"] == "visit-1"
    (run,) = until(lambda: logs("--event visit-1"), lambda found: len(found) == 1)
    assert (run["version"], run["status"]) == (1, "done")
    refused = play(
        "fulcrum script delete $(fulcrum script list --extract 'items/0/id') --yes; echo status $?"
    )
    assert "script.inUse" in refused

    # A broken build leaves what runs.
    (folder / "main.py").write_text(MAIN + "\n\nraise RuntimeError('not today')\n")
    play("fulcrum script set-code tooWarm warm")
    broken = play("fulcrum script deploy tooWarm; echo status $?")
    assert "status 1" in broken
    assert "not today" in broken
    assert "1 runs" in play("fulcrum script versions tooWarm")
    undeployed = play("fulcrum script undeploy tooWarm 2>/dev/null")
    assert undeployed.startswith("undeploying tooWarm: ")
    assert play("fulcrum script get $(fulcrum script list --extract 'items/0/id') --extract state/state") == (
        "undeployed\n"
    )
