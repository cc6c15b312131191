"""The control routes: faults, calls, reset, backlog."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import NotFound, ResourceExhausted, ServiceUnavailable

from tests.integration.pubsub.conftest import Clock, Pubsub, eventually
from tests.integration.pubsub.endpoint import Endpoint


def raw_publish(service: Pubsub, topic: str) -> None:
    """Publish without the client's own retry."""
    service.publisher.publish(request={"topic": topic, "messages": [{"data": b"x"}]}, retry=None)


def test_a_failing_publish_publishes_nothing(ours: Pubsub) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic)
    rule = {"method": "Publish", "error_rate": 1, "code": "RESOURCE_EXHAUSTED"}
    ours.control("POST", "/faults", {"rules": [rule]})
    with pytest.raises(ResourceExhausted, match="injected fault"):
        raw_publish(ours, topic)
    assert ours.backlog(subscription)["undelivered"] == 0


def test_a_lost_answer_makes_the_retried_publish_a_duplicate(ours: Pubsub) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic)
    ours.control("POST", "/faults", {"rules": [{"method": "Publish", "drop_answer_rate": 1}]})
    with pytest.raises(ServiceUnavailable):
        raw_publish(ours, topic)
    ours.control("DELETE", "/faults")
    raw_publish(ours, topic)
    assert ours.backlog(subscription)["undelivered"] == 2


def test_a_lost_ack_answer_has_acknowledged(ours: Pubsub) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic)
    ours.publish(topic, b"x")
    received = ours.collect(subscription, 1)
    ours.control("POST", "/faults", {"rules": [{"method": "Acknowledge", "drop_answer_rate": 1}]})
    ids = [item.ack_id for item in received]
    with pytest.raises(ServiceUnavailable):
        ours.subscriber.acknowledge(request={"subscription": subscription, "ack_ids": ids}, retry=None)
    assert ours.backlog(subscription) == {"undelivered": 0, "outstanding": 0, "oldest_age_ms": 0}


def test_calls_are_counted_by_method(ours: Pubsub, endpoint: Endpoint) -> None:
    topic = ours.topic()
    ours.subscription(topic, push_config={"push_endpoint": endpoint.url})
    ours.control("DELETE", "/calls")
    ours.publish(topic, b"a", b"b")
    endpoint.wait(2)
    assert ours.control("GET", "/calls") == {"Publish": 1, "Push": 2}


def test_reset_forgets_everything_pushes_included(ours: Pubsub, endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    topic = ours.topic()
    subscription = ours.subscription(topic, push_config={"push_endpoint": endpoint.url})
    ours.publish(topic, b"x")
    endpoint.wait(1)
    ours.control("POST", "/reset")
    assert ours.control("GET", "/backlog") == {}
    with pytest.raises(NotFound):
        ours.subscriber.get_subscription(request={"subscription": subscription})
    ours.topic()
    ours.subscription(topic, push_config={"push_endpoint": endpoint.url})
    endpoint.gate.set()
    ours.publish(topic, b"y")
    eventually(lambda: ours.backlog(subscription) == {"undelivered": 0, "outstanding": 0, "oldest_age_ms": 0})


def test_backlog_shows_what_waits_what_is_out_and_the_age_of_the_oldest(ours: Pubsub, movable: Clock) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic, ack_deadline_seconds=600)
    assert ours.backlog(subscription) == {"undelivered": 0, "outstanding": 0, "oldest_age_ms": 0}
    ours.publish(topic, b"a", b"b", b"c")
    ours.pull(subscription, 1, wait=True)
    movable.advance(100)
    found = ours.backlog(subscription)
    assert (found["undelivered"], found["outstanding"]) == (2, 1)
    assert found["oldest_age_ms"] >= 100_000
