"""A project as code by the command alone: exported, planned, refused, forced, rolled back, two at once."""

from __future__ import annotations

import json
import time

import pytest

from tests.support.transcript import Shell

pytestmark = pytest.mark.slow

PROJECT = "as-code"


def test_a_type_that_three_of_fifty_devices_break(shell: Shell) -> None:
    play = shell.play
    play(f"fulcrum project create --id {PROJECT} --name Code && fulcrum use {PROJECT}")
    play("fulcrum network create --id as-code-net --name Net --alias-keys serial")
    key = play("fulcrum network-key create as-code-net --name first --extract text 2>/dev/null").strip()
    blueprint = play("fulcrum blueprint create --name Cold --alias cold --extract id").strip()
    play(f"fulcrum attribute create {blueprint} --name T --path t --type string")
    play("fulcrum system create --name Main --alias main")
    rows = "".join(f"d{number},cold,main,as-code-net,s{number}\n" for number in range(50))
    (shell.folder / "devices.csv").write_text(
        "name,blueprint,system,network,alias.as-code-net.serial\n" + rows
    )
    play("fulcrum device import devices.csv")
    sent = "".join(
        json.dumps({"deviceId": f"s{number}", "data": {"t": "warm" if number in (7, 20, 41) else 4.5}}) + "\n"
        for number in range(50)
    )
    (shell.folder / "events.jsonl").write_text(sent)
    play(f"fulcrum send as-code-net --key {key} --file events.jsonl")

    play("fulcrum export code && cp -r code first")
    file = shell.folder / "code" / "blueprints" / "cold.yaml"
    file.write_text(file.read_text().replace("type: string", "type: number"))
    deadline = time.monotonic() + 30
    while (plan := json.loads(play("fulcrum plan code --json")))["misfitCount"] != 3:
        assert time.monotonic() < deadline, plan
        time.sleep(0.2)
    assert sorted(misfit["deviceName"] for misfit in plan["misfits"]) == ["d20", "d41", "d7"]
    shown = play("fulcrum plan code; echo status $?")
    assert "± attributes cold t" in shown
    assert "50 devices looked at, 3 hold what would not fit" in shown
    assert shown.count("! d") == 3
    assert "status 1" in shown
    refused = play("fulcrum apply code; echo status $?")
    assert "code.breaking" in refused
    assert "status 5" in refused
    assert play("fulcrum apply code --force -m 'numbers now'").startswith("revision 2: 1 changed")

    (shell.folder / "first" / "fulcrum.yaml").write_text("format: 1\nproject:\n  name: Theirs\n")
    stale = play("fulcrum apply first; echo status $?")
    assert "code.stale" in stale
    assert "status 5" in stale
    play("fulcrum rollback 1 --force && fulcrum export back")
    assert play("diff -r code back | grep -c '^[<>]'") == play("echo 4")
    assert "type: string" in (shell.folder / "back" / "blueprints" / "cold.yaml").read_text()
    assert "back to revision 1" in play("fulcrum revisions")
