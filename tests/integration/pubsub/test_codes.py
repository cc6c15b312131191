"""Wrong input: the same status code from ours and Google's emulator, but for the table of differences."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import GoogleAPICallError

from tests.integration.pubsub.conftest import Pubsub
from tests.integration.pubsub.differences import DIFFERENCES, known

Call = Callable[[Pubsub, str, str], Any]
INVALID, MISSING, EXISTS = "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS"
REFUSED, RANGE = "UNIMPLEMENTED", "OUT_OF_RANGE"


def publish(*messages: dict[str, Any]) -> Call:
    return lambda service, topic, _: service.publisher.publish(
        request={"topic": topic, "messages": list(messages)}, retry=None, timeout=30
    )


def create(**settings: Any) -> Call:
    return lambda service, topic, _: service.subscription(topic, "other", **settings)


def named(name: str) -> Call:
    return lambda service, topic, _: service.publisher.create_topic(request={"name": name})


def update(*paths: str, **settings: Any) -> Call:
    return lambda service, _, subscription: service.update(subscription, *paths, **settings)


def pull(limit: int, subscription: str = "") -> Call:
    return lambda service, _, existing: service.subscriber.pull(
        request={"subscription": subscription or existing, "max_messages": limit}, timeout=0.5, retry=None
    )


def acks(*ids: str) -> Call:
    return lambda service, _, subscription: service.subscriber.acknowledge(
        request={"subscription": subscription, "ack_ids": list(ids)}
    )


def modify(seconds: int) -> Call:
    def call(service: Pubsub, topic: str, subscription: str) -> None:
        service.publish(topic, b"x")
        service.deadline(subscription, seconds, *service.collect(subscription, 1))

    return call


def stream(**first: Any) -> Call:
    def call(service: Pubsub, _: str, subscription: str) -> None:
        request = {"subscription": subscription, "stream_ack_deadline_seconds": 10} | first
        over = threading.Event()

        def requests() -> Iterator[Any]:
            yield request
            # A client that has nothing more to say ends its half of the stream, and a server may then leave
            # before it has looked at what was said.
            over.wait(2)

        try:
            for _answer in service.subscriber.streaming_pull(requests=requests(), timeout=10):
                pass
        finally:
            over.set()

    return call


CASES: dict[str, tuple[str, Call]] = {
    "topic.exists": (EXISTS, lambda service, topic, _: service.topic()),
    "topic.name-empty": (INVALID, named("")),
    "topic.name-short": (INVALID, named("projects/p/topics/ab")),
    "topic.name-long": (INVALID, named("projects/p/topics/" + "a" * 256)),
    "topic.name-digit": (INVALID, named("projects/p/topics/1abc")),
    "topic.name-goog": (INVALID, named("projects/p/topics/google")),
    "topic.name-space": (INVALID, named("projects/p/topics/a b c")),
    "topic.name-kind": (INVALID, named("projects/p/subscriptions/abc")),
    "topic.get": (MISSING, lambda s, *_: s.publisher.get_topic(request={"topic": "projects/p/topics/none"})),
    "topic.get-name": (INVALID, lambda s, *_: s.publisher.get_topic(request={"topic": "none"})),
    "topic.delete": (
        MISSING,
        lambda s, *_: s.publisher.delete_topic(request={"topic": "projects/p/topics/none"}),
    ),
    "topic.update-mask": (
        INVALID,
        lambda s, topic, _: s.publisher.update_topic(request={"topic": {"name": topic}}),
    ),
    "list-topics.project": (
        INVALID,
        lambda s, *_: list(s.publisher.list_topics(request={"project": "p"}, retry=None)),
    ),
    "topic-subscriptions.missing": (
        MISSING,
        lambda s, *_: list(s.publisher.list_topic_subscriptions(request={"topic": "projects/p/topics/none"})),
    ),
    "publish.missing": (MISSING, lambda s, *_: s.publish("projects/p/topics/none", b"x")),
    "publish.none": (INVALID, publish()),
    "publish.empty": (INVALID, publish({"data": b"x"}, {})),
    "publish.empty-with-key": (INVALID, publish({"ordering_key": "k"})),
    "publish.messages": (INVALID, publish(*[{"data": b"x"}] * 1001)),
    "publish.attributes": (INVALID, publish({"attributes": {str(n): "x" for n in range(101)}})),
    "publish.attribute-key": (INVALID, publish({"attributes": {"é" * 129: "x"}})),
    "publish.attribute-key-empty": (INVALID, publish({"attributes": {"": "x"}})),
    "publish.attribute-key-goog": (INVALID, publish({"attributes": {"Googled": "x"}})),
    "publish.attribute-value": (INVALID, publish({"attributes": {"k": "é" * 513}})),
    "publish.ordering-key": (INVALID, publish({"data": b"x", "ordering_key": "k" * 1025})),
    "publish.request-size": (INVALID, publish({"data": b"x" * 10_000_000})),
    "subscription.exists": (EXISTS, lambda s, topic, _: s.subscription(topic)),
    "subscription.topic": (MISSING, lambda s, *_: s.subscription("projects/p/topics/none", "other")),
    "subscription.topic-name": (INVALID, lambda s, *_: s.subscription("none", "other")),
    "subscription.name": (INVALID, lambda s, topic, _: s.subscription(topic, "a")),
    "subscription.get": (
        MISSING,
        lambda s, *_: s.subscriber.get_subscription(
            request={"subscription": "projects/p/subscriptions/none"}
        ),
    ),
    "subscription.delete": (
        MISSING,
        lambda s, *_: s.subscriber.delete_subscription(
            request={"subscription": "projects/p/subscriptions/none"}
        ),
    ),
    "subscription.ack-deadline-9": (INVALID, create(ack_deadline_seconds=9)),
    "subscription.ack-deadline-601": (INVALID, create(ack_deadline_seconds=601)),
    "subscription.ack-deadline-negative": (INVALID, create(ack_deadline_seconds=-1)),
    "subscription.retention-short": (INVALID, create(message_retention_duration={"seconds": 599})),
    "subscription.retention-long": (INVALID, create(message_retention_duration={"seconds": 31 * 86400 + 1})),
    "subscription.ttl": (INVALID, create(expiration_policy={"ttl": {"seconds": 86399}})),
    "subscription.backoff-order": (
        INVALID,
        create(retry_policy={"minimum_backoff": {"seconds": 10}, "maximum_backoff": {"seconds": 5}}),
    ),
    "subscription.backoff-long": (INVALID, create(retry_policy={"maximum_backoff": {"seconds": 601}})),
    "subscription.backoff-negative": (INVALID, create(retry_policy={"minimum_backoff": {"seconds": -1}})),
    "subscription.dead-letter-missing": (
        MISSING,
        create(dead_letter_policy={"dead_letter_topic": "projects/p/topics/none"}),
    ),
    "subscription.dead-letter-empty": (INVALID, create(dead_letter_policy={"max_delivery_attempts": 5})),
    "subscription.attempts-4": (
        RANGE,
        lambda s, topic, _: s.subscription(
            topic, "other", dead_letter_policy={"dead_letter_topic": topic, "max_delivery_attempts": 4}
        ),
    ),
    "subscription.attempts-101": (
        RANGE,
        lambda s, topic, _: s.subscription(
            topic, "other", dead_letter_policy={"dead_letter_topic": topic, "max_delivery_attempts": 101}
        ),
    ),
    "subscription.filter-syntax": (INVALID, create(filter="attributes.a = b")),
    "subscription.filter-size": (INVALID, create(filter=f'attributes.a = "{"x" * 250}"')),
    "subscription.endpoint": (INVALID, create(push_config={"push_endpoint": "ftp://x"})),
    "subscription.retained-acked": (REFUSED, create(retain_acked_messages=True)),
    "subscription.exactly-once": (REFUSED, create(enable_exactly_once_delivery=True)),
    "subscription.bigquery": (REFUSED, create(bigquery_config={"table": "p.d.t"})),
    "update.mask": (INVALID, update()),
    "update.unknown": (INVALID, update("zork")),
    "update.filter": (INVALID, update("filter", filter="attributes:a")),
    "update.topic": (INVALID, update("topic")),
    "update.ordering": (INVALID, update("enable_message_ordering", enable_message_ordering=True)),
    "update.missing": (MISSING, lambda s, *_: s.update("projects/p/subscriptions/none", "push_config")),
    "push-config.missing": (
        MISSING,
        lambda s, *_: s.subscriber.modify_push_config(
            request={"subscription": "projects/p/subscriptions/none", "push_config": {}}
        ),
    ),
    "pull.missing": (MISSING, pull(1, "projects/p/subscriptions/none")),
    "pull.zero": (INVALID, pull(0)),
    "pull.negative": (INVALID, pull(-1)),
    "ack.none": (INVALID, acks()),
    "ack.garbage": (INVALID, acks("zork")),
    "ack.empty": (INVALID, acks("")),
    "modack.too-long": (INVALID, modify(601)),
    "modack.negative": (INVALID, modify(-1)),
    "stream.missing": (MISSING, stream(subscription="projects/p/subscriptions/none")),
    "stream.no-subscription": (INVALID, stream(subscription="")),
    "stream.no-deadline": (INVALID, stream(stream_ack_deadline_seconds=0)),
    "stream.deadline": (INVALID, stream(stream_ack_deadline_seconds=9)),
    "stream.garbage": (INVALID, stream(ack_ids=["zork"])),
    "stream.lengths": (INVALID, stream(modify_deadline_ack_ids=["zork"])),
    "snapshot": (
        REFUSED,
        lambda s, _, subscription: s.subscriber.create_snapshot(
            request={"name": f"projects/{s.project}/snapshots/snap", "subscription": subscription}
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_wrong_input_is_refused_with_the_services_code(pubsub: Pubsub, name: str) -> None:
    code, call = CASES[name]
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    outcome = "OK"
    try:
        call(pubsub, topic, subscription)
    except GoogleAPICallError as error:
        outcome = error.grpc_status_code.name
        outcome = "OK" if name == "pull.negative" and outcome == "DEADLINE_EXCEEDED" else outcome
    assert outcome == known(pubsub.kind, f"code.{name}", code)


def test_a_refusal_names_what_is_not_implemented(ours: Pubsub) -> None:
    topic = ours.topic()
    with pytest.raises(GoogleAPICallError, match=r"Subscription\.bigquery_config is not implemented"):
        ours.subscription(topic, bigquery_config={"table": "p.d.t"})
    subscription = ours.subscription(topic)
    with pytest.raises(GoogleAPICallError, match=r"Subscriber\.Seek is not implemented"):
        ours.subscriber.seek(request={"subscription": subscription})
    with pytest.raises(GoogleAPICallError, match=r"Topic\.schema_settings is not implemented"):
        ours.publisher.create_topic(
            request={"name": f"{topic}-2", "schema_settings": {"schema": "projects/p/schemas/s"}}
        )


def test_one_bad_message_publishes_none(ours: Pubsub) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic)
    with pytest.raises(GoogleAPICallError):
        publish({"data": b"good"}, {})(ours, topic, subscription)
    assert ours.backlog(subscription)["undelivered"] == 0


def test_every_known_difference_is_looked_at_by_a_test() -> None:
    sources = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    for name in DIFFERENCES:
        case = name.removeprefix("code.")
        family = name.rsplit("-", 1)[0] + "-{status}"
        assert case in CASES if case != name else f'"{name}"' in sources or f'"{family}"' in sources, name
