"""A real message processor between real topics: what reaches whom, also while stores and topics fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fulcrum.core import ids
from shared.attributes import checks_text
from tests.support.processing import push
from tests.support.push_stack import KINDS, PushStack, eventually, push_stack
from tests.unit.message_processor.conftest import NETWORK, PROJECT, event


@pytest.fixture(scope="module", params=KINDS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushStack]:
    with push_stack(tmp_path_factory.mktemp("stack"), "message_processor", kind=request.param) as made:
        made.put(f"projects/{PROJECT}", revision=1)
        made.put(f"projects/{PROJECT}/blueprints/b1", name="Tractor")
        made.subscribe("default-processor", "message_processor", attempts=20)
        yield made


@pytest.fixture
def stack(running: PushStack) -> Iterator[PushStack]:
    running.faults("pubsub")
    running.faults("firestore")
    for topic in ("writer", "quarantine", "reason", "dead-letter"):
        running.pull(topic)
    yield running
    running.faults("pubsub")
    running.faults("firestore")


def _device(stack: PushStack, device: str, **fields: Any) -> None:
    """A device with its own id as its alias, too."""
    place = {"networkId": NETWORK, "systemId": "s1", "blueprintId": "b1", **fields}
    stack.put(f"projects/{PROJECT}/devices/{device}", name=device, **place)
    alias = {"projectId": PROJECT, "deviceId": device, "networkId": NETWORK}
    stack.put(f"aliases/{ids.alias_id(NETWORK, 'serial', device)}", **alias, aliasKey="serial", value=device)


def _pulled(stack: PushStack, topic: str, count: int) -> list[dict[str, Any]]:
    """Messages of a topic, out of their batches, once there are at least ``count``."""
    found: list[dict[str, Any]] = []

    def enough() -> bool:
        for data, _ in stack.pull(topic):
            body = data["message"] if isinstance(data, dict) and data["type"] == "routeMsg" else data
            found.extend(body if isinstance(body, list) else [body])
        return len(found) >= count

    eventually(enough, 60)
    return found


def test_events_pass_from_topic_to_topic_along_their_route(stack: PushStack) -> None:
    route = {"deviceDataEventMsg": [{"topic": "reason", "options": {"id": "x"}}, "writer"]}
    _device(stack, "plain")
    _device(stack, "scripted", messageRoute=json.dumps(route))
    stack.publish(
        "default-processor", [event("plain"), event("scripted")], hops="1", projectId=PROJECT, v="1"
    )
    (plain,) = _pulled(stack, "writer", 1)
    assert (plain["deviceId"], plain["blueprintId"], plain["systemId"]) == ("plain", "b1", "s1")

    def reasons() -> Any:
        return stack.pull("reason")

    ((data, attributes),) = eventually(reasons)
    assert data["message"]["deviceId"] == "scripted"
    assert (data["options"], data["route"]) == ({"id": "x"}, ["writer"])
    assert attributes == {"v": "1", "hops": "2", "projectId": PROJECT}


def test_a_bad_event_and_an_unknown_one_stop_nobody(stack: PushStack) -> None:
    _device(stack, "good")
    message_id = stack.publish(
        "default-processor", [{"type": "what"}, event("stranger"), event("good")], projectId=PROJECT
    )
    (good,) = _pulled(stack, "writer", 1)
    assert good["deviceId"] == "good"
    ((data, attributes),) = eventually(lambda: stack.pull("quarantine"))
    assert (data, attributes["errorType"]) == ({"type": "what"}, "message.unknownType")
    assert attributes["sourceMessageId"] == message_id
    path = f"projects/{PROJECT}/unknownDevices/{ids.alias_id(NETWORK, 'serial', 'stranger')}"
    record = eventually(lambda: stack.get(path))
    assert (record["value"], record["count"], record["firstSeen"]) == ("stranger", 1, event()["receivedTime"])


def test_a_warm_batch_costs_one_call(stack: PushStack) -> None:
    batch = [event(f"warm{i}", id=f"e{i}") for i in range(100)]
    for i in range(100):
        _device(stack, f"warm{i}")
    url, body = stack.urls["message_processor"], push(batch)
    assert httpx.post(url, content=body, timeout=30).status_code == 204
    stack.calls("firestore"), stack.calls("pubsub")
    assert httpx.post(url, content=body, timeout=30).status_code == 204
    assert sum(stack.calls("firestore").values()) <= 1  # the revision, if five seconds have passed
    assert stack.calls("pubsub")["Publish"] == 1
    assert len(_pulled(stack, "writer", 200)) == 200


def test_nothing_is_lost_while_stores_and_topics_fail(stack: PushStack) -> None:
    for i in range(5):
        _device(stack, f"f{i}")
    stack.faults(
        "firestore", {"method": "*", "error_rate": 0.4}, {"method": "BatchWrite", "drop_answer_rate": 0.4}
    )
    stack.faults("pubsub", {"method": "Publish", "error_rate": 0.5, "code": "UNAVAILABLE"})
    # Published past the faults: what is lost on the way in is the sender's to repeat.
    for attempt in range(200):
        try:
            stack.publish(
                "default-processor", [event(f"f{i}", id=f"x{i}") for i in range(5)] + [event("lost")]
            )
            break
        except Exception:
            assert attempt < 199
    seen: set[str] = set()

    def all_seen() -> bool:
        for data, _ in stack.pull("writer"):
            seen.update(item["id"] for item in (data if isinstance(data, list) else [data]))
        return seen >= {f"x{i}" for i in range(5)}

    eventually(all_seen, 60)
    stack.faults("firestore")
    stack.faults("pubsub")
    path = f"projects/{PROJECT}/unknownDevices/{ids.alias_id(NETWORK, 'serial', 'lost')}"
    assert eventually(lambda: stack.get(path))["count"] >= 1


def test_what_is_no_push_is_refused(stack: PushStack) -> None:
    for body in (b"", b"{}", b"x" * 100):
        assert httpx.post(stack.urls["message_processor"], content=body).status_code == 400
    assert httpx.get(stack.urls["message_processor"]).status_code == 400


def _revision(stack: PushStack) -> None:
    """Say that something of the project has changed, and let the time pass in which that must be learned."""
    document = stack.get(f"projects/{PROJECT}")
    stack.put(f"projects/{PROJECT}", revision=(document or {}).get("revision", 0) + 1)
    stack.advance(10)


def _send(stack: PushStack, *devices: str, **fields: Any) -> str:
    return stack.publish("default-processor", [event(device, **fields) for device in devices])


def test_strict_checks_set_aside_what_does_not_fit_and_warnings_are_logged(stack: PushStack) -> None:
    attributes = [{"path": "t", "type": "temperature", "max": 50}]
    for mode in ("strict", "warn"):
        stack.put(f"projects/{PROJECT}/blueprints/{mode}", checks=checks_text(mode, attributes))
        _device(stack, f"is-{mode}", blueprintId=mode)
    _revision(stack)
    hot = [{"path": "t", "value": {"value": 123, "unit": "degF"}}]
    message_id = _send(stack, "is-strict", "is-warn", data=hot)
    (passed,) = _pulled(stack, "writer", 1)
    assert (passed["deviceId"], passed["data"]) == ("is-warn", hot)
    ((data, attributes_),) = eventually(lambda: stack.pull("quarantine"))
    assert data == event("is-strict", data=hot)
    assert (attributes_["errorType"], attributes_["sourceMessageId"]) == ("attribute.type", message_id)
    assert "t (temperature): send a number in degC of at most 50" in attributes_["message"]

    def counted() -> Any:
        return [line for line in stack.log("message_processor") if line.get("mistyped")]

    (line,) = eventually(counted)
    assert (line["mistyped"], line["mistypedSample"]["deviceId"]) == (1, "is-warn")


def test_a_change_takes_effect_on_the_event_path_within_ten_seconds(stack: PushStack) -> None:
    routes = f"projects/{PROJECT}/messageRoutes/far"
    stack.put(routes, route=json.dumps({"deviceDataEventMsg": "reason"}))
    stack.put(f"projects/{PROJECT}/blueprints/fleet", messageRouteId="far")
    for device in ("one", "two"):
        _device(stack, device, blueprintId="fleet")
    _revision(stack)
    _send(stack, "one")
    assert [e["deviceId"] for e in _pulled(stack, "reason", 1)] == ["one"]

    stack.put(routes, route=json.dumps({"deviceDataEventMsg": "writer"}))
    _revision(stack)
    _send(stack, "one")
    assert [e["deviceId"] for e in _pulled(stack, "writer", 1)] == ["one"]

    stack.put(f"aliases/{ids.alias_id(NETWORK, 'serial', 'one')}", deviceId="two")
    _revision(stack)
    _send(stack, "one")
    assert [e["deviceId"] for e in _pulled(stack, "writer", 1)] == ["two"]

    checks = checks_text("strict", [{"path": "t", "type": "boolean"}])
    stack.put(f"projects/{PROJECT}/blueprints/fleet", checks=checks)
    _revision(stack)
    _send(stack, "one")
    ((_, attributes),) = eventually(lambda: stack.pull("quarantine"))
    assert attributes["errorType"] == "attribute.type"
    assert [stack.pull(topic) for topic in ("writer", "reason")] == [[], []]
