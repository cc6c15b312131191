"""Ack deadlines, back-off and dead letters, in the time of the movable clock."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest

from tests.integration.pubsub.conftest import Clock, Pubsub, eventually, stays
from tests.integration.pubsub.differences import known
from tests.integration.pubsub.endpoint import Endpoint


def _has_come(endpoint: Endpoint, count: int) -> bool:
    return len(endpoint.received) == count


def waits(service: Pubsub, subscription: str) -> bool:
    """Whether all is back in the subscription, and nothing can be pulled yet."""
    found = service.backlog(subscription)
    return found["outstanding"] == 0 and not service.pull(subscription)


def test_an_unacknowledged_message_comes_again_after_its_deadline(ours: Pubsub, movable: Clock) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic, ack_deadline_seconds=30)
    ours.publish(topic, b"x")
    (first,) = ours.collect(subscription, 1)
    movable.advance(15)
    stays(lambda: ours.backlog(subscription)["outstanding"] == 1)
    movable.advance(16)
    (second,) = ours.collect(subscription, 1)
    assert second.message.message_id == first.message.message_id


def test_an_extended_deadline_holds_and_a_late_ack_still_counts(ours: Pubsub, movable: Clock) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic)
    ours.publish(topic, b"x")
    (first,) = ours.collect(subscription, 1)
    ours.deadline(subscription, 600, first)
    movable.advance(300)
    stays(lambda: ours.backlog(subscription)["outstanding"] == 1)
    ours.deadline(subscription, 20, first)
    movable.advance(21)
    eventually(lambda: ours.backlog(subscription)["undelivered"] == 1)
    ours.ack(subscription, first)
    assert ours.pull(subscription) == []
    assert ours.backlog(subscription)["undelivered"] == 0


def test_the_nack_of_an_old_delivery_does_not_touch_the_present_one(ours: Pubsub) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic)
    ours.publish(topic, b"x")
    (first,) = ours.collect(subscription, 1)
    ours.deadline(subscription, 0, first)
    ours.collect(subscription, 1)
    ours.deadline(subscription, 0, first)
    assert ours.backlog(subscription)["outstanding"] == 1


def test_back_off_doubles_from_the_minimum_to_the_maximum(ours: Pubsub, movable: Clock) -> None:
    topic = ours.topic()
    policy = {"minimum_backoff": {"seconds": 100}, "maximum_backoff": {"seconds": 300}}
    subscription = ours.subscription(topic, retry_policy=policy)
    ours.publish(topic, b"x")
    for expected in (100, 200, 300, 300):
        (received,) = ours.collect(subscription, 1)
        ours.deadline(subscription, 0, received)
        movable.advance(expected - 50)
        stays(lambda: waits(ours, subscription))
        movable.advance(51)
    assert len(ours.collect(subscription, 1)) == 1


def test_back_off_also_follows_a_missed_deadline(ours: Pubsub, movable: Clock) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic, retry_policy={"minimum_backoff": {"seconds": 200}})
    ours.publish(topic, b"x")
    ours.collect(subscription, 1)
    movable.advance(11)
    eventually(lambda: ours.backlog(subscription)["outstanding"] == 0)
    stays(lambda: waits(ours, subscription))
    movable.advance(201)
    assert len(ours.collect(subscription, 1)) == 1


def test_back_off_of_a_key_holds_the_key_only(ours: Pubsub, movable: Clock) -> None:
    topic = ours.topic()
    subscription = ours.subscription(
        topic, enable_message_ordering=True, retry_policy={"minimum_backoff": {"seconds": 100}}
    )
    ours.publish(topic, b"0", b"1", key="k")
    ours.deadline(subscription, 0, *ours.pull(subscription, 1, wait=True))
    ours.publish(topic, b"other", key="j")
    assert [item.message.data for item in ours.collect(subscription, 1)] == [b"other"]
    movable.advance(101)
    assert [item.message.data for item in ours.collect(subscription, 2)] == [b"0", b"1"]


def test_a_nack_waits_where_there_is_a_retry_policy(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, retry_policy={"minimum_backoff": {"seconds": 600}})
    pubsub.publish(topic, b"x")
    pubsub.deadline(subscription, 0, *pubsub.collect(subscription, 1))
    assert (pubsub.pull(subscription) == []) == known(pubsub.kind, "retry.waits", True)


def test_a_poisoned_message_goes_to_the_dead_letter_topic(pubsub: Pubsub) -> None:
    topic, dead = pubsub.topic(), pubsub.topic("dead")
    subscription = pubsub.subscription(
        topic, "work", dead_letter_policy={"dead_letter_topic": dead, "max_delivery_attempts": 5}
    )
    letters = pubsub.subscription(dead, "letters")
    (message_id,) = pubsub.publish(topic, b"poison", key="k", a="b")
    attempts = []
    for _ in range(5):
        (received,) = pubsub.collect(subscription, 1)
        attempts.append(received.delivery_attempt)
        pubsub.deadline(subscription, 0, received)
    assert pubsub.pull(subscription) == []  # which is when Google's emulator forwards
    (letter,) = pubsub.collect(letters, 1)
    assert attempts == [1, 2, 3, 4, 5]
    assert letter.message.data == b"poison"
    assert letter.message.message_id != message_id
    attributes = dict(letter.message.attributes)
    published = attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime")
    pattern = r"T\d\d:\d\d:\d\d\.\d{3}\+00:00$"
    assert re.search(known(pubsub.kind, "dead-letter.published", pattern), published)
    assert attributes == {
        "a": "b",
        "CloudPubSubDeadLetterSourceSubscription": "work",
        "CloudPubSubDeadLetterSourceSubscriptionProject": pubsub.project,
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
    }


def test_missed_deadlines_count_as_attempts(ours: Pubsub, movable: Clock) -> None:
    topic, dead = ours.topic(), ours.topic("dead")
    subscription = ours.subscription(topic, dead_letter_policy={"dead_letter_topic": dead})
    letters = ours.subscription(dead, "letters")
    ours.publish(topic, b"x")
    for _ in range(5):
        ours.collect(subscription, 1)
        movable.advance(11)
    assert len(ours.collect(letters, 1)) == 1
    assert ours.backlog(subscription) == {"undelivered": 0, "outstanding": 0, "oldest_age_ms": 0}


def test_without_its_dead_letter_topic_a_message_keeps_coming(ours: Pubsub) -> None:
    topic, dead = ours.topic(), ours.topic("dead")
    subscription = ours.subscription(topic, dead_letter_policy={"dead_letter_topic": dead})
    ours.publisher.delete_topic(request={"topic": dead})
    ours.publish(topic, b"x")
    for attempt in range(1, 8):
        (received,) = ours.collect(subscription, 1)
        assert received.delivery_attempt == attempt
        ours.deadline(subscription, 0, received)


def test_a_dead_letter_lets_the_rest_of_its_key_go_on(ours: Pubsub) -> None:
    topic, dead = ours.topic(), ours.topic("dead")
    subscription = ours.subscription(
        topic, enable_message_ordering=True, dead_letter_policy={"dead_letter_topic": dead}
    )
    ours.publish(topic, b"poison", b"next", key="k")
    for _ in range(5):
        (received,) = ours.pull(subscription, 1, wait=True)
        assert received.message.data == b"poison"
        ours.deadline(subscription, 0, received)
    assert [item.message.data for item in ours.collect(subscription, 1)] == [b"next"]


@pytest.mark.parametrize("policy", [{"minimum_backoff": {"seconds": 100}}])
def test_failed_pushes_back_off_and_end_in_the_dead_letter_topic(
    ours: Pubsub, movable: Clock, endpoint: Endpoint, policy: dict[str, Any]
) -> None:
    topic, dead = ours.topic(), ours.topic("dead")
    endpoint.status = 500
    subscription = ours.subscription(
        topic,
        push_config={"push_endpoint": endpoint.url},
        retry_policy=policy,
        dead_letter_policy={"dead_letter_topic": dead},
    )
    letters = ours.subscription(dead, "letters")
    ours.publish(topic, b"x")
    for attempt, delay in enumerate((100, 200, 400, 600), 1):
        pushes = endpoint.wait(attempt)
        assert pushes[-1].json()["deliveryAttempt"] == attempt
        eventually(lambda: ours.backlog(subscription)["outstanding"] == 0)
        movable.advance(delay - 50)
        stays(partial(_has_come, endpoint, attempt))
        movable.advance(51)
    endpoint.wait(5)
    assert [item.message.data for item in ours.collect(letters, 1)] == [b"x"]
    assert ours.backlog(subscription)["undelivered"] == 0
