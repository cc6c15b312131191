"""Publish, pull, acknowledge, nack, order, filters, retention."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import grpc.aio
import pytest
from google.api_core.exceptions import NotFound
from google.pubsub_v1.services.publisher import PublisherAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber import SubscriberAsyncClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

from shared import clock
from tests.integration.pubsub.conftest import Clock, Pubsub, eventually
from tests.integration.pubsub.differences import known


def data_of(received: list[Any]) -> list[bytes]:
    return [item.message.data for item in received]


def test_a_message_comes_as_it_was_published(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    (message_id,) = pubsub.publish(topic, b"\x00\xff", a="b", empty="")
    (received,) = pubsub.collect(subscription, 1)
    assert received.message.data == b"\x00\xff"
    assert dict(received.message.attributes) == {"a": "b", "empty": ""}
    assert received.message.message_id == message_id
    assert abs(received.message.publish_time - clock.now()) < timedelta(days=1)
    assert received.delivery_attempt == 0  # no dead-letter policy


def test_every_subscription_gets_a_copy_and_its_consumers_share(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    one, two = pubsub.subscription(topic, "one"), pubsub.subscription(topic, "two")
    pubsub.publish(topic, b"a", b"b")
    assert sorted(data_of(pubsub.collect(one, 2))) == [b"a", b"b"]
    assert sorted(data_of(pubsub.collect(two, 2))) == [b"a", b"b"]
    assert pubsub.pull(one) == []


def test_what_was_published_before_a_subscription_is_not_for_it(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    pubsub.publish(topic, b"before")
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"after")
    assert data_of(pubsub.collect(subscription, 1)) == [b"after"]


def test_an_acknowledged_message_is_gone_and_acking_twice_is_harmless(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"x")
    received = pubsub.collect(subscription, 1)
    pubsub.ack(subscription, *received)
    pubsub.ack(subscription, *received)
    pubsub.deadline(subscription, 0, *received)
    assert pubsub.pull(subscription) == []


def test_a_nacked_message_comes_again_at_once(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"x")
    (first,) = pubsub.collect(subscription, 1)
    pubsub.deadline(subscription, 0, first)
    (second,) = pubsub.collect(subscription, 1)
    assert second.message.message_id == first.message.message_id
    assert second.ack_id != first.ack_id


def test_pull_takes_no_more_than_it_asked_for(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, *(b"%d" % n for n in range(5)))
    assert len(pubsub.collect(subscription, 1)) <= 5
    assert len(pubsub.pull(subscription, 2)) <= 2


def test_an_ack_id_is_worth_nothing_to_another_subscription(ours: Pubsub) -> None:
    topic = ours.topic()
    one, two = ours.subscription(topic, "one"), ours.subscription(topic, "two")
    ours.publish(topic, b"x")
    received = ours.collect(one, 1)
    with pytest.raises(Exception, match="Invalid ack id"):
        ours.ack(two, *received)
    assert ours.backlog(two)["undelivered"] == 1


def test_a_waiting_pull_is_woken_by_a_publish(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.extend(pubsub.pull(subscription, wait=True)))
    thread.start()
    pubsub.publish(topic, b"x")
    thread.join(15)
    assert data_of(found) == [b"x"]


def test_a_waiting_pull_ends_with_its_subscription(ours: Pubsub) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic)
    outcome: list[Exception] = []

    def wait() -> None:
        try:
            ours.pull(subscription, wait=True)
        except NotFound as error:
            outcome.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    eventually(lambda: ours.control("GET", "/calls").get("Pull"))
    ours.subscriber.delete_subscription(request={"subscription": subscription})
    thread.join(15)
    assert len(outcome) == 1


def test_a_batch_of_a_thousand_goes_through(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    ids = pubsub.publish(topic, *(b"%d" % n for n in range(1000)))
    received: list[Any] = []
    while len(received) < 1000:
        received += pubsub.pull(subscription, 1000, wait=True)
    assert sorted(item.message.message_id for item in received) == sorted(ids)
    assert len(set(ids)) == 1000


def test_messages_of_ten_megabytes_go_through_one_an_answer(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    for _ in range(2):
        pubsub.publish(topic, b"x" * 9_999_000)
    sizes = [len(item.message.data) for _ in range(2) for item in pubsub.pull(subscription, 1, wait=True)]
    assert sizes == [9_999_000, 9_999_000]


async def test_the_async_clients_publish_and_pull(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    async with grpc.aio.insecure_channel(pubsub.grpc) as channel:
        publisher = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
        subscriber = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
        await publisher.publish(request={"topic": topic, "messages": [{"data": b"x"}]})
        answer = await subscriber.pull(request={"subscription": subscription, "max_messages": 1})
        ids = [item.ack_id for item in answer.received_messages]
        await subscriber.acknowledge(request={"subscription": subscription, "ack_ids": ids})
    assert data_of(list(answer.received_messages)) == [b"x"]
    assert pubsub.pull(subscription) == []


def test_messages_of_a_key_come_in_order_and_wait_for_their_acks(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, enable_message_ordering=True)
    pubsub.publish(topic, *(b"%d" % n for n in range(5)), key="k")
    first = pubsub.pull(subscription, 2, wait=True)
    assert data_of(first) == [b"0", b"1"]
    pubsub.publish(topic, b"other", key="j")
    assert data_of(pubsub.collect(subscription, 1)) == [b"other"]
    pubsub.ack(subscription, *first)
    assert data_of(pubsub.collect(subscription, 3)) == [b"2", b"3", b"4"]


def test_a_failed_message_of_a_key_brings_back_all_that_follow(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, enable_message_ordering=True)
    pubsub.publish(topic, *(b"%d" % n for n in range(4)), key="k")
    zero, one, two = pubsub.pull(subscription, 3, wait=True)
    pubsub.ack(subscription, zero, two)
    pubsub.deadline(subscription, 0, one)
    again = data_of(pubsub.pull(subscription))
    assert again == known(pubsub.kind, "order.redelivered", [b"1", b"2", b"3"])


def test_without_ordering_a_key_means_nothing(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"0", b"1", key="k")
    (first,) = pubsub.pull(subscription, 1, wait=True)
    assert first.message.ordering_key == "k"
    assert len(pubsub.collect(subscription, 1)) == 1


def test_a_filter_drops_what_it_does_not_match(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, filter='attributes.kind = "event"')
    pubsub.publish(topic, b"plain")
    pubsub.publish(topic, b"wanted", kind="event")
    expected = known(pubsub.kind, "filter.delivered", [b"wanted"])
    assert sorted(data_of(pubsub.collect(subscription, len(expected)))) == expected
    assert pubsub.pull(subscription) == []


def test_a_message_older_than_the_retention_is_dropped(ours: Pubsub, movable: Clock) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic, message_retention_duration={"seconds": 600})
    longer = ours.subscription(topic, "longer")
    ours.publish(topic, b"old")
    movable.advance(300)
    ours.publish(topic, b"new")
    movable.advance(301)
    assert ours.backlog(subscription)["oldest_age_ms"] >= 301_000
    assert data_of(ours.collect(subscription, 1)) == [b"new"]
    assert ours.backlog(longer)["undelivered"] == 2


def test_ids_are_decimal_and_grow(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    ids = pubsub.publish(topic, b"a", b"b") + pubsub.publish(topic, b"c")
    assert all(re.fullmatch(r"\d+", item) for item in ids)
    assert sorted(ids, key=int) == ids
