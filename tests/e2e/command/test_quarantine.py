"""What a device sent wrongly: set aside, shown, and taken once it fits, by the command alone."""

from __future__ import annotations

import json
import time

import pytest

from tests.support.transcript import Shell

_SECONDS = 60
_PREPARE = """
fulcrum project create --id set-aside --name Farm && fulcrum use set-aside
SYSTEM=$(fulcrum system create --name North --extract id)
BLUEPRINT=$(fulcrum blueprint create --name Room --alias room --check-mode strict --extract id)
fulcrum attribute create $BLUEPRINT --name Level --path level --type int
fulcrum network create --id set-aside-net --name Net --alias-keys serial
export FULCRUM_KEY=$(fulcrum network-key create set-aside-net --extract text)
ROOM=$(fulcrum device create $SYSTEM --name Room --blueprint-id $BLUEPRINT networkId=set-aside-net \\
  networkAliases/set-aside-net/serial=room-1 --extract id)
"""


@pytest.mark.slow
def test_an_event_that_does_not_fit_is_set_aside_and_taken_once_it_does(shell: Shell) -> None:
    said = shell.play(_PREPARE)
    assert "fulcrum:" not in said, said
    assert shell.play("fulcrum send set-aside-net room-1 level=high") == "accepted 1\n"
    entry = until(shell, "fulcrum quarantine list --extract items/0/id")
    shown = json.loads(shell.play(f"fulcrum quarantine show {entry} --json"))
    assert shown["errorType"].startswith("attribute."), shown
    assert "high" in shown["data"]
    shell.play("fulcrum blueprint update $BLUEPRINT checkMode=off")
    deadline = time.monotonic() + _SECONDS
    while "high" not in shell.play("fulcrum device get $ROOM --extract data/level"):
        assert time.monotonic() < deadline, "the event was not taken"
        # Until the change is known everywhere, the event comes back.
        shell.play("fulcrum quarantine redrive --all")
        time.sleep(1)
    assert "nothing found" in shell.play("fulcrum quarantine list")
    assert "refused" not in shell.play("fulcrum quarantine purge --all --yes")
    assert "0 thrown away" in shell.play("fulcrum quarantine purge --all --yes")


def until(shell: Shell, line: str) -> str:
    """What a command writes once it has something to say."""
    deadline = time.monotonic() + _SECONDS
    while True:
        said = shell.play(line).strip()
        if said and "fulcrum:" not in said:
            return said
        assert time.monotonic() < deadline, said
        time.sleep(0.3)
