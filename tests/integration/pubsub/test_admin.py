"""Topics and subscriptions: create, get, list, update, delete."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.protobuf import field_mask_pb2

from tests.integration.pubsub.conftest import Pubsub
from tests.integration.pubsub.differences import known

_Mask: Any = field_mask_pb2
DAY = 86_400


def code_of(error: GoogleAPICallError) -> str:
    return str(error.grpc_status_code.name)


def test_a_topic_is_returned_as_it_was_created(pubsub: Pubsub) -> None:
    path = f"projects/{pubsub.project}/topics/events"
    request = {"name": path, "labels": {"a": "b"}, "message_retention_duration": {"seconds": 3600}}
    created = pubsub.publisher.create_topic(request=request)
    assert created == pubsub.publisher.get_topic(request={"topic": path})
    assert dict(created.labels) == {"a": "b"}
    assert created.message_retention_duration.total_seconds() == 3600


def test_topics_are_listed_by_project_in_pages(pubsub: Pubsub) -> None:
    paths = sorted(pubsub.topic(f"topic-{n}") for n in range(5))
    request = {"project": f"projects/{pubsub.project}", "page_size": 2}
    assert [topic.name for topic in pubsub.publisher.list_topics(request=request)] == paths
    first = next(iter(pubsub.publisher.list_topics(request=request).pages))
    assert len(first.topics) == 2
    assert not list(pubsub.publisher.list_topics(request={"project": "projects/nobody"}))


def test_labels_of_a_topic_are_updated(pubsub: Pubsub) -> None:
    path = pubsub.topic()
    request = {
        "topic": {"name": path, "labels": {"c": "d"}},
        "update_mask": _Mask.FieldMask(paths=["labels"]),
    }
    outcome = "OK"
    try:
        assert dict(pubsub.publisher.update_topic(request=request).labels) == {"c": "d"}
    except GoogleAPICallError as error:
        outcome = code_of(error)
    assert outcome == known(pubsub.kind, "topic.update-labels", "OK")


def test_deleting_a_topic_leaves_its_subscriptions_with_their_messages(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    pubsub.publish(topic, b"before")
    pubsub.publisher.delete_topic(request={"topic": topic})
    found = pubsub.subscriber.get_subscription(request={"subscription": subscription})
    assert found.topic == "_deleted-topic_"
    assert [item.message.data for item in pubsub.collect(subscription, 1)] == [b"before"]
    with pytest.raises(GoogleAPICallError):
        pubsub.publish(topic, b"after")


def test_a_subscription_gets_the_documented_defaults(pubsub: Pubsub) -> None:
    subscription = pubsub.subscription(pubsub.topic())
    found = pubsub.subscriber.get_subscription(request={"subscription": subscription})
    assert found.ack_deadline_seconds == 10
    assert found.message_retention_duration.total_seconds() == 7 * DAY
    assert "retry_policy" not in found
    ttl = found.expiration_policy.ttl.total_seconds() if found.expiration_policy.ttl else 0
    assert ttl == known(pubsub.kind, "subscription.default-expiration", 31 * DAY)


def test_settings_are_returned_as_they_were_given(pubsub: Pubsub) -> None:
    topic, dead = pubsub.topic(), pubsub.topic("dead")
    settings: dict[str, Any] = {
        "ack_deadline_seconds": 33,
        "enable_message_ordering": True,
        "filter": 'attributes.a = "b"',
        "labels": {"k": "v"},
        "message_retention_duration": {"seconds": 600},
        "expiration_policy": {"ttl": {"seconds": 2 * DAY}},
        "retry_policy": {"minimum_backoff": {"seconds": 1}},
        "dead_letter_policy": {"dead_letter_topic": dead},
        "push_config": {
            "push_endpoint": "http://127.0.0.1:1/",
            "oidc_token": {"service_account_email": "a@b.c", "audience": "x"},
        },
    }
    path = pubsub.subscription(topic, **settings)
    found = pubsub.subscriber.get_subscription(request={"subscription": path})
    assert found.ack_deadline_seconds == 33
    assert found.enable_message_ordering
    assert found.filter == 'attributes.a = "b"'
    assert dict(found.labels) == {"k": "v"}
    assert found.expiration_policy.ttl.total_seconds() == 2 * DAY
    assert found.retry_policy.minimum_backoff.total_seconds() == 1
    assert found.retry_policy.maximum_backoff.total_seconds() == 600
    assert found.dead_letter_policy.max_delivery_attempts == 5
    assert found.push_config.oidc_token.audience == "x"


def test_retention_goes_up_to_31_days(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    outcome = "OK"
    try:
        pubsub.subscription(topic, message_retention_duration={"seconds": 31 * DAY})
    except GoogleAPICallError as error:
        outcome = code_of(error)
    assert outcome == known(pubsub.kind, "subscription.long-retention", "OK")


def test_a_subscription_inherits_its_topics_retention(ours: Pubsub) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic)
    ours.publisher.update_topic(
        request={
            "topic": {"name": topic, "message_retention_duration": {"seconds": 20 * DAY}},
            "update_mask": _Mask.FieldMask(paths=["message_retention_duration"]),
        }
    )
    found = ours.subscriber.get_subscription(request={"subscription": subscription})
    assert found.topic_message_retention_duration.total_seconds() == 20 * DAY


def test_subscriptions_are_listed_by_project_and_by_topic(pubsub: Pubsub) -> None:
    one, two = pubsub.topic("one"), pubsub.topic("two")
    paths = [pubsub.subscription(one, f"sub-{n}") for n in range(3)]
    other = pubsub.subscription(two, "other")
    request = {"project": f"projects/{pubsub.project}", "page_size": 2}
    listed = [item.name for item in pubsub.subscriber.list_subscriptions(request=request)]
    assert listed == sorted([*paths, other])
    by_topic = pubsub.publisher.list_topic_subscriptions(request={"topic": one, "page_size": 2})
    assert list(by_topic) == paths
    pubsub.subscriber.delete_subscription(request={"subscription": paths[0]})
    assert list(pubsub.publisher.list_topic_subscriptions(request={"topic": one})) == paths[1:]


def test_an_update_changes_the_fields_of_its_mask_only(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    path = pubsub.subscription(topic, ack_deadline_seconds=30)
    dead = {"dead_letter_topic": topic, "max_delivery_attempts": 7}
    changed = pubsub.update(path, "dead_letter_policy", dead_letter_policy=dead, ack_deadline_seconds=99)
    assert changed.dead_letter_policy.max_delivery_attempts == 7
    assert changed.ack_deadline_seconds == 30
    assert "dead_letter_policy" not in pubsub.update(path, "dead_letter_policy")


def test_labels_of_a_subscription_are_updated(pubsub: Pubsub) -> None:
    path = pubsub.subscription(pubsub.topic())
    outcome = "OK"
    try:
        assert dict(pubsub.update(path, "labels", labels={"a": "b"}).labels) == {"a": "b"}
    except GoogleAPICallError as error:
        outcome = code_of(error)
    assert outcome == known(pubsub.kind, "subscription.update-labels", "OK")
