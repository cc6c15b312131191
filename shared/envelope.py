"""A Pub/Sub push, decoded: what came, from which subscription, for the how manieth time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import msgspec

from shared.errors import Rejected
from shared.messages import MAX_HOPS, RouteMsg


class _PushMessage(msgspec.Struct, rename="camel"):
    message_id: str
    data: str = ""
    attributes: dict[str, str] = {}
    publish_time: str = ""
    ordering_key: str = ""


class _Push(msgspec.Struct, rename="camel"):
    message: _PushMessage
    subscription: str = ""
    delivery_attempt: int = 0


_push_decoder = msgspec.json.Decoder(_Push)
_route_decoder = msgspec.json.Decoder(RouteMsg)
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])
# UnicodeDecodeError is none of msgspec's own errors; RecursionError comes from very deep nesting.
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Delivery(msgspec.Struct, frozen=True):
    """One delivery of one Pub/Sub message. ``attempt`` is 0 where the server does not count."""

    message_id: str
    data: bytes
    attributes: Mapping[str, str]
    subscription: str
    publish_time: str
    attempt: int

    @property
    def hops(self) -> int:
        """How many services the message has passed."""
        text = self.attributes.get("hops", "0")
        return int(text) if text.isdecimal() and len(text) < 6 else 0

    def named(self) -> dict[str, Any]:
        """What every log line about a delivery says: by it the way of an event is found again."""
        project = self.attributes.get("projectId")
        named = {"messageId": self.message_id, "attempt": self.attempt}
        return named | {"projectId": project} if project else named


class Contents(msgspec.Struct, frozen=True):
    """The messages of a delivery, each still raw, with the options and the rest of their route."""

    messages: list[msgspec.Raw]
    options: Mapping[str, Any]
    route: Any


def decode_push(body: bytes) -> Delivery:
    """The wrapped push body that Pub/Sub posts; Rejected if it is none."""
    try:
        push = _push_decoder.decode(body)
        message = push.message
        data = base64.b64decode(message.data, validate=True)
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise Rejected("push.undecodable", f"not a Pub/Sub push: {error}") from None
    return Delivery(
        message.message_id,
        data,
        message.attributes,
        push.subscription,
        message.publish_time,
        push.delivery_attempt,
    )


def check_hops(delivery: Delivery) -> None:
    """Rejected (``route.loop``) for a message that has passed too many services."""
    if delivery.hops > MAX_HOPS:
        raise Rejected("route.loop", f"the message has passed {delivery.hops} services; at most {MAX_HOPS}")


def unwrap(data: bytes) -> Contents:
    """Split a message's data into its messages; Rejected if it is neither object nor array.

    A message that is no JSON stays one of its batch, for whoever decodes it to refuse it alone.
    """
    options: Mapping[str, Any] = {}
    route: Any = None
    raw: bytes | msgspec.Raw = data
    if data.lstrip()[:1] == b"{":
        if b'"routeMsg"' not in data:
            return Contents([msgspec.Raw(data)], options, route)
        wrapped = _route_message(data)
        if wrapped is None:
            # Some other message whose text holds that word.
            return Contents([msgspec.Raw(data)], options, route)
        options, route, raw = wrapped.options, wrapped.route, wrapped.message
    head = bytes(raw).lstrip()[:1]
    if head == b"[":
        return Contents(_elements(bytes(raw)), options, route)
    if head == b"{":
        return Contents([msgspec.Raw(bytes(raw))], options, route)
    raise Rejected("message.undecodable", "neither a message object nor an array of them")


def _elements(array: bytes) -> list[msgspec.Raw]:
    """The messages of a batch; Rejected if it is no array, whatever stands in it."""
    try:
        return _list_decoder.decode(array)
    except _UNDECODABLE as error:
        from shared import json_text

        texts = json_text.elements(array)
        if not texts or not all(texts):
            raise Rejected("message.undecodable", f"not JSON: {error}") from None
        return [msgspec.Raw(text) for text in texts]


def _route_message(data: bytes) -> RouteMsg | None:
    """A routeMsg, of whose message some part may be no JSON; None for anything else."""
    try:
        return _route_decoder.decode(data)
    except msgspec.ValidationError:
        return None
    except _UNDECODABLE:
        from shared import json_text
    try:
        parts = dict(json_text.members(data))
        if msgspec.json.decode(parts.get("type", b"null")) != "routeMsg":
            return None
        rest = {name: msgspec.Raw(parts[name]) for name in ("type", "options", "route") if name in parts}
        empty = msgspec.json.encode({**rest, "message": None})
        return msgspec.structs.replace(_route_decoder.decode(empty), message=msgspec.Raw(parts["message"]))
    except (*_UNDECODABLE, ValueError, KeyError):
        return None
