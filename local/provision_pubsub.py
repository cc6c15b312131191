"""Topics and push subscriptions, through Google's client."""

from __future__ import annotations

from typing import Any

import grpc
from google.api_core.exceptions import AlreadyExists
from google.api_core.retry import Retry
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1 import types
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.topology import Subscription, Topology

# What an emulator needs to start listening, with room to spare.
_RETRY = Retry(initial=0.05, maximum=1.0, timeout=30.0)
# All that can be changed in a subscription that exists, its topic apart.
_UPDATED = ("push_config", "ack_deadline_seconds", "retry_policy", "dead_letter_policy")


def provision(topology: Topology, project: str, emulator: str, push_base: str) -> None:
    """Make what is missing, and set what exists to what ``services.yaml`` says."""
    with grpc.insecure_channel(emulator) as channel:
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        for topic in topology.topics.values():
            _make_topic(publisher, f"projects/{project}/topics/{topic.name}")
        for subscription in topology.subscriptions.values():
            _make_subscription(subscriber, _described(subscription, project, push_base))


def _make_topic(publisher: Any, name: str) -> None:
    try:
        publisher.create_topic(request={"name": name}, retry=_RETRY, timeout=10.0)
    except AlreadyExists:
        return  # kept from an earlier run; a topic has nothing to be changed


def _make_subscription(subscriber: Any, subscription: Any) -> None:
    try:
        subscriber.create_subscription(request=subscription, retry=_RETRY, timeout=10.0)
    except AlreadyExists:
        mask = FieldMask(paths=_UPDATED)
        request = types.UpdateSubscriptionRequest(subscription=subscription, update_mask=mask)
        subscriber.update_subscription(request=request, retry=_RETRY, timeout=10.0)


def _described(subscription: Subscription, project: str, push_base: str) -> Any:
    dead = subscription.dead_letter
    return types.Subscription(
        name=f"projects/{project}/subscriptions/{subscription.name}",
        topic=f"projects/{project}/topics/{subscription.topic}",
        push_config=types.PushConfig(push_endpoint=f"{push_base}{subscription.function}"),
        ack_deadline_seconds=subscription.ack_deadline_seconds,
        retry_policy=types.RetryPolicy(
            minimum_backoff=Duration(seconds=subscription.retry_minimum_seconds),
            maximum_backoff=Duration(seconds=subscription.retry_maximum_seconds),
        ),
        dead_letter_policy=types.DeadLetterPolicy(
            dead_letter_topic=f"projects/{project}/topics/{dead.topic}",
            max_delivery_attempts=dead.max_delivery_attempts,
        )
        if dead
        else None,
    )
