"""Push delivery."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from tests.integration.pubsub.conftest import Clock, Pubsub, eventually
from tests.integration.pubsub.differences import known
from tests.integration.pubsub.endpoint import Endpoint


def pushing(service: Pubsub, endpoint: Endpoint, **settings: Any) -> tuple[str, str]:
    """A topic with a push subscription."""
    topic = service.topic()
    settings.setdefault("push_config", {"push_endpoint": endpoint.url})
    return topic, service.subscription(topic, **settings)


def test_a_push_has_the_services_wrapper(pubsub: Pubsub, endpoint: Endpoint) -> None:
    dead = pubsub.topic("dead")
    topic, subscription = pushing(
        pubsub,
        endpoint,
        enable_message_ordering=True,
        dead_letter_policy={"dead_letter_topic": dead},
    )
    (message_id,) = pubsub.publish(topic, b"\x00\xff?>", key="k", a='é"\n')
    (push,) = endpoint.wait(1)
    body = push.json()
    message = body["message"]
    published = message["publishTime"]
    assert push.path == "/push"
    assert push.headers["content-type"] == "application/json"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", published)
    expected = {
        "attributes": {"a": 'é"\n'},
        "data": base64.b64encode(b"\x00\xff?>").decode(),
        "messageId": message_id,
        "message_id": message_id,
        "publishTime": published,
        "publish_time": published,
    }
    if (key := known(pubsub.kind, "push.ordering-key", "k")) is not None:
        expected["orderingKey"] = key
    assert message == expected
    assert body["subscription"] == subscription
    assert body.get("deliveryAttempt") == known(pubsub.kind, "push.delivery-attempt", 1)


def test_empty_fields_are_left_out(pubsub: Pubsub, endpoint: Endpoint) -> None:
    topic, _ = pushing(pubsub, endpoint)
    pubsub.publish(topic, b"", only="attributes")
    assert endpoint.wait(1)[0].json()["message"].get("data") == known(pubsub.kind, "push.empty-data", None)
    pubsub.publish(topic, b"x")
    attributes = endpoint.wait(2)[1].json()["message"].get("attributes")
    assert attributes == known(pubsub.kind, "push.no-attributes", None)


def test_a_push_without_wrapper_is_the_data_with_metadata_as_headers(
    pubsub: Pubsub, endpoint: Endpoint
) -> None:
    config = {"push_endpoint": endpoint.url, "no_wrapper": {"write_metadata": True}}
    topic, subscription = pushing(pubsub, endpoint, push_config=config, enable_message_ordering=True)
    (message_id,) = pubsub.publish(topic, b"raw \xff", key="k", kind="event")
    (push,) = endpoint.wait(1)
    assert push.body == known(pubsub.kind, "push.unwrapped-binary", b"raw \xff")
    assert push.headers["x-goog-pubsub-subscription-name"] == subscription
    assert push.headers["x-goog-pubsub-message-id"] == message_id
    assert push.headers["kind"] == "event"
    header = known(pubsub.kind, "push.unwrapped-ordering-key", "x-goog-pubsub-ordering-key")
    assert push.headers[header] == "k"


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_these_answers_acknowledge(ours: Pubsub, endpoint: Endpoint, status: int) -> None:
    endpoint.status = status
    topic, subscription = pushing(ours, endpoint)
    ours.publish(topic, b"x")
    endpoint.wait(1)
    eventually(lambda: ours.backlog(subscription)["outstanding"] == 0)
    assert ours.backlog(subscription)["undelivered"] == 0


@pytest.mark.parametrize("status", [203, 206, 301, 400, 404, 429, 500, 503])
def test_any_other_answer_brings_the_message_again(pubsub: Pubsub, endpoint: Endpoint, status: int) -> None:
    endpoint.statuses = [status]
    topic, _ = pushing(pubsub, endpoint)
    pubsub.publish(topic, b"x")
    expected = known(pubsub.kind, f"push.status-{status}", 2)
    ids = [push.json()["message"]["messageId"] for push in endpoint.wait(expected)]
    assert len(set(ids)) == 1


def test_a_failing_endpoint_that_recovers_gets_everything(pubsub: Pubsub, endpoint: Endpoint) -> None:
    endpoint.statuses = [500] * 6
    topic, _ = pushing(pubsub, endpoint)
    pubsub.publish(topic, *(b"%d" % n for n in range(10)))
    endpoint.wait(16, 60)
    accepted = endpoint.received[6:]
    found = {base64.b64decode(push.json()["message"]["data"]) for push in accepted}
    assert found == {b"%d" % n for n in range(10)}


def test_an_endpoint_that_nobody_serves_is_tried_until_somebody_does(
    ours: Pubsub, endpoint: Endpoint, movable: Clock
) -> None:
    config = {"push_endpoint": "http://127.0.0.1:9/"}  # discard: nobody listens
    topic, subscription = pushing(
        ours, endpoint, push_config=config, retry_policy={"minimum_backoff": {"seconds": 100}}
    )
    ours.publish(topic, b"x")
    eventually(lambda: ours.control("GET", "/calls").get("Push"))
    ours.subscriber.modify_push_config(
        request={"subscription": subscription, "push_config": {"push_endpoint": endpoint.url}}
    )
    eventually(lambda: ours.backlog(subscription)["outstanding"] == 0)
    movable.advance(101)
    endpoint.wait(1)
    eventually(lambda: ours.backlog(subscription)["undelivered"] == 0)


def test_an_endpoint_that_answers_after_the_deadline_is_pushed_again(
    ours: Pubsub, endpoint: Endpoint, movable: Clock
) -> None:
    endpoint.gate.clear()
    topic, subscription = pushing(ours, endpoint)
    ours.publish(topic, b"x")
    endpoint.wait(1)
    movable.advance(11)
    endpoint.wait(2)
    endpoint.gate.set()
    eventually(lambda: ours.backlog(subscription)["outstanding"] == 0)
    assert ours.backlog(subscription)["undelivered"] == 0


def test_messages_of_a_key_are_pushed_one_after_the_other(ours: Pubsub, endpoint: Endpoint) -> None:
    endpoint.statuses = [200, 500]
    topic, _ = pushing(ours, endpoint, enable_message_ordering=True)
    ours.publish(topic, *(b"%d" % n for n in range(5)), key="k")
    order = [base64.b64decode(push.json()["message"]["data"]) for push in endpoint.wait(6)]
    assert order == [b"0", b"1", b"1", b"2", b"3", b"4"]
    assert endpoint.most_at_once == 1


def test_pushes_are_concurrent_and_their_number_is_bounded(ours: Pubsub, endpoint: Endpoint) -> None:
    endpoint.gate.clear()
    topic, subscription = pushing(ours, endpoint)
    ours.publish(topic, *(b"%d" % n for n in range(100)))
    endpoint.wait(16)
    found = ours.backlog(subscription)
    assert (found["outstanding"], found["undelivered"]) == (16, 84)
    endpoint.gate.set()
    endpoint.wait(100)
    assert endpoint.most_at_once >= 16


@pytest.mark.parametrize("size", [1_000, 100_000, 1_000_000, 5_000_000])
def test_large_bodies_arrive_whole(ours: Pubsub, endpoint: Endpoint, size: int) -> None:
    topic, subscription = pushing(ours, endpoint)
    data = bytes(range(256)) * (size // 256)
    ours.publish(topic, data)
    (push,) = endpoint.wait(1)
    assert int(push.headers["content-length"]) == len(push.body)
    assert base64.b64decode(push.json()["message"]["data"]) == data
    eventually(lambda: ours.backlog(subscription)["outstanding"] == 0)


def test_a_subscription_turns_from_pull_to_push_and_back(ours: Pubsub, endpoint: Endpoint) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic)
    ours.publish(topic, b"waiting")
    config = {"push_endpoint": endpoint.url}
    ours.subscriber.modify_push_config(request={"subscription": subscription, "push_config": config})
    endpoint.wait(1)
    assert ours.pull(subscription) == []
    ours.update(subscription, "push_config")
    ours.publish(topic, b"pulled")
    assert [item.message.data for item in ours.collect(subscription, 1)] == [b"pulled"]
    assert len(endpoint.received) == 1


def test_a_deleted_subscription_is_pushed_no_more(ours: Pubsub, endpoint: Endpoint) -> None:
    endpoint.status = 500
    topic, subscription = pushing(ours, endpoint)
    ours.publish(topic, b"x")
    endpoint.wait(1)
    ours.subscriber.delete_subscription(request={"subscription": subscription})
    other = ours.subscription(topic, "other", push_config={"push_endpoint": endpoint.url})
    endpoint.status = 200
    ours.publish(topic, b"y")
    eventually(lambda: endpoint.received[-1].json()["subscription"] == other)


def test_faults_can_be_put_on_pushes(ours: Pubsub, endpoint: Endpoint, movable: Clock) -> None:
    ours.control("POST", "/faults", {"rules": [{"method": "Push", "drop_answer_rate": 1}]})
    topic, subscription = pushing(ours, endpoint, retry_policy={"minimum_backoff": {"seconds": 100}})
    ours.publish(topic, b"x")
    endpoint.wait(1)
    eventually(lambda: ours.backlog(subscription)["outstanding"] == 0)
    assert ours.backlog(subscription)["undelivered"] == 1  # answered 200, and the answer was lost
    ours.control("DELETE", "/faults")
    movable.advance(101)
    endpoint.wait(2)
    eventually(lambda: ours.backlog(subscription)["undelivered"] == 0)
