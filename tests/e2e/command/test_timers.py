"""Timers of a script, and of a person, to the text message and the data that come of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import firestore

from local.stack import Stack
from tests.support.transcript import Shell

_SECONDS = 60
_PREPARE = """
fulcrum project create --id timed --name Farm && fulcrum use timed
SYSTEM=$(fulcrum system create --name North --extract id)
ROUTE='{"deviceDataEventMsg": [{"topic": "reason", "options": {"reasoner": {"id": "watch"}}}, "writer"]}'
BLUEPRINT=$(fulcrum blueprint create --name Room --alias room --extract id)
fulcrum network create --id timed-net --name Net --alias-keys serial
export FULCRUM_KEY=$(fulcrum network-key create timed-net --extract text)
DEVICE=$(fulcrum device create $SYSTEM --name Room --blueprint-id $BLUEPRINT networkId=timed-net \\
  networkAliases/timed-net/serial=room-1 --extract id)
fulcrum script set-code watch watch.py --create
fulcrum script deploy watch
fulcrum blueprint update $BLUEPRINT "messageRoute=$ROUTE"
"""
# Says so where nothing has come from a device for a minute, and lights the lamps when a timer asks.
_SCRIPT = """
def run(message, context):
    context.set_timer("quiet", delay=60_000, entry="quiet", params={"minutes": 1})


def quiet(message, context):
    minutes = context.params["minutes"]
    context.send_sms(f"nothing for {minutes} min", to="+4791234567")
    context.set_device_data({"quiet": True})


def light(message, context):
    context.set_device_data({"lamps": context.params["level"]})
"""
_LIGHT = """
ACTION='{"type": "publishTopic", "topic": "reason",
  "options": {"reasoner": {"id": "watch", "targetFunction": "light", "level": 3}}}'
WHEN='{"type": "repeating", "delay": 60000}'
TIMER=$(fulcrum timer create --name Lamps --device-id $DEVICE --timer "$WHEN" --action "$ACTION" --extract id)
fulcrum timer state $TIMER --extract state
fulcrum timer start $TIMER --extract status
"""


def _until(true: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + _SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def _outbox(stack: Stack) -> list[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", stack.env()["FIRESTORE_EMULATOR_HOST"])
        client = firestore.Client(project=stack.project)
    try:
        return [document.to_dict() for document in client.collection("projects/timed/outbox").stream()]
    finally:
        client.close()


@pytest.fixture
def stack(moving_stack: Stack) -> Stack:
    """The one whose clock is moved."""
    return moving_stack


@pytest.mark.slow
def test_timers_of_scripts_and_of_people_do_what_they_are_for(shell: Shell, stack: Stack) -> None:
    (shell.folder / "watch.py").write_text(_SCRIPT)
    said = shell.play(_PREPARE)
    assert "fulcrum:" not in said, said

    def data() -> Any:
        return json.loads(shell.play("fulcrum device show $DEVICE --json"))["device"]["data"]

    # Each event sets the timer anew: the first one's minute is never up.
    shell.play("fulcrum send timed-net room-1 level=1")
    stack.drain(_SECONDS)
    stack.advance_clock(40)
    shell.play("fulcrum send timed-net room-1 level=2")
    stack.drain(_SECONDS)
    stack.advance_clock(40)
    stack.drain(_SECONDS)
    assert _outbox(stack) == []
    stack.advance_clock(21)
    _until(lambda: _outbox(stack), "the message must go out")
    stack.drain(_SECONDS)
    (text,) = _outbox(stack)
    assert (text["kind"], text["message"], text["recipients"]) == (
        "sms",
        "nothing for 1 min",
        ["+4791234567"],
    )
    assert data() == {"level": 2, "quiet": True}

    # What Twilio's stand-in reports comes back through the API.
    _until(lambda: _outbox(stack)[0]["state"] == "delivered", "its arrival must be reported")
    found = shell.play("fulcrum outbox list --state delivered --json")
    assert [item["recipients"] for item in json.loads(found)["items"]] == [["+4791234567"]]

    assert shell.play(_LIGHT).split() == ["stopped", "accepted"]
    stack.drain(_SECONDS)
    shown = json.loads(shell.play("fulcrum timer state $TIMER --count 2 --json"))
    assert shown["state"] == "running"
    assert shown["next"][1] - shown["next"][0] == 60_000
    for _ in range(2):
        stack.advance_clock(60)
        stack.drain(_SECONDS)
    _until(lambda: data().get("lamps") == 3, "the lamps must be lit")
    assert json.loads(shell.play("fulcrum timer state $TIMER --json"))["occurrences"] == 2
    assert shell.play("fulcrum timer stop $TIMER --extract status").strip() == "accepted"
    stack.drain(_SECONDS)
    assert shell.play("fulcrum timer state $TIMER --extract state").strip() == "stopped"
    stack.advance_clock(180)
    stack.drain(_SECONDS)
    assert len(_outbox(stack)) == 1
