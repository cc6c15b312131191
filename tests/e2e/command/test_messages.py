"""Messages to devices on a running stack, by people and scripts: fetched, answered, expired, refused."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from google.cloud import firestore

from local.stack import Stack
from tests.support.transcript import Shell

_SECONDS = 60
_PREPARE = """
fulcrum project create --id valves --name Farm && fulcrum use valves
SYSTEM=$(fulcrum system create --name North --extract id)
ROUTE='{"deviceDataEventMsg": [{"topic": "reason", "options": {"reasoner": {"id": "opener"}}}, "writer"]}'
BLUEPRINT=$(fulcrum blueprint create --name Valve --alias valve --extract id)
fulcrum network create --id valves-net --name Net --alias-keys serial 'outbound={"transport": "poll"}'
fulcrum network create --id valves-rest --name Net \\
  'outbound={"transport": "rest", "urlTemplate": "https://device-gateway.invalid/{deviceId}"}'
export FULCRUM_KEY=$(fulcrum network-key create valves-net --extract text)
DEVICE=$(fulcrum device create $SYSTEM --name Valve --blueprint-id $BLUEPRINT networkId=valves-net \\
  networkAliases/valves-net/serial=v-1 --extract id)
FAR=$(fulcrum device create $SYSTEM --name Far --blueprint-id $BLUEPRINT networkId=valves-rest --extract id)
fulcrum script set-code opener opener.py --create
fulcrum script deploy opener
fulcrum blueprint update $BLUEPRINT "messageRoute=$ROUTE"
"""
_SCRIPT = """
def run(message, context):
    for write in message["data"]:
        if write["path"] == "pressure" and write["value"] > 9:
            context.send_message({"valve": "open"}, ttl=60_000, key="valve")
"""


def _fetch(shell: Shell, stack: Stack) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {shell.play('echo $FULCRUM_KEY').strip()}"}
    answer = httpx.get(f"{stack.url}/out/valves-net/v-1", headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["messages"]
    return found


@pytest.fixture
def stack(moving_stack: Stack) -> Stack:
    """The one whose clock is moved."""
    return moving_stack


@pytest.mark.slow
def test_a_message_waits_for_its_device_and_is_answered_or_given_up(
    shell: Shell, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shell.folder / "opener.py").write_text(_SCRIPT)
    said = shell.play(_PREPARE)
    assert "fulcrum:" not in said, said

    def shown(name: str, device: str = "$DEVICE") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(shell.play(f"fulcrum device-message get {device} {name} --json"))
        return found

    # A person's.
    sent = shell.play("fulcrum device-message send $DEVICE --msg-id m1 message/valve=shut --extract state")
    assert sent.strip() == "queued"
    stack.drain(_SECONDS)
    (got,) = _fetch(shell, stack)
    assert (got["msgId"], got["message"]) == ("m1", {"valve": "shut"})
    assert _fetch(shell, stack) == []
    key = shell.play("echo $FULCRUM_KEY").strip()
    answer = httpx.post(
        f"{stack.url}/ack/valves-net",
        json={"msgId": "m1", "deviceId": "v-1", "response": {"valve": "shut"}},
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
    )
    assert answer.status_code == 202, answer.text
    stack.drain(_SECONDS)
    assert (shown("m1")["state"], shown("m1")["response"]) == ("acked", {"valve": "shut"})

    # A script's, of which the second takes the first one's place.
    shell.play("fulcrum send valves-net v-1 pressure=10")
    stack.drain(_SECONDS)
    shell.play("fulcrum send valves-net v-1 pressure=11")
    stack.drain(_SECONDS)
    (got,) = _fetch(shell, stack)
    assert got["message"] == {"valve": "open"}
    shell.play("fulcrum send valves-net v-1 pressure=12")
    stack.drain(_SECONDS)
    stack.advance_clock(61)
    stack.drain(_SECONDS)
    assert _fetch(shell, stack) == []
    listed = json.loads(shell.play("fulcrum device-message list $DEVICE --json"))["items"]
    assert [one["state"] for one in listed] == ["expired", "sent", "replaced", "acked"]

    # One that its network's URL does not take; and the device is looked out for meanwhile.
    shell.play("fulcrum device-message send $FAR --msg-id far message=1 --ttl 30000")
    stack.drain(_SECONDS)
    assert (shown("far", "$FAR")["state"], shown("far", "$FAR")["attempts"]) == ("queued", 1)
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", stack.env()["FIRESTORE_EMULATOR_HOST"])
    client = firestore.Client(project=stack.project)
    device = client.document(f"projects/valves/devices/{shell.play('echo $FAR').strip()}")
    assert device.get().get("messagesWait") > 0
    stack.advance_clock(31)
    stack.drain(_SECONDS)
    assert shown("far", "$FAR")["state"] == "expired"
    assert shell.play("fulcrum device-message cancel $FAR far").startswith("fulcrum: it is expired")

    # Heard of, it is asked for what waits: of this one nothing does any more.
    mine = client.document(f"projects/valves/devices/{shell.play('echo $DEVICE').strip()}")
    mine.update({"messagesWait": 0})
    shell.play("fulcrum send valves-net v-1 pressure=1")
    stack.drain(_SECONDS)
    assert "messagesWait" not in mine.get().to_dict()
    client.close()
