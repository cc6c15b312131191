"""Sessions and API keys of the command against the API itself."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.support.transcript import Shell

_PREPARE = """
fulcrum project create --id sessions --name Farm && fulcrum use sessions
"""


def expire(config: Path) -> str:
    """Make the kept token look as if it were over; the refresh token that is good now."""
    kept = json.loads(config.read_text())
    kept["profiles"]["default"]["expires"] = 1
    config.write_text(json.dumps(kept))
    return str(kept["profiles"]["default"]["refresh_token"])


@pytest.mark.slow
def test_sessions_go_on_end_and_leave_api_keys_alone(shell: Shell, tmp_path: Path) -> None:
    said = shell.play(_PREPARE)
    assert "fulcrum:" not in said, said
    config = tmp_path / "config" / "fulcrum" / "config.json"
    before = expire(config)
    # Five at once: a refresh token is good once, and used twice it would end the session.
    at_once = "for n in 1 2 3 4 5; do fulcrum user me --extract username & done; wait"
    assert shell.play(at_once).split() == ["ada@example.com"] * 5
    assert json.loads(config.read_text())["profiles"]["default"]["refresh_token"] != before
    assert shell.play("fulcrum user me --extract username") == "ada@example.com\n"

    made = "export KEY=$(fulcrum api-access create --name ci --extract token 2>/dev/null); echo ${KEY%%_*}"
    assert shell.play(made) == "fa\n"
    by_key = "FULCRUM_TOKEN=$KEY fulcrum blueprint create name=Room alias=room --extract alias"
    assert shell.play(by_key) == "room\n"

    # Two who change the same: the second is told.
    shell.play("BLUEPRINT=$(fulcrum blueprint list --extract items/0/id)")
    assert shell.play("fulcrum blueprint update $BLUEPRINT name=Hall --if-match 1 --extract version") == "2\n"
    late = shell.play("fulcrum blueprint update $BLUEPRINT name=Cellar --if-match 1; echo $?")
    assert "(blueprint.changed)" in late
    assert late.endswith("\n5\n")
    assert shell.play("fulcrum blueprint get $BLUEPRINT --extract name") == "Hall\n"

    # A session that is ended elsewhere ends here.
    shell.play("cp $XDG_CONFIG_HOME/fulcrum/config.json other.json; fulcrum logout")
    expire(tmp_path / "other.json")
    ended = shell.play("FULCRUM_CONFIG=other.json fulcrum user me; echo $?")
    assert "the session has ended" in ended
    assert ended.endswith("\n3\n")
    assert shell.play(f"{by_key.replace('room', 'hall')}") == "hall\n"
    revoked = shell.play(
        "FULCRUM_TOKEN=$KEY fulcrum api-access list --extract items/0/id > id; "
        "fulcrum login --username ada@example.com; fulcrum api-access delete $(cat id) --yes; echo $?"
    )
    assert revoked.endswith("\n0\n")
    deadline = time.monotonic() + 30
    while not shell.play("FULCRUM_TOKEN=$KEY fulcrum blueprint list; echo $?").endswith("\n3\n"):
        assert time.monotonic() < deadline, "the key still works"
        time.sleep(0.5)
