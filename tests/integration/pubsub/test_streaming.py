"""StreamingPull, raw and through the high-level subscriber."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from google.api_core.exceptions import NotFound, ServiceUnavailable
from google.cloud import pubsub_v1

from tests.integration.pubsub.conftest import Clock, Pubsub, eventually


class RawStream:
    """A StreamingPull whose requests are sent one by one."""

    def __init__(self, service: Pubsub, subscription: str, **first: Any) -> None:
        self._requests: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._requests.put({"subscription": subscription, "stream_ack_deadline_seconds": 10} | first)
        self._call = service.subscriber.streaming_pull(requests=iter(self._requests.get, None), timeout=60)
        self._answers: queue.Queue[Any] = queue.Queue()
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        try:
            for answer in self._call:
                for item in answer.received_messages:
                    self._answers.put(item)
        except Exception as error:  # whatever ends the stream is what the test looks at
            self.error = error

    def send(self, **request: Any) -> None:
        """Send one more request."""
        self._requests.put(request)

    def take(self, count: int) -> list[Any]:
        """The next messages."""
        return [self._answers.get(timeout=15) for _ in range(count)]

    def empty(self) -> bool:
        """Whether no message waits."""
        return self._answers.empty()

    def close(self) -> None:
        """Half-close and wait for the end."""
        self._requests.put(None)
        self._thread.join(15)
        assert not self._thread.is_alive()


@contextmanager
def opened(service: Pubsub, subscription: str, **first: Any) -> Iterator[RawStream]:
    stream = RawStream(service, subscription, **first)
    try:
        yield stream
    finally:
        stream.close()


def test_a_stream_delivers_and_takes_acks_and_nacks(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic)
    with opened(pubsub, subscription) as stream:
        pubsub.publish(topic, b"a", b"b")
        first = {item.message.data: item for item in stream.take(2)}
        stream.send(
            ack_ids=[first[b"a"].ack_id],
            modify_deadline_ack_ids=[first[b"b"].ack_id],
            modify_deadline_seconds=[0],
        )
        (again,) = stream.take(1)
        assert again.message.data == b"b"
        stream.send(ack_ids=[again.ack_id])
        pubsub.publish(topic, b"c")
        assert [item.message.data for item in stream.take(1)] == [b"c"]


def test_flow_control_holds_back_until_acks_come(ours: Pubsub) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic)
    ours.publish(topic, *(b"%d" % n for n in range(5)))
    with opened(ours, subscription, max_outstanding_messages=2) as stream:
        first = stream.take(2)
        assert ours.backlog(subscription) | {"oldest_age_ms": 0} == {
            "undelivered": 3,
            "outstanding": 2,
            "oldest_age_ms": 0,
        }
        assert stream.empty()
        stream.send(ack_ids=[item.ack_id for item in first])
        stream.take(2)
        assert ours.backlog(subscription)["undelivered"] == 1


def test_flow_control_counts_bytes(ours: Pubsub) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic)
    ours.publish(topic, *([b"x" * 1000] * 5))
    with opened(ours, subscription, max_outstanding_bytes=1500) as stream:
        stream.take(2)
        assert ours.backlog(subscription)["outstanding"] == 2
        assert stream.empty()


def test_the_streams_own_ack_deadline_counts_and_can_be_extended(ours: Pubsub, movable: Clock) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic, ack_deadline_seconds=60)
    with opened(ours, subscription, stream_ack_deadline_seconds=20) as stream:
        ours.publish(topic, b"x")
        (first,) = stream.take(1)
        movable.advance(21)
        (second,) = stream.take(1)
        assert second.message.message_id == first.message.message_id
        stream.send(modify_deadline_ack_ids=[second.ack_id], modify_deadline_seconds=[600])
        eventually(lambda: ours.control("GET", "/calls"))
        stream.send(ack_ids=[])
        ours.publish(topic, b"y")
        (other,) = stream.take(1)
        stream.send(ack_ids=[other.ack_id])
        eventually(lambda: ours.backlog(subscription)["outstanding"] == 1)
        movable.advance(300)
        ours.publish(topic, b"z")
        assert [item.message.data for item in stream.take(1)] == [b"z"]


def test_messages_of_a_closed_stream_come_again_after_their_deadline(ours: Pubsub, movable: Clock) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic)
    with opened(ours, subscription) as stream:
        ours.publish(topic, b"x")
        stream.take(1)
    assert ours.backlog(subscription)["outstanding"] == 1
    movable.advance(11)
    assert [item.message.data for item in ours.collect(subscription, 1)] == [b"x"]


def test_a_stream_ends_when_its_subscription_is_deleted(ours: Pubsub) -> None:
    subscription = ours.subscription(ours.topic())
    with opened(ours, subscription) as stream:
        eventually(lambda: ours.control("GET", "/calls").get("StreamingPull"))
        ours.subscriber.delete_subscription(request={"subscription": subscription})
        eventually(lambda: stream.error)
    assert isinstance(stream.error, NotFound)


def test_a_broken_answer_leaves_the_messages_to_be_delivered_again(ours: Pubsub, movable: Clock) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic)
    ours.publish(topic, b"x")
    ours.control("POST", "/faults", {"rules": [{"method": "StreamingPull", "drop_answer_rate": 1}]})
    with opened(ours, subscription) as stream:
        eventually(lambda: stream.error)
    assert isinstance(stream.error, ServiceUnavailable)
    ours.control("DELETE", "/faults")
    movable.advance(11)
    assert [item.message.data for item in ours.collect(subscription, 1)] == [b"x"]


def test_a_refused_stream_delivers_nothing(ours: Pubsub) -> None:
    topic = ours.topic()
    subscription = ours.subscription(topic)
    ours.publish(topic, b"x")
    ours.control("POST", "/faults", {"rules": [{"method": "StreamingPull", "error_rate": 1}]})
    with opened(ours, subscription) as stream:
        eventually(lambda: stream.error)
    assert isinstance(stream.error, ServiceUnavailable)
    assert ours.backlog(subscription)["undelivered"] == 1


@pytest.mark.parametrize("ordered", [False, True])
def test_the_high_level_clients_publish_and_subscribe(
    pubsub: Pubsub, monkeypatch: pytest.MonkeyPatch, ordered: bool
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub.grpc)
    topic = pubsub.topic()
    subscription = pubsub.subscription(topic, enable_message_ordering=ordered)
    options = pubsub_v1.types.PublisherOptions(enable_message_ordering=ordered)
    publisher = pubsub_v1.PublisherClient(publisher_options=options)
    key = {"ordering_key": "k"} if ordered else {}
    received: queue.Queue[bytes] = queue.Queue()
    nacked: set[str] = set()

    # A nack in Google's emulator holds the key back until the others' deadline: see differences.py.
    nacks = not ordered or pubsub.kind == "embedded"

    def handle(message: Any) -> None:
        if message.data == b"7" and nacks and not nacked:
            nacked.add(message.message_id)
            message.nack()
            return
        received.put(message.data)
        message.ack()

    got: list[bytes] = []
    with pubsub_v1.SubscriberClient() as subscriber:
        flow = pubsub_v1.types.FlowControl(max_messages=5)
        future = subscriber.subscribe(subscription, handle, flow_control=flow)
        sent = [publisher.publish(topic, b"%d" % n, **key) for n in range(20)]
        ids = [item.result(15) for item in sent]
        while len(set(got)) < 20:
            got.append(received.get(timeout=30))
        future.cancel()
        future.result(15)
    publisher.stop()
    publisher.transport.close()
    assert len(set(ids)) == 20
    assert set(got) == {b"%d" % n for n in range(20)}
    if ordered:  # what followed the nacked one came once more, after it
        assert list(dict.fromkeys(reversed(got)))[::-1] == [b"%d" % n for n in range(20)]
