"""The real process on real emulators: what reaches the topic, and what never does."""

from __future__ import annotations

import json
import time

import pytest

from shared import clock, keys, names
from tests.integration.ingest.conftest import TOPIC, Stack
from tests.support.ingest import KEY, NETWORK, PROJECT, SECOND_KEY, TOKEN, documents, event


def test_events_reach_the_topic_before_the_answer(stack: Stack) -> None:
    answer = stack.post([event("t-1", id="a"), event("t-2", id="b"), {"deviceId": 5}])
    assert (answer.status_code, answer.json()["ids"]) == (207, ["a", "b"])
    assert stack.calls(stack.pubsub)["Publish"] == 1
    (received,) = stack.pull(1)
    assert dict(received.message.attributes) == {"v": "1", "hops": "1", "projectId": PROJECT}
    events = json.loads(received.message.data)
    assert [(e["deviceId"], e["networkId"], e["aliasKey"]) for e in events] == [
        ("t-1", NETWORK, "serial"),
        ("t-2", NETWORK, "serial"),
    ]


def test_the_empty_path_answers_without_a_store(stack: Stack) -> None:
    assert stack.calls(stack.firestore) == {}


def test_whoever_may_not_send_publishes_nothing(stack: Stack) -> None:
    for key, network, device, status in (
        ("", NETWORK, "t-1", 401),
        (keys.make("fk").text, NETWORK, "t-1", 401),
        (KEY.text, "other-net", "t-1", 401),
        (TOKEN.text, NETWORK, "t-2", 403),
        (TOKEN.text, "other-net", "t-1", 403),
    ):
        assert stack.post(event(device), key, network).status_code == status
    assert stack.post(event("t-1"), TOKEN.text).status_code == 202
    assert stack.calls(stack.pubsub)["Publish"] == 1
    assert len(stack.pull(1)) == 1


def test_a_revoked_key_stops_within_ten_seconds(stack: Stack) -> None:
    assert stack.post(event()).status_code == 202
    network = names.network(NETWORK)
    fields = documents()[network]
    fields["keys"][KEY.id]["revoked"] = True
    stack.write({network: fields})
    clock.advance(stack.clock, 10)
    assert stack.post(event()).status_code == 401
    assert stack.post(event(), SECOND_KEY.text).status_code == 202


async def test_sixteen_at_once_share_publishes(stack: Stack) -> None:
    stack.faults(stack.pubsub, {"method": "Publish", "latency_ms": 150})
    answers = await stack.post_many([event("t-1", id=f"e{n}") for n in range(16)])
    assert [(a.status_code, a.json()["ids"]) for a in answers] == [(202, [f"e{n}"]) for n in range(16)]
    # At most: what came first, what gathered meanwhile, stragglers.
    assert stack.calls(stack.pubsub)["Publish"] <= 4
    events = [e["id"] for m in stack.pull(1) for e in json.loads(m.message.data)]
    assert {f"e{n}" for n in range(16)} <= set(events)


def test_a_publish_that_fails_for_a_moment_is_tried_again(stack: Stack) -> None:
    stack.faults(stack.pubsub, {"method": "Publish", "error_rate": 0.4})
    answers = [stack.post(event(id=f"e{n}")) for n in range(10)]
    assert {a.status_code for a in answers} <= {202, 503}
    taken = {a.json()["ids"][0] for a in answers if a.status_code == 202}
    assert taken
    stack.faults(stack.pubsub)
    published = {e["id"] for m in stack.pull(len(taken)) for e in json.loads(m.message.data)}
    assert taken <= published


def test_a_lost_answer_is_no_lost_event(stack: Stack) -> None:
    stack.faults(stack.pubsub, {"method": "Publish", "drop_answer_rate": 1.0})
    answer = stack.post(event(id="e"))
    assert answer.status_code == 503
    stack.faults(stack.pubsub)
    assert stack.post(event(id="e")).status_code == 202
    events = [e for m in stack.pull(2) for e in json.loads(m.message.data)]
    # Repeats have one identity.
    assert {(e["id"], e["hash"]) for e in events} == {("e", events[0]["hash"])}


def test_a_topic_that_is_down_or_gone_is_503(stack: Stack) -> None:
    stack.faults(stack.pubsub, {"method": "Publish", "error_rate": 1.0})
    answer = stack.post([event(), event()])
    assert (answer.status_code, answer.json()["error"]) == (503, "service.unavailable")
    assert answer.headers["retry-after"]
    assert "Traceback" not in answer.text
    assert stack.calls(stack.pubsub)["Publish"] > 1
    stack.faults(stack.pubsub)
    publisher = stack.publisher()
    publisher.delete_topic(topic=TOPIC)
    publisher.transport.close()
    assert stack.post(event()).status_code == 503


@pytest.mark.slow
def test_a_topic_that_hangs_is_503_in_bounded_time(stack: Stack) -> None:
    stack.faults(stack.pubsub, {"method": "Publish", "latency_ms": 60_000})
    began = time.monotonic()
    assert stack.post(event()).status_code == 503
    assert time.monotonic() - began < 20


def test_a_store_that_is_down_is_503_and_never_a_way_in(stack: Stack) -> None:
    stack.faults(stack.firestore, {"method": "BatchGetDocuments", "error_rate": 1.0})
    answer = stack.post(event(), keys.make("ft").text)
    assert answer.status_code == 503
    assert "Publish" not in stack.calls(stack.pubsub)


def test_no_key_is_ever_logged(stack: Stack) -> None:
    stack.post(event())
    stack.post(event(), KEY.text + "x")
    assert KEY.secret not in stack.log.read_text()
