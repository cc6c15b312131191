"""Messages as they are published: limits, the server's id and time, what is kept of each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from google.pubsub_v1 import types

from emulators.pubsub.errors import invalid, too_large

PubsubMessage = types.PubsubMessage.pb()

MAX_REQUEST_BYTES = 10_000_000
MAX_MESSAGES = 1_000
_MAX_ATTRIBUTES = 100
_MAX_KEY_BYTES = 256
_MAX_VALUE_BYTES = 1_024
_MAX_ORDERING_KEY_BYTES = 1_024


class Message:
    """One published message. ``proto`` is shared by all subscriptions and never changed again."""

    __slots__ = ("number", "proto", "publish_ns", "size")

    def __init__(self, number: int, publish_ns: int, proto: Any) -> None:
        self.number = number
        self.publish_ns = publish_ns
        self.proto = proto
        self.size: int = proto.ByteSize()


def stamp(proto: Any, number: int, publish_ns: int) -> Message:
    """Give a checked message its id and publish time (ns since the epoch), in place."""
    proto.message_id = str(number)
    publish_ns -= publish_ns % 1_000_000  # the service keeps milliseconds
    proto.publish_time.seconds = publish_ns // 1_000_000_000
    proto.publish_time.nanos = publish_ns % 1_000_000_000
    return Message(number, publish_ns, proto)


def load(number: int, data: bytes) -> Message:
    """A message as :meth:`emulators.pubsub.journal.Journal.put` wrote it."""
    proto = PubsubMessage.FromString(data)
    time = proto.publish_time
    return Message(number, time.seconds * 1_000_000_000 + time.nanos, proto)


def check_request(request: Any) -> None:
    """Refuse a PublishRequest that breaks a limit of the service, with INVALID_ARGUMENT."""
    messages: Sequence[Any] = request.messages
    if not messages:
        raise invalid("The publish request contains no messages.")
    if len(messages) > MAX_MESSAGES:
        raise too_large("message_count", len(messages), MAX_MESSAGES)
    size = request.ByteSize()
    if size > MAX_REQUEST_BYTES:
        raise too_large("request_size", size, MAX_REQUEST_BYTES)
    for message in messages:
        _check(message)


def _check(message: Any) -> None:
    attributes = message.attributes
    if attributes:
        _check_attributes(attributes)
    elif not message.data:
        raise invalid(
            "One or more messages in the publish request is empty. Each message must contain either "
            "non-empty data, or at least one attribute."
        )
    key = message.ordering_key
    if key and _bytes(key) > _MAX_ORDERING_KEY_BYTES:
        raise too_large("ordering_key_size", _bytes(key), _MAX_ORDERING_KEY_BYTES)


def _check_attributes(attributes: Any) -> None:
    if len(attributes) > _MAX_ATTRIBUTES:
        raise too_large("attribute_count", len(attributes), _MAX_ATTRIBUTES)
    for key, value in attributes.items():
        if not key or key[:4].lower() == "goog":
            raise invalid(
                f"The request contains an attribute key that is not valid (key={key}). Attribute keys "
                "must be non-empty and must not begin with 'goog' (case-insensitive)."
            )
        if len(key) > 64 and _bytes(key) > _MAX_KEY_BYTES:
            raise too_large("attribute_key_size", _bytes(key), _MAX_KEY_BYTES)
        if len(value) > 256 and _bytes(value) > _MAX_VALUE_BYTES:
            raise too_large("attribute_value_size", _bytes(value), _MAX_VALUE_BYTES)


def _bytes(text: str) -> int:
    return len(text.encode())


def rfc3339(ns: int, zone: str) -> str:
    """An instant (ns since the epoch) with milliseconds; ``zone`` is how UTC is written."""
    seconds, rest = divmod(ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}{zone}"
