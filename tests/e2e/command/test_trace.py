"""An event followed through the services of a running stack, by the command and by the API's answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack
from tests.support.transcript import Shell

_SECONDS = 60
_PREPARE = """
fulcrum project create --id traced --name Farm && fulcrum use traced
SYSTEM=$(fulcrum system create --name North --extract id)
BLUEPRINT=$(fulcrum blueprint create --name Room --alias room --check-mode strict --extract id)
fulcrum attribute create $BLUEPRINT --name Level --path level --type int
fulcrum network create --id traced-net --name Net --alias-keys serial
export FULCRUM_KEY=$(fulcrum network-key create traced-net --extract text)
fulcrum device create $SYSTEM --name Room --blueprint-id $BLUEPRINT networkId=traced-net \\
  networkAliases/traced-net/serial=room-1 --extract id
"""
_SCRIPT = """
def run(message, context):
    level = message["data"][0]["value"]
    if level > 90:
        raise ValueError("level is impossible")
    context.send_email(to="ada@example.com", subject="Level", text="secret text")
    context.set_device_data({"alarm": True})
"""
_DEPLOY = """
fulcrum script set-code alarm alarm.py --create
fulcrum script deploy alarm
STEP='{"topic": "reason", "options": {"reasoner": {"id": "alarm"}}}'
fulcrum blueprint update $BLUEPRINT checkMode=off
fulcrum blueprint update $BLUEPRINT "messageRoute={\\"deviceDataEventMsg\\": [\\"writer\\", $STEP]}"
"""
WAY = [
    ("ingest", "received"),
    ("ingest", "published"),
    ("message_processor", "routed"),
    ("transponder", "stored"),
]


def followed(shell: Shell, event: str) -> list[dict[str, Any]]:
    """The steps of an event, once it has arrived and the log tells of it."""
    said = shell.play(f"fulcrum trace {event} --wait {_SECONDS}s --json")
    answer = json.loads(said)
    assert (answer["count"], answer["logs"], answer["notes"]) == (1, "found", []), said
    (trace,) = answer["traces"]
    began = [step["sinceMs"] - step.get("ms", 0) for step in trace["steps"]]
    # Both are told in tenths of a millisecond.
    assert all(before <= behind + 0.2 for before, behind in pairwise(began)), said
    assert trace["totalMs"] == max(step["sinceMs"] for step in trace["steps"])
    found: list[dict[str, Any]] = trace["steps"]
    return found


def told(steps: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Service and what of each step."""
    return [(step["service"], step["what"]) for step in steps]


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something to hold."""
    deadline = time.monotonic() + _SECONDS
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.fixture
def stack(moving_stack: Stack) -> Stack:
    """The one whose clock is moved."""
    return moving_stack


@pytest.mark.slow
def test_an_event_is_followed_through_every_service(shell: Shell, stack: Stack, tmp_path: Path) -> None:
    said = shell.play(_PREPARE)
    assert "fulcrum:" not in said, said

    shell.play("fulcrum send traced-net room-1 level=3 --id a/1")
    steps = followed(shell, "a/1")
    assert told(steps) == WAY
    assert all(step["certain"] for step in steps)
    messages = [step.get("messageId") for step in steps]
    assert messages[1] == messages[2] != messages[3]
    text = shell.play("fulcrum trace a/1")
    assert "found the device and sent it on" in text
    assert "ms in all" in text

    shell.play("fulcrum send traced-net room-1 level=high --id b")
    aside = followed(shell, "b")
    assert ("message_processor", "setAside") in told(aside)
    assert next(s for s in aside if s["what"] == "setAside")["errorType"] == "attribute.type"
    assert "attribute.type" in shell.play("fulcrum trace b")

    shell.play("fulcrum send traced-net room-9 level=3 --id c")
    assert told(followed(shell, "c")) == [*WAY[:2], ("message_processor", "unknownDevice")]

    nothing = shell.play("fulcrum trace nowhere")
    assert "trace.notFound" in nothing

    before = len(stack.log())
    stack.set_faults("bigquery", [{"method": "AppendRows", "error_rate": 1}])
    shell.play("fulcrum send traced-net room-1 level=4 --id d")
    until(lambda: "the delivery will come again" in stack.log()[before:], "it must fail once")
    stack.set_faults("bigquery", [])
    stack.drain(_SECONDS, skip_backoff=True)
    again = followed(shell, "d")
    assert [(s["what"], s["attempt"]) for s in again if s["service"] == "transponder"] == [
        ("failed", 1),
        ("stored", 2),
    ]

    # What works on it is killed: that delivery leaves no line, and the next one says which it is.
    stack.set_faults("bigquery", [{"method": "AppendRows", "latency_ms": 20_000}])
    shell.play("fulcrum send traced-net room-1 level=5 --id e")
    until(lambda: stack.processes()["transponder"].in_flight > 0, "it must be worked on")
    stack.kill_function("transponder")
    stack.set_faults("bigquery", [])
    stack.drain(_SECONDS, skip_backoff=True)
    stored = [step for step in followed(shell, "e") if step["service"] == "transponder"]
    assert stored[-1]["what"] == "stored"
    assert stored[-1]["attempt"] > 1

    # Along a route that leads through a script, to the mail that it sends.
    (tmp_path / "alarm.py").write_text(_SCRIPT)
    said = shell.play(_DEPLOY)
    assert "fulcrum:" not in said, said
    deadline = time.monotonic() + _SECONDS
    number = 0
    while not any(step["what"] == "ran" for step in steps):
        # Until the route is known everywhere, events pass the script by.
        assert time.monotonic() < deadline, steps
        number += 1
        shell.play(f"fulcrum send traced-net room-1 level=60 --id f{number}")
        stack.drain(_SECONDS, skip_backoff=True)
        steps = followed(shell, f"f{number}")
    until(lambda: ("emailer", "sent") in told(followed(shell, f"f{number}")), "the mail must be told")
    steps = followed(shell, f"f{number}")
    by_id = {step["id"]: step for step in steps}
    for what, above in (("sent", "effect"), ("effect", "ran")):
        assert all(by_id[step["parent"]]["what"] == above for step in steps if step["what"] == what)
    effect = next(step for step in steps if step["what"] == "effect" and "data" in step["text"])
    assert ("transponder", "stored", effect["id"]) in {
        (step["service"], step["what"], step.get("parent")) for step in steps
    }
    assert "secret" not in json.dumps(steps)

    shell.play("fulcrum send traced-net room-1 level=99 --id g")
    stack.drain(_SECONDS, skip_backoff=True)
    until(lambda: ("reason", "setAside") in told(followed(shell, "g")), "it must be set aside")
    failed = next(step for step in followed(shell, "g") if step["what"] == "setAside")
    assert failed["errorType"] == "script.failed"
    shown = shell.play(f"fulcrum quarantine show {failed['entryId']}")
    assert "\nValueError: level is impossible\n" in shown
