"""``--data``: SIGKILL loses nothing that was answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.integration.pubsub.conftest import Pubsub, eventually
from tests.integration.pubsub.endpoint import Endpoint
from tests.support.emulators import embedded


@contextmanager
def kept(folder: Path) -> Iterator[Pubsub]:
    """An emulator on a folder; leaving kills it with SIGKILL."""
    with embedded("pubsub", "--data", str(folder)) as address:
        service = Pubsub(address)
        service.project = "kept"
        yield service
        service.close()


def test_messages_and_acks_survive_a_kill(tmp_path: Path) -> None:
    with kept(tmp_path) as service:
        topic, dead = service.topic(), service.topic("dead")
        subscription = service.subscription(
            topic, ack_deadline_seconds=60, dead_letter_policy={"dead_letter_topic": dead}
        )
        letters = service.subscription(dead, "letters")
        gone = service.subscription(topic, "gone")
        ids = service.publish(topic, *(b"%d" % n for n in range(10)), a="b")
        received = service.collect(subscription, 10)
        service.ack(subscription, *received[:4])
        service.deadline(subscription, 0, received[4])
        service.subscriber.delete_subscription(request={"subscription": gone})
    with kept(tmp_path) as service:
        assert sorted(service.control("GET", "/backlog")) == sorted([subscription, letters])
        found = service.subscriber.get_subscription(request={"subscription": subscription})
        assert found.ack_deadline_seconds == 60
        again = {item.message.message_id: item for item in service.collect(subscription, 6)}
        assert sorted(again) == sorted(item.message.message_id for item in received[4:])
        assert all(dict(item.message.attributes) == {"a": "b"} for item in again.values())
        attempts = {key: item.delivery_attempt for key, item in again.items()}
        assert attempts.pop(received[4].message.message_id) == 2
        assert set(attempts.values()) == {1}
        (fresh,) = service.publish(topic, b"after")
        assert int(fresh) > max(map(int, ids))
        service.ack(subscription, received[5])  # an ack id from before the kill
        assert service.backlog(subscription)["outstanding"] == 5


def test_order_survives_a_kill(tmp_path: Path) -> None:
    with kept(tmp_path) as service:
        topic = service.topic()
        subscription = service.subscription(topic, enable_message_ordering=True)
        service.publish(topic, *(b"%d" % n for n in range(12)), key="k")
        service.ack(subscription, *service.pull(subscription, 2, wait=True))
    with kept(tmp_path) as service:
        found = [item.message.data for item in service.collect(subscription, 10)]
        assert found == [b"%d" % n for n in range(2, 12)]


def test_pushes_go_on_after_a_kill_and_what_was_acknowledged_stays_so(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    endpoint.statuses = [200, 500]
    with kept(tmp_path) as service:
        topic = service.topic()
        subscription = service.subscription(
            topic,
            push_config={"push_endpoint": endpoint.url},
            retry_policy={"minimum_backoff": {"seconds": 600}},
        )
        service.publish(topic, b"done")
        eventually(
            lambda: service.backlog(subscription) == {"undelivered": 0, "outstanding": 0, "oldest_age_ms": 0}
        )
        (failed,) = service.publish(topic, b"failed")
        endpoint.wait(2)
        eventually(lambda: service.backlog(subscription)["outstanding"] == 0)
    with kept(tmp_path) as service:
        assert endpoint.wait(3)[2].json()["message"]["messageId"] == failed
        eventually(lambda: service.backlog(subscription)["undelivered"] == 0)
    assert len(endpoint.received) == 3


def test_a_deleted_topic_and_a_reset_stay_so(tmp_path: Path) -> None:
    with kept(tmp_path) as service:
        topic = service.topic()
        subscription = service.subscription(topic)
        service.publish(topic, b"x")
        service.publisher.delete_topic(request={"topic": topic})
    with kept(tmp_path) as service:
        found = service.subscriber.get_subscription(request={"subscription": subscription})
        assert found.topic == "_deleted-topic_"
        assert service.backlog(subscription)["undelivered"] == 1
        service.control("POST", "/reset")
    with kept(tmp_path) as service:
        assert service.control("GET", "/backlog") == {}
