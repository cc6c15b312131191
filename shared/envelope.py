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
    """Split a message's data into its messages; Rejected if it is neither object nor array."""
    options: Mapping[str, Any] = {}
    route: Any = None
    try:
        raw: bytes | msgspec.Raw = data
        if data.lstrip()[:1] == b"{":
            if b'"routeMsg"' not in data:
                return Contents([msgspec.Raw(data)], options, route)
            try:
                wrapped = _route_decoder.decode(data)
            except msgspec.ValidationError:
                # Some other message whose text holds that word.
                return Contents([msgspec.Raw(data)], options, route)
            options, route, raw = wrapped.options, wrapped.route, wrapped.message
        head = bytes(raw).lstrip()[:1]
        if head == b"[":
            return Contents(_list_decoder.decode(raw), options, route)
        if head == b"{":
            return Contents([msgspec.Raw(bytes(raw))], options, route)
    except msgspec.DecodeError as error:
        raise Rejected("message.undecodable", f"not JSON: {error}") from None
    raise Rejected("message.undecodable", "neither a message object nor an array of them")
