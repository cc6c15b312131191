"""The methods of google.pubsub.v1.Publisher and Subscriber: read the request, call the state, answer."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncIterator, Iterable
from typing import Any

from google.protobuf import empty_pb2
from google.pubsub_v1 import types

from emulators.kit.faults import Faults
from emulators.kit.rpc import BidiStream, Service, Unary
from emulators.pubsub import errors, messages, names, pulling, settings
from emulators.pubsub.state import Broker, Topic

_Empty: Any = empty_pb2
_MAX_PAGE = 1_000
_TOPIC_FIELDS = ("labels", "message_retention_duration")
_TOPIC_REFUSED = (
    "message_storage_policy",
    "kms_key_name",
    "schema_settings",
    "ingestion_data_source_settings",
    "message_transforms",
    "tags",
)


def services(broker: Broker, faults: Faults) -> list[Service]:
    """Both gRPC services over one broker."""
    publisher, subscriber = Publisher(broker), Subscriber(broker, faults)
    return [
        Service("google.pubsub.v1.Publisher", publisher.methods(), faults),
        Service("google.pubsub.v1.Subscriber", subscriber.methods(), faults),
    ]


def page(items: Iterable[str], request: Any) -> tuple[list[str], str]:
    """The names of one page, in order, and the token of the next: the last name of this one."""
    if request.page_size < 0:
        raise errors.invalid("The value for page_size must not be negative.")
    ordered = sorted(items)
    start = bisect_right(ordered, request.page_token) if request.page_token else 0
    end = start + min(request.page_size or _MAX_PAGE, _MAX_PAGE)
    return ordered[start:end], ordered[end - 1] if end < len(ordered) else ""


class Publisher:
    """google.pubsub.v1.Publisher."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def methods(self) -> dict[str, Any]:
        """Method name → how it is served."""
        return {
            "Publish": Unary(types.PublishRequest.pb(), self.publish),
            "CreateTopic": Unary(Topic, self.create_topic),
            "UpdateTopic": Unary(types.UpdateTopicRequest.pb(), self.update_topic),
            "GetTopic": Unary(types.GetTopicRequest.pb(), self.get_topic),
            "ListTopics": Unary(types.ListTopicsRequest.pb(), self.list_topics),
            "ListTopicSubscriptions": Unary(
                types.ListTopicSubscriptionsRequest.pb(), self.list_topic_subscriptions
            ),
            "DeleteTopic": Unary(types.DeleteTopicRequest.pb(), self.delete_topic),
        }

    async def publish(self, request: Any) -> Any:
        self._broker.topic(request.topic)
        messages.check_request(request)
        ids = self._broker.publish(request.topic, request.messages)
        self._broker.journal.flush()
        return types.PublishResponse.pb()(message_ids=ids)

    async def create_topic(self, request: Any) -> Any:
        names.topic(request.name)
        _check_topic(request)
        self._broker.create_topic(request)
        self._broker.journal.flush()
        return request

    async def update_topic(self, request: Any) -> Any:
        current = self._broker.topic(request.topic.name).proto
        if not request.update_mask.paths:
            raise errors.empty_mask("Topic")
        result = Topic()
        result.CopyFrom(current)
        for path in request.update_mask.paths:
            if path not in Topic.DESCRIPTOR.fields_by_name:
                raise errors.bad_mask("Topic", path)
            if path not in (*_TOPIC_FIELDS, *_TOPIC_REFUSED):
                raise errors.not_mutable("Topic", path)
            settings.copy_field(request.topic, result, path)
        _check_topic(result)
        self._broker.update_topic(result.name, result)
        self._broker.journal.flush()
        return result

    async def get_topic(self, request: Any) -> Any:
        return self._broker.topic(request.topic).proto

    async def list_topics(self, request: Any) -> Any:
        prefix = f"{names.project(request.project)}/topics/"
        found, token = page((name for name in self._broker.topics if name.startswith(prefix)), request)
        topics = [self._broker.topics[name].proto for name in found]
        return types.ListTopicsResponse.pb()(topics=topics, next_page_token=token)

    async def list_topic_subscriptions(self, request: Any) -> Any:
        found, token = page(self._broker.topic(request.topic).subscriptions, request)
        return types.ListTopicSubscriptionsResponse.pb()(subscriptions=found, next_page_token=token)

    async def delete_topic(self, request: Any) -> Any:
        self._broker.delete_topic(request.topic)
        self._broker.journal.flush()
        return _Empty.Empty()


