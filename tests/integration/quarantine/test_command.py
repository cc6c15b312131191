"""``python -m cli.quarantine`` on real stores and topics."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from local import stack_files
from local.processes import ROOT, python
from shared import ids
from shared.quarantine import PART_BYTES
from tests.support.push_stack import PushStack, eventually
from tests.unit.message_processor.conftest import NETWORK, event


def _command(stack: PushStack, *args: str, code: int = 0, answer: str = "") -> str:
    done = subprocess.run(
        python("-m", "cli.quarantine", *args),
        cwd=ROOT,
        env={**os.environ, **stack.environment},
        input=answer,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def _listed(stack: PushStack, project: str, *args: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_command(stack, "list", "--project", project, "--json", *args))
    return found


def _set_aside(stack: PushStack, project: str, count: int, **attributes: str) -> None:
    given = {"errorType": "e.one", "service": "svc", "topic": "reason", "message": "why", **attributes}
    before = len(stack.collection(f"projects/{project}/quarantine"))
    for i in range(count):
        stack.publish("quarantine", {"n": i, "key": given}, projectId=project, **given)
    eventually(lambda: len(stack.collection(f"projects/{project}/quarantine")) == before + count)


def test_what_failed_for_a_reason_that_is_gone_passes_when_sent_again(stack: PushStack) -> None:
    stack.put("projects/redo/devices/d1", networkId=NETWORK, messageRoute="{not json")
    alias = {"projectId": "redo", "deviceId": "d1", "networkId": NETWORK}
    stack.put(f"aliases/{ids.alias_id(NETWORK, 'serial', 'r-1')}", **alias)
    stack.put("projects/redo", revision=1)
    sent = event("r-1", projectId="redo", id="again")
    wrapped = {"type": "routeMsg", "message": sent, "route": ["reason"]}
    stack.publish("default-processor", wrapped, hops="3", projectId="redo")
    eventually(lambda: stack.collection("projects/redo/quarantine"))
    (entry,) = _listed(stack, "redo")
    assert (entry["errorType"], entry["service"]) == ("route.invalid", "message_processor")
    shown = _command(stack, "show", "--project", "redo", entry["id"])
    assert '"id": "again"' in shown
    assert "route.invalid" in shown
    stack.put("projects/redo/devices/d1", messageRoute=json.dumps({"deviceDataEventMsg": "writer"}))
    stack.put("projects/redo", revision=2)

    def sent_again() -> Any:
        # Until the processor has looked at the revision, the event comes back.
        waiting = stack.collection("projects/redo/quarantine")
        if waiting:
            _command(stack, "redrive", "--project", "redo", "--all")
        return stack.pull("writer")

    ((data, attributes),) = eventually(sent_again, 30)
    assert data["message"]["id"] == "again"
    assert data["route"] == ["reason"]
    assert attributes["hops"] == "1"
    assert stack.collection("projects/redo/quarantine") == []


def test_a_dead_letter_is_sent_again_to_the_topic_of_its_subscription(stack: PushStack) -> None:
    stack.put("projects/dead/devices/d1", networkId=NETWORK)
    alias = {"projectId": "dead", "deviceId": "d1", "networkId": NETWORK}
    stack.put(f"aliases/{ids.alias_id(NETWORK, 'serial', 'dead-1')}", **alias)
    stack.faults("firestore", {"method": "BatchGetDocuments", "error_rate": 1.0})
    stack.publish("default-processor", [event("dead-1", projectId="dead")], projectId="dead", hops="9", v="1")
    eventually(lambda: stack.collection("projects/dead/quarantine"), 60)
    stack.faults("firestore")
    (entry,) = _listed(stack, "dead", "--service", "message_processor")
    assert "published to default-processor" in _command(stack, "redrive", "--project", "dead", entry["id"])
    ((data, attributes),) = eventually(lambda: stack.pull("writer"))
    assert data["deviceId"] == "d1"
    assert attributes == {"v": "1", "hops": "1", "projectId": "dead"}


def test_lists_are_filtered_limited_and_latest_first(stack: PushStack) -> None:
    _set_aside(stack, "many", 3)
    _set_aside(stack, "many", 2, errorType="f.two", service="other", time="1700000000000")
    assert len(_listed(stack, "many")) == 5
    assert len(_listed(stack, "many", "--error-type", "e")) == 3
    assert len(_listed(stack, "many", "--error-type", "e.on")) == 0
    assert len(_listed(stack, "many", "--service", "other")) == 2
    assert [entry["errorType"] for entry in _listed(stack, "many")][-2:] == ["f.two"] * 2
    table = _command(stack, "list", "--project", "many", "--limit", "2")
    assert table.count("e.one") == 2
    assert "more than 2: see --limit" in table
    assert "nothing in quarantine" in _command(stack, "list", "--project", "empty")


def test_long_bytes_are_shown_sent_again_and_purged_whole(stack: PushStack) -> None:
    data = json.dumps({"long": "é" * PART_BYTES}, ensure_ascii=False).encode()
    stack.publish("quarantine", data, projectId="long", errorType="e", topic="reason")
    (entry,) = eventually(lambda: stack.collection("projects/long/quarantine"))
    shown = _command(stack, "show", "--project", "long", entry["_id"], "--data")
    assert json.loads(shown) == json.loads(data)
    stack.pull("reason")
    _command(stack, "redrive", "--project", "long", entry["_id"])
    ((again, attributes),) = eventually(lambda: stack.pull("reason"))
    assert again == json.loads(data)
    assert attributes == {"v": "1", "hops": "0", "projectId": "long"}
    assert stack.collection(f"projects/long/quarantine/{entry['_id']}/parts") == []
    assert stack.collection("projects/long/quarantine") == []


def test_an_entry_stays_where_it_cannot_be_sent_and_the_others_go(stack: PushStack) -> None:
    _set_aside(stack, "stuck", 1, topic="nowhere")
    _set_aside(stack, "stuck", 1, topic="")
    _set_aside(stack, "stuck", 1)
    said = _command(stack, "redrive", "--project", "stuck", "--all", code=1)
    assert "there is no topic nowhere" in said
    assert "say where it goes with --topic" in said
    assert "1 of 3 entries done" in said
    assert len(stack.collection("projects/stuck/quarantine")) == 2
    _command(stack, "redrive", "--project", "stuck", "--all", "--topic", "reason")
    assert stack.collection("projects/stuck/quarantine") == []


def test_a_topic_that_fails_keeps_the_entry(stack: PushStack) -> None:
    _set_aside(stack, "failing", 1)
    stack.faults("pubsub", {"method": "Publish", "error_rate": 1.0})
    _command(stack, "redrive", "--project", "failing", "--all", code=1)
    stack.faults("pubsub")
    assert len(stack.collection("projects/failing/quarantine")) == 1


def test_purge_asks_first(stack: PushStack) -> None:
    _set_aside(stack, "old", 3)
    assert "nothing deleted" in _command(stack, "purge", "--project", "old", "--all", code=1, answer="n\n")
    assert len(stack.collection("projects/old/quarantine")) == 3
    first = _listed(stack, "old")[0]["id"]
    _command(stack, "purge", "--project", "old", first, answer="y\n")
    assert len(stack.collection("projects/old/quarantine")) == 2
    _command(stack, "purge", "--project", "old", "--all", "--yes")
    assert stack.collection("projects/old/quarantine") == []


def test_wrong_commands_say_what_to_do(stack: PushStack, tmp_path: Path) -> None:
    assert "has no quarantine entry nothing" in _command(stack, "show", "--project", "x", "nothing", code=1)
    assert "--all" in _command(stack, "purge", "--project", "x", "--yes", code=1)
    assert "--all" in _command(stack, "redrive", "--project", "x", "id", "--all", code=1)
    assert "--project" in _command(stack, "list", code=2)
    assert "no stack runs in" in _command(stack, "--stack", str(tmp_path), "list", "--project", "x", code=1)


def test_a_stack_is_named_by_its_folder(stack: PushStack, tmp_path: Path) -> None:
    _set_aside(stack, "folder", 1)
    stack_files.write(tmp_path, {"any": 1}, stack.environment)
    done = subprocess.run(
        python("-m", "cli.quarantine", "--stack", str(tmp_path), "list", "--project", "folder"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "e.one" in done.stdout, done.stderr
