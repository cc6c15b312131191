"""Emulators for the Pub/Sub tests: ours and Google's for shared tests, ours with a movable clock alone."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf import field_mask_pb2
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from shared import clock
from tests.integration.pubsub.endpoint import Endpoint
from tests.support.emulators import Address, embedded, google, google_missing

_Mask: Any = field_mask_pb2


def _deprecated() -> Any:
    """Pull that returns at once is deprecated: right for servers, but how a test asks for what is there."""
    return pytest.warns(DeprecationWarning, match="return_immediately")


class Pubsub:
    """An emulator with gapic clients, and a project of its own for one test."""

    def __init__(self, address: Address) -> None:
        self.kind = address.kind
        self.grpc = address.grpc
        self.http = address.http
        self.project = f"p-{uuid4().hex[:8]}"
        # As the clients' own channels: messages are larger than gRPC's default limit.
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self.channel = grpc.insecure_channel(address.grpc, options)
        self.publisher = PublisherClient(transport=PublisherGrpcTransport(channel=self.channel))
        self.subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=self.channel))

    def topic(self, name: str = "topic") -> str:
        """Create a topic."""
        path = f"projects/{self.project}/topics/{name}"
        self.publisher.create_topic(request={"name": path})
        return path

    def subscription(self, topic: str, name: str = "sub", **settings: Any) -> str:
        """Create a subscription."""
        path = f"projects/{self.project}/subscriptions/{name}"
        self.subscriber.create_subscription(request={"name": path, "topic": topic, **settings})
        return path

    def update(self, subscription: str, *paths: str, **settings: Any) -> Any:
        """UpdateSubscription with a mask."""
        mask = _Mask.FieldMask(paths=paths)
        return self.subscriber.update_subscription(
            request={"subscription": {"name": subscription, **settings}, "update_mask": mask}
        )

    def publish(self, topic: str, *data: bytes, key: str = "", **attributes: str) -> list[str]:
        """Publish messages in one request."""
        messages = [{"data": item, "ordering_key": key, "attributes": attributes} for item in data]
        return list(self.publisher.publish(request={"topic": topic, "messages": messages}).message_ids)

    def pull(self, subscription: str, limit: int = 100, *, wait: bool = False) -> list[Any]:
        """Pull what there is now, or wait for the first."""
        request = {"subscription": subscription, "max_messages": limit, "return_immediately": not wait}
        with _deprecated() if not wait else nullcontext():
            return list(self.subscriber.pull(request=request, timeout=20, retry=None).received_messages)

    def collect(self, subscription: str, count: int) -> list[Any]:
        """Pull until ``count`` messages have come."""
        found: list[Any] = []

        def enough() -> bool:
            found.extend(self.pull(subscription))
            return len(found) >= count

        eventually(enough)
        return found

    def ack(self, subscription: str, *received: Any) -> None:
        """Acknowledge."""
        ids = [item.ack_id for item in received]
        self.subscriber.acknowledge(request={"subscription": subscription, "ack_ids": ids})

    def deadline(self, subscription: str, seconds: int, *received: Any) -> None:
        """ModifyAckDeadline; 0 is a nack."""
        self.subscriber.modify_ack_deadline(
            request={
                "subscription": subscription,
                "ack_ids": [item.ack_id for item in received],
                "ack_deadline_seconds": seconds,
            }
        )

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """A control route of ours."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.http + path, data, method=method)  # noqa: S310 loopback
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 loopback
            return json.load(answer)

    def backlog(self, subscription: str) -> dict[str, int]:
        """Of one subscription, from ``GET /backlog``."""
        found: dict[str, int] = self.control("GET", "/backlog")[subscription]
        return found

    def close(self) -> None:
        """Close the clients' channel."""
        self.channel.close()


@dataclass(frozen=True)
class Clock:
    """The movable clock of the embedded emulator."""

    path: Path

    def advance(self, seconds: float) -> None:
        """Move it forward."""
        clock.advance(self.path, seconds)


def eventually(check: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Poll until ``check`` gives something true; what it gave."""
    deadline = time.monotonic() + seconds
    while not (value := check()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not true after {seconds} s: {check}")
        time.sleep(0.02)
    return value


def stays(check: Callable[[], Any]) -> None:
    """``check`` stays true for as long as the emulator takes to notice a moved clock, three times over."""
    deadline = time.monotonic() + 0.2
    while time.monotonic() < deadline:
        assert check()
        time.sleep(0.02)


@pytest.fixture(scope="session")
def movable(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    path = tmp_path_factory.mktemp("clock") / "clock"
    clock.create(path)
    return Clock(path)


@pytest.fixture(scope="session")
def embedded_address(movable: Clock) -> Iterator[Address]:
    with embedded("pubsub", env={"FULCRUM_CLOCK_FILE": str(movable.path)}) as address:
        yield address


@pytest.fixture(scope="session")
def google_address() -> Iterator[Address]:
    if missing := google_missing("pubsub"):
        pytest.skip(missing)
    with google("pubsub") as address:
        channel = grpc.insecure_channel(address.grpc)
        grpc.channel_ready_future(channel).result(60)
        channel.close()
        yield address


@pytest.fixture(params=["embedded", pytest.param("google", marks=pytest.mark.google)])
def pubsub(request: pytest.FixtureRequest) -> Iterator[Pubsub]:
    """Ours and Google's in turn."""
    service = Pubsub(request.getfixturevalue(f"{request.param}_address"))
    yield service
    service.close()


@pytest.fixture
def ours(embedded_address: Address) -> Iterator[Pubsub]:
    """Ours alone, emptied before and after."""
    service = Pubsub(embedded_address)
    service.control("POST", "/reset")
    yield service
    service.control("POST", "/reset")
    service.close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    value = Endpoint()
    yield value
    value.close()
