"""The messages between services, as they stand on the wire: JSON, camelCase, a ``type`` each.

A Pub/Sub message's data is one message object, an array of them (a batch: at most
:data:`MAX_BATCH_EVENTS` or about :data:`MAX_BATCH_BYTES`), or a ``routeMsg`` that wraps either with the
options of this step and the rest of the route. Attributes of the Pub/Sub message: ``v`` (version of this
format), ``hops`` (how many services it has passed), ``projectId`` where one project alone is concerned.

Times are integer epoch milliseconds.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

VERSION = "1"
MAX_BATCH_EVENTS = 500
MAX_BATCH_BYTES = 1_000_000
MAX_HOPS = 16

Op = Literal["set", "replace", "delete"]
Kind = Literal["data", "input"]


class Write(msgspec.Struct, frozen=True):
    """One change of a device's data.

    ``set`` merges an object and replaces anything else; ``replace`` drops what was below the path first;
    ``delete`` drops it and takes no value.
    """

    path: str
    value: Any = None
    op: Op | UnsetType = UNSET


class EventRecord(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """An occurrence worth keeping by itself (an alarm, a visit); ``type`` is the list it belongs to.

    ``original_time`` as in :class:`InboundDataEvent`.
    """

    type: str = "default"
    time: int | None = None
    id: str | None = None
    data: Any = None
    original_time: Any = None


class _Message(
    msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True, tag_field="type"
):
    pass


class InboundDataEvent(_Message, frozen=True, kw_only=True, tag="inboundDataEventMsg"):
    """What a device sent, under its outside name (network, alias key, value).

    ``id`` and ``hash`` (of the content as sent) are, with the device, the event's identity.
    ``original_time`` is the time as sent, kept where ``time`` had to be replaced by ``received_time``.
    Without network and alias key, ``device_id`` is the platform's own id.
    """

    id: str
    hash: str
    time: int
    received_time: int
    project_id: str | None = None
    network_id: str | None = None
    alias_key: str | None = None
    device_id: str
    original_time: Any = None
    historical: bool = False
    data: list[Write] = []
    event: list[EventRecord] = []
    source: str | None = None
    user_id: str | None = None


class DeviceDataEvent(_Message, frozen=True, kw_only=True, tag="deviceDataEventMsg"):
    """The same, once the device is known: all ids are the platform's own.

    ``kind`` is ``data`` for what counts as the device's state and history, ``input`` for a row that only
    replay reads.
    """

    id: str
    hash: str
    time: int
    received_time: int
    project_id: str
    device_id: str
    system_id: str | None = None
    blueprint_id: str | None = None
    network_id: str | None = None
    original_time: Any = None
    historical: bool = False
    kind: Kind = "data"
    data: list[Write] = []
    event: list[EventRecord] = []
    source: str | None = None
    user_id: str | None = None


class DeviceEventAck(_Message, frozen=True, kw_only=True, tag="deviceEventAckMsg"):
    """Somebody took notice of an event record. ``id`` is the event record's id."""

    id: str
    time: int
    received_time: int
    project_id: str
    device_id: str
    system_id: str | None = None
    blueprint_id: str | None = None
    event_type: str = "default"
    data: Any = None
    source: str | None = None
    user_id: str | None = None


class RouteMsg(_Message, frozen=True, kw_only=True, tag="routeMsg"):
    """A message or batch with the options of this step and the rest of its route."""

    message: msgspec.Raw
    options: dict[str, Any] = {}
    route: Any = None