def _check_topic(proto: Any) -> None:
    for descriptor, _ in proto.ListFields():
        if descriptor.name in _TOPIC_REFUSED:
            raise errors.unsupported(f"Topic.{descriptor.name}")
    if proto.HasField("message_retention_duration"):
        settings.check_retention(proto.message_retention_duration)


class Subscriber:
    """google.pubsub.v1.Subscriber."""

    def __init__(self, broker: Broker, faults: Faults) -> None:
        self._broker = broker
        self._faults = faults

    def methods(self) -> dict[str, Any]:
        """Method name → how it is served."""
        return {
            "CreateSubscription": Unary(settings.Subscription, self.create_subscription),
            "GetSubscription": Unary(types.GetSubscriptionRequest.pb(), self.get_subscription),
            "UpdateSubscription": Unary(types.UpdateSubscriptionRequest.pb(), self.update_subscription),
            "ListSubscriptions": Unary(types.ListSubscriptionsRequest.pb(), self.list_subscriptions),
            "DeleteSubscription": Unary(types.DeleteSubscriptionRequest.pb(), self.delete_subscription),
            "ModifyPushConfig": Unary(types.ModifyPushConfigRequest.pb(), self.modify_push_config),
            "Pull": Unary(types.PullRequest.pb(), self.pull),
            "Acknowledge": Unary(types.AcknowledgeRequest.pb(), self.acknowledge),
            "ModifyAckDeadline": Unary(types.ModifyAckDeadlineRequest.pb(), self.modify_ack_deadline),
            "StreamingPull": BidiStream(types.StreamingPullRequest.pb(), self.streaming_pull),
        }

    async def create_subscription(self, request: Any) -> Any:
        names.subscription(request.name)
        names.topic(request.topic)
        settings.complete(request)
        self._broker.create_subscription(request)
        self._broker.journal.flush()
        return request

    async def get_subscription(self, request: Any) -> Any:
        return self._broker.subscription(request.subscription).proto

    async def update_subscription(self, request: Any) -> Any:
        subscription = self._broker.subscription(request.subscription.name)
        result = settings.updated(subscription.proto, request.subscription, request.update_mask.paths)
        self._broker.update_subscription(subscription, result)
        self._broker.journal.flush()
        return result

    async def list_subscriptions(self, request: Any) -> Any:
        prefix = f"{names.project(request.project)}/subscriptions/"
        found, token = page((name for name in self._broker.subscriptions if name.startswith(prefix)), request)
        protos = [self._broker.subscriptions[name].proto for name in found]
        return types.ListSubscriptionsResponse.pb()(subscriptions=protos, next_page_token=token)

    async def delete_subscription(self, request: Any) -> Any:
        self._broker.delete_subscription(request.subscription)
        self._broker.journal.flush()
        return _Empty.Empty()

    async def modify_push_config(self, request: Any) -> Any:
        subscription = self._broker.subscription(request.subscription)
        update = settings.Subscription(push_config=request.push_config)
        result = settings.updated(subscription.proto, update, ["push_config"])
        self._broker.update_subscription(subscription, result)
        self._broker.journal.flush()
        return _Empty.Empty()

    async def pull(self, request: Any) -> Any:
        return await pulling.pull(self._broker, request)

    async def acknowledge(self, request: Any) -> Any:
        subscription = self._broker.subscription(request.subscription)
        if not request.ack_ids:
            raise errors.invalid("No ack ids specified.")
        pulling.acknowledge(self._broker, subscription.backlog, request.ack_ids)
        return _Empty.Empty()

    async def modify_ack_deadline(self, request: Any) -> Any:
        subscription = self._broker.subscription(request.subscription)
        if not request.ack_ids:
            raise errors.invalid("No ack ids specified.")
        seconds = request.ack_deadline_seconds
        pulling.modify(self._broker, subscription.backlog, [(i, seconds) for i in request.ack_ids])
        return _Empty.Empty()

    async def streaming_pull(self, requests: AsyncIterator[Any], _: Any) -> AsyncIterator[Any]:
        await self._faults.before("StreamingPull")
        async for first in requests:
            stream = pulling.Stream(self._broker, self._faults, first)
            async for answer in stream.run(first, requests):
                yield answer
            return
