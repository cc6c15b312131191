"""All topics and subscriptions: who gets what is published, and what becomes of it.

Every change goes to the journal as well; the caller flushes it before it answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from google.pubsub_v1 import types

from emulators.pubsub import errors, names, settings
from emulators.pubsub.backlog import Backlog
from emulators.pubsub.journal import Journal
from emulators.pubsub.lanes import Entry
from emulators.pubsub.messages import Message, PubsubMessage, rfc3339, stamp

Topic = types.Topic.pb()

_DEAD = "CloudPubSubDeadLetterSource"


@dataclass
class TopicState:
    """A topic with its subscriptions, in order of creation."""

    proto: Any
    subscriptions: dict[str, SubscriptionState] = field(default_factory=dict)


@dataclass
class SubscriptionState:
    """A subscription: its settings as they are returned, and its messages.

    ``deleted`` is told to those who wait on it through the backlog's listeners.
    """

    proto: Any
    backlog: Backlog
    deleted: bool = False


class Broker:
    """The state of the emulator. ``changed`` is called with each subscription made, updated or deleted."""

    def __init__(self, journal: Journal, now_ns: Callable[[], int]) -> None:
        self.journal = journal
        self.now_ns = now_ns
        self.topics: dict[str, TopicState] = {}
        self.subscriptions: dict[str, SubscriptionState] = {}
        self.changed: Callable[[SubscriptionState], None] = lambda _: None
        self.on_due: Callable[[int], None] = lambda _: None
        # Ids only grow, over restarts too; the movable clock has no part in them.
        self._numbers = count(time.time_ns() // 1000)

    # -- topics

    def create_topic(self, proto: Any) -> None:
        """Add a checked topic; ALREADY_EXISTS."""
        if proto.name in self.topics:
            raise errors.already_exists(proto.name)
        self.topics[proto.name] = TopicState(proto)
        self.journal.put_resource("topic", proto)

    def topic(self, name: str) -> TopicState:
        """The topic of that name; NOT_FOUND."""
        topic = self.topics.get(name)
        if topic is None:
            raise errors.not_found(names.topic(name))
        return topic

    def delete_topic(self, name: str) -> None:
        """Delete a topic; its subscriptions stay, with what they have."""
        topic = self.topic(name)
        del self.topics[name]
        self.journal.delete_resource("topic", name)
        for subscription in topic.subscriptions.values():
            subscription.proto.topic = names.DELETED_TOPIC
            self._keep(subscription)

    def update_topic(self, name: str, proto: Any) -> None:
        """Replace a topic's settings by a checked copy."""
        topic = self.topic(name)
        topic.proto = proto
        self.journal.put_resource("topic", proto)
        for subscription in topic.subscriptions.values():
            self._inherit_retention(subscription.proto, topic)
            self._keep(subscription)

    # -- subscriptions

    def create_subscription(self, proto: Any) -> None:
        """Add a completed subscription; ALREADY_EXISTS, NOT_FOUND for its topic or dead-letter topic."""
        if proto.name in self.subscriptions:
            raise errors.already_exists(proto.name)
        topic = self.topic(proto.topic)
        self._check_dead_letter(proto)
        self._inherit_retention(proto, topic)
        subscription = self._attach(proto)
        self.journal.put_resource("subscription", proto)
        self.changed(subscription)

    def subscription(self, name: str) -> SubscriptionState:
        """The subscription of that name; NOT_FOUND."""
        subscription = self.subscriptions.get(name)
        if subscription is None:
            raise errors.not_found(names.subscription(name))
        return subscription

    def update_subscription(self, subscription: SubscriptionState, proto: Any) -> None:
        """Replace a subscription's settings by a completed copy."""
        self._check_dead_letter(proto)
        subscription.proto = proto
        self._keep(subscription)
        self.changed(subscription)

    def delete_subscription(self, name: str) -> None:
        """Delete a subscription with its messages."""
        subscription = self.subscription(name)
        del self.subscriptions[name]
        topic = self.topics.get(subscription.proto.topic)
        if topic is not None:
            del topic.subscriptions[name]
        for entry in subscription.backlog.entries():
            self.journal.delete(name, entry.message, entry.failures)
        self.journal.delete_resource("subscription", name)
        self._end(subscription)

    def _attach(self, proto: Any) -> SubscriptionState:
        backlog = Backlog(proto.name, settings.policy(proto), self)
        subscription = SubscriptionState(proto, backlog)
        self.subscriptions[proto.name] = subscription
        topic = self.topics.get(proto.topic)
        if topic is not None:
            topic.subscriptions[proto.name] = subscription
        return subscription

    def _keep(self, subscription: SubscriptionState) -> None:
        subscription.backlog.policy = settings.policy(subscription.proto)
        self.journal.put_resource("subscription", subscription.proto)

    def _end(self, subscription: SubscriptionState) -> None:
        subscription.deleted = True
        self.changed(subscription)
        for listener in tuple(subscription.backlog.listeners):
            listener()

    def _check_dead_letter(self, proto: Any) -> None:
        if proto.HasField("dead_letter_policy"):
            self.topic(proto.dead_letter_policy.dead_letter_topic)

    def _inherit_retention(self, proto: Any, topic: TopicState) -> None:
        proto.ClearField("topic_message_retention_duration")
        if topic.proto.HasField("message_retention_duration"):
            proto.topic_message_retention_duration.CopyFrom(topic.proto.message_retention_duration)

    # -- messages

    def publish(self, name: str, protos: Iterable[Any]) -> list[str]:
        """Publish checked messages to a topic; their ids. NOT_FOUND."""
        topic = self.topic(name)
        now = self.now_ns()
        messages = [stamp(proto, next(self._numbers), now) for proto in protos]
        for subscription in topic.subscriptions.values():
            self._deliver(subscription.backlog, messages)
        return [message.proto.message_id for message in messages]

    def _deliver(self, backlog: Backlog, messages: list[Message]) -> None:
        matches = backlog.policy.filter
        for message in messages:
            if matches is None or matches(message.proto.attributes):
                backlog.add(message)
                self.journal.put(backlog.name, message)
        backlog.notify()

    def tick(self, now: int) -> int | None:
        """Do what is due in every subscription; when the next thing is."""
        dues = []
        for subscription in self.subscriptions.values():
            due = subscription.backlog.next_due()
            if due is not None and due <= now:
                subscription.backlog.tick(now)
                due = subscription.backlog.next_due()
            if due is not None:
                dues.append(due)
        self.journal.flush()
        return min(dues, default=None)

    # -- what a backlog tells (emulators.pubsub.backlog.Owner)

    def due(self, due_ns: int) -> None:
        self.on_due(due_ns)

    def removed(self, backlog: Backlog, entry: Entry) -> None:
        self.journal.delete(backlog.name, entry.message, entry.failures)

    def failed(self, backlog: Backlog, entry: Entry) -> None:
        if backlog.policy.max_attempts or backlog.policy.backoff_ns:
            self.journal.count(backlog.name, entry.message, entry.failures)

    def dead_letter(self, backlog: Backlog, entry: Entry) -> bool:
        if backlog.policy.dead_letter_topic not in self.topics:
            return False
        proto = PubsubMessage()
        proto.CopyFrom(entry.message.proto)
        _, project, _, short = backlog.name.split("/")
        published = rfc3339(entry.message.publish_ns, "+00:00")
        proto.attributes[f"{_DEAD}Subscription"] = short
        proto.attributes[f"{_DEAD}SubscriptionProject"] = project
        proto.attributes[f"{_DEAD}TopicPublishTime"] = published
        proto.attributes[f"{_DEAD}DeliveryCount"] = str(entry.failures)
        self.publish(backlog.policy.dead_letter_topic, [proto])
        return True

    # -- start and reset

    def restore(self) -> None:
        """Read back what the journal has kept."""
        for data in self.journal.resources("topic"):
            proto = Topic.FromString(data)
            self.topics[proto.name] = TopicState(proto)
        for data in self.journal.resources("subscription"):
            self._attach(settings.Subscription.FromString(data))
        highest = 0
        for name, message, failures in self.journal.messages():
            self.subscriptions[name].backlog.add(message, failures)
            highest = max(highest, message.number)
        self._numbers = count(max(highest + 1, time.time_ns() // 1000))
        for subscription in self.subscriptions.values():
            self.changed(subscription)

    def clear(self) -> None:
        """Forget everything; those who wait on a subscription are told that it is gone."""
        subscriptions = list(self.subscriptions.values())
        self.topics.clear()
        self.subscriptions.clear()
        self.journal.clear()
        for subscription in subscriptions:
            self._end(subscription)
