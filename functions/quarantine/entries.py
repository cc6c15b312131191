"""What is kept of a message that could not be processed. Pure.

An entry's id is a digest of where its message came from, so that a redelivery is the same entry.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from fulcrum.core import ids
from shared import clock, names
from shared.envelope import Delivery, unwrap
from shared.errors import Rejected

SERVICE = "quarantine"
KEPT_DAYS = 90

_DEAD = "CloudPubSubDeadLetterSource"
_DEAD_SUBSCRIPTION = f"{_DEAD}Subscription"
_DEAD_TOPIC = "dead-letter"
_ID = re.compile(r"(?!__)[A-Za-z0-9_\-]{1,128}\Z")


class _Scope(msgspec.Struct, rename="camel"):
    project_id: Any = None
    network_id: Any = None


class _Named(msgspec.Struct):
    id: Any = None


_scope = msgspec.json.Decoder(_Scope)
_scopes = msgspec.json.Decoder(list[_Scope])
_named = msgspec.json.Decoder(_Named)
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# A batch has no more; what is longer than an id may be is none.
_MAX_IDS = 500
_MAX_ID_LENGTH = 256


class Entry(NamedTuple):
    """One entry: its project and id, its fields without the bytes, and the bytes as they came."""

    project_id: str
    id: str
    fields: dict[str, Any]
    data: bytes


def from_delivery(delivery: Delivery) -> Entry:
    """The entry of a message of the topic ``quarantine`` or ``dead-letter``."""
    if is_dead_letter(delivery):
        return _dead_letter(delivery)
    attributes = delivery.attributes
    source = attributes.get("sourceMessageId") or delivery.message_id
    topic, index = attributes.get("topic", ""), attributes.get("index", "0")
    version = _whole_number(attributes.get("scriptVersion"))
    # What is wrong in a line, so that a list of entries is one; a traceback stands behind it.
    message, _, detail = attributes.get("message", "").partition("\n")
    return _entry(
        delivery,
        ids.digest("quarantine", topic, source, index, delivery.data),
        {
            "errorType": attributes.get("errorType", "unknown"),
            "message": message,
            "service": attributes.get("service", ""),
            "topic": topic,
            "time": _whole_number(attributes.get("time")) or _published_ms(delivery),
            "sourceMessageId": source,
            "index": _whole_number(index) or 0,
            **({"detail": detail} if detail else {}),
            **({"scriptId": attributes["scriptId"]} if attributes.get("scriptId") else {}),
            **({"scriptVersion": version} if version is not None else {}),
        },
    )


def from_body(body: bytes, error: Rejected) -> Entry:
    """The entry of a request that is no push: its body as it came."""
    now = clock.now_ms()
    delivery = Delivery("", body, {}, "", "", 0)
    fields = {
        "errorType": error.error_type,
        "message": error.message[:900],
        "service": SERVICE,
        "topic": "",
        "time": now,
        "sourceMessageId": "",
        "index": 0,
    }
    return _entry(delivery, ids.digest("body", body), fields)


def is_dead_letter(delivery: Delivery) -> bool:
    """Whether a message comes from the dead-letter topic: by Pub/Sub's attributes or by its subscription."""
    if _DEAD_SUBSCRIPTION in delivery.attributes:
        return True
    return delivery.subscription.rpartition("/")[2].startswith(f"{_DEAD_TOPIC}-")


def _dead_letter(delivery: Delivery) -> Entry:
    attributes = delivery.attributes
    subscription = attributes.get(_DEAD_SUBSCRIPTION, "").rpartition("/")[2]
    count = attributes.get(f"{_DEAD}DeliveryCount", "")
    # Pub/Sub may forward a message twice, under two ids; the source's publish time stays the same.
    source = attributes.get(f"{_DEAD}TopicPublishTime") or delivery.message_id
    return _entry(
        delivery,
        ids.digest(_DEAD_TOPIC, subscription, source, delivery.data),
        {
            "errorType": "delivery.exhausted",
            "message": f"no delivery of {subscription or 'its subscription'} succeeded"
            + (f" in {count} attempts" if count else ""),
            "service": "",
            # The subscription tells it; whoever re-drives looks it up in functions/services.yaml.
            "topic": "",
            "subscription": subscription,
            "time": _published_ms(delivery),
            "sourceMessageId": delivery.message_id,
            "index": 0,
        },
    )


def _entry(delivery: Delivery, entry_id: str, fields: dict[str, Any]) -> Entry:
    inside = _inside(delivery.data)
    project = delivery.attributes.get("projectId") or inside.project_id
    project_id = project if isinstance(project, str) and _ID.match(project) else names.NO_PROJECT
    network = inside.network_id
    time = fields["time"]
    fields |= {
        "attributes": dict(delivery.attributes),
        "publishTime": _published_ms(delivery),
        "projectId": project_id,
        "networkId": network[:1000] if isinstance(network, str) else None,
        "size": len(delivery.data),
        "eventIds": _event_ids(delivery.data),
        "expireAt": clock.from_ms(max(time, clock.now_ms())) + timedelta(days=KEPT_DAYS),
    }
    return Entry(project_id, entry_id, fields, delivery.data)


def _event_ids(data: bytes) -> list[str]:
    """The ids of the messages in it: by them whoever misses an event finds it here."""
    found: dict[str, None] = {}
    try:
        messages = unwrap(data).messages
    except Rejected:
        return []
    for raw in messages[:_MAX_IDS]:
        try:
            event_id = _named.decode(raw).id
        except _UNDECODABLE:
            continue
        if isinstance(event_id, str) and 0 < len(event_id) <= _MAX_ID_LENGTH:
            found[event_id] = None
    return list(found)


def _inside(data: bytes) -> _Scope:
    """What the message itself says of its project and network, if it can be read at all."""
    try:
        if data.lstrip()[:1] == b"[":
            scopes = _scopes.decode(data)
            return _common(scopes)
        return _scope.decode(data)
    except _UNDECODABLE:
        return _Scope()


def _common(scopes: list[_Scope]) -> _Scope:
    """What all messages of a batch have in common; a batch of several projects is nobody's."""
    first = scopes[0] if scopes else _Scope()
    same_project = all(scope.project_id == first.project_id for scope in scopes)
    same_network = all(scope.network_id == first.network_id for scope in scopes)
    return _Scope(first.project_id if same_project else None, first.network_id if same_network else None)


def _published_ms(delivery: Delivery) -> int:
    try:
        return clock.to_ms(datetime.fromisoformat(delivery.publish_time))
    except ValueError:
        return clock.now_ms()


def _whole_number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= 15 else None
