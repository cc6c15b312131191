"""A mail from a script to its recipients: filled from a template, sent, reported, looked at by command."""

from __future__ import annotations

import json
import time

import httpx
import pytest

from local.stack import Stack
from tests.support.transcript import Shell

_SECONDS = 60
_PREPARE = """
fulcrum project create --id mailed --name Farm && fulcrum use mailed
fulcrum template create --name Warm --alias tooWarm --extract alias \\
  --email '{"subject": "{{ name }} is too warm", "html": "<p>{{ name }}: {{ t }} °C</p>"}'
SYSTEM=$(fulcrum system create --name North --extract id)
ROUTE='{"deviceDataEventMsg": [{"topic": "reason", "options": {"reasoner": {"id": "warm"}}}, "writer"]}'
BLUEPRINT=$(fulcrum blueprint create --name Room --alias room --extract id)
fulcrum network create --id mailed-net --name Net --alias-keys serial
export FULCRUM_KEY=$(fulcrum network-key create mailed-net --extract text)
DEVICE=$(fulcrum device create $SYSTEM --name Room --blueprint-id $BLUEPRINT networkId=mailed-net \\
  networkAliases/mailed-net/serial=room-1 --extract id)
fulcrum script set-code warm warm.py --create
fulcrum script deploy warm
fulcrum blueprint update $BLUEPRINT "messageRoute=$ROUTE"
"""
_SCRIPT = """
def run(message, context):
    for write in message["data"]:
        if write["path"] == "temperature":
            context.send_email(
                to="ada@example.com",
                bcc="gone@example.com",
                template="tooWarm",
                context={"name": "R&D", "t": write["value"]},
            )
"""


@pytest.mark.slow
def test_a_script_sends_a_mail_of_a_template_and_people_see_what_became_of_it(
    shell: Shell, stack: Stack
) -> None:
    sendgrid = stack.urls["sendgrid"]
    httpx.post(f"{sendgrid}/outcomes", json={"gone@example.com": "bounce"}).raise_for_status()
    (shell.folder / "warm.py").write_text(_SCRIPT)
    said = shell.play(_PREPARE)
    assert "fulcrum:" not in said, said
    preview = json.loads(
        shell.play(
            "ID=$(fulcrum template list --extract 'items/0/id')\n"
            """fulcrum template preview $ID --context '{"name": "a<b", "t": 9}' --json"""
        )
    )
    assert (preview["html"], preview["names"]) == ("<p>a&lt;b: 9 °C</p>", ["name", "t"])
    shell.play("fulcrum send mailed-net room-1 temperature=9.5")
    deadline = time.monotonic() + _SECONDS
    while True:
        stack.drain()
        listed = json.loads(shell.play("fulcrum outbox list --json"))["items"]
        if listed and listed[0]["state"] == "undelivered" and len(listed[0]["deliveries"]) == 2:
            break
        assert time.monotonic() < deadline, listed
        time.sleep(0.2)
    (mail,) = listed
    assert {one["to"]: one["state"] for one in mail["deliveries"]} == {
        "ada@example.com": "delivered",
        "gone@example.com": "bounced",
    }
    shown = json.loads(shell.play(f"fulcrum outbox get {mail['id']} --json"))
    assert (shown["subject"], shown["html"]) == ("R&D is too warm", "<p>R&amp;D: 9.5 °C</p>")
    taken = [
        kept["mail"]
        for kept in httpx.get(f"{sendgrid}/outbox").json()
        if kept["mail"]["custom_args"]["fulcrumProject"] == "mailed"
    ]
    assert [each["subject"] for each in taken] == ["R&D is too warm"]
