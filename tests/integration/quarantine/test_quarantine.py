"""A real quarantine behind real topics: set aside, dead-lettered, looked at, sent again."""

from __future__ import annotations

import json
from typing import Any

from shared import names
from shared.quarantine import PART_BYTES
from tests.support.push_stack import PushStack, eventually
from tests.unit.message_processor.conftest import PROJECT, event


def _entries(stack: PushStack, project: str = PROJECT, **fields: Any) -> list[dict[str, Any]]:
    found = stack.collection(f"projects/{project}/quarantine")
    return [entry for entry in found if all(entry.get(key) == value for key, value in fields.items())]


def test_what_a_service_sets_aside_ends_in_quarantine(stack: PushStack) -> None:
    bad = {**event(), "type": "what", "projectId": PROJECT}
    message_id = stack.publish("default-processor", [event("nobody"), bad], projectId=PROJECT)
    (entry,) = eventually(lambda: _entries(stack, errorType="message.unknownType"))
    assert json.loads(entry["data"]) == bad
    assert (entry["service"], entry["topic"]) == ("message_processor", "default-processor")
    assert (entry["sourceMessageId"], entry["index"]) == (message_id, 1)
    assert entry["_id"] in names.quarantined(PROJECT, entry["_id"])


def test_a_message_that_no_delivery_gets_through_ends_in_quarantine(stack: PushStack) -> None:
    stack.faults("firestore", {"method": "BatchGetDocuments", "error_rate": 1.0})
    data = json.dumps([event("dead", id="dead-1")]).encode()
    stack.publish("default-processor", data, projectId=PROJECT, hops="1")
    (entry,) = eventually(lambda: _entries(stack, errorType="delivery.exhausted"), 60)
    stack.faults("firestore")
    assert entry["data"] == data
    assert entry["subscription"] == "default-processor-message-processor"
    assert entry["attributes"]["hops"] == "1"


def test_long_messages_are_kept_in_parts(stack: PushStack) -> None:
    data = b"[" + b" " * (2 * PART_BYTES) + b"}"
    stack.publish("default-processor", data, projectId=PROJECT)
    (entry,) = eventually(lambda: _entries(stack, errorType="message.undecodable"))
    assert (entry["parts"], entry["size"]) == (3, len(data))
    parts = stack.collection(f"projects/{PROJECT}/quarantine/{entry['_id']}/parts")
    assert b"".join(part["data"] for part in sorted(parts, key=lambda part: part["_id"])) == data


def test_a_failing_store_only_delays_an_entry(stack: PushStack) -> None:
    stack.faults(
        "firestore",
        {"method": "BatchWrite", "error_rate": 0.5, "drop_answer_rate": 0.4, "code": "UNAVAILABLE"},
    )
    for i in range(5):
        stack.publish("quarantine", {"n": i}, projectId="flaky", errorType="e", service="s", topic="writer")
    eventually(lambda: len(_entries(stack, "flaky")) == 5, 60)
    stack.faults("firestore")
    assert sorted(json.loads(entry["data"])["n"] for entry in _entries(stack, "flaky")) == list(range(5))
