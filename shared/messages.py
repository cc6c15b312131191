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

from fulcrum.core.writes import Op as Op
from fulcrum.core.writes import Write as Write

VERSION = "1"
MAX_BATCH_EVENTS = 500
MAX_BATCH_BYTES = 1_000_000
MAX_HOPS = 16

Kind = Literal["data", "input"]


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
    replay reads. ``script_id``: of the script that wrote it, or that stopped or replaced it (``input``).
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
    script_id: str | None = None


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


class ReasonRunScript(_Message, frozen=True, kw_only=True, tag="reasonRunScript"):
    """Run a script although no device sent anything: a timer fires, or a script or a person asks for it.

    Comes on the topic ``reason`` in a ``routeMsg`` whose options say which script. ``id`` names the occasion:
    a repeat has the same. ``time``: when it was due. ``device_id`` where it concerns one. ``set_by``: of a
    script's timer, the effect that set it.
    """

    id: str
    time: int
    project_id: str
    device_id: str | None = None
    system_id: str | None = None
    timer_id: str | None = None
    set_by: str | None = None
    source: str | None = None
    user_id: str | None = None


class SetTimer(_Message, frozen=True, kw_only=True, tag="setTimerMsg"):
    """Set a timer, or set it anew: the same ``id`` again is a reset.

    ``stamp``: (time, id) of what sets it: of several, the greatest counts, so that a repeat of an earlier one
    changes nothing. ``patch_action``: change the action alone, without a reset. ``managed``: it is one of the
    project's own timers, of this id, and ends with it.
    """

    id: str
    stamp: tuple[int, str]
    project_id: str
    system_id: str | None = None
    device_id: str | None = None
    script_id: str | None = None
    timer: dict[str, Any] = {}
    action: dict[str, Any] = {}
    patch_action: bool = False
    managed: bool = False


class CancelTimer(_Message, frozen=True, kw_only=True, tag="cancelTimerMsg"):
    """Cancel a timer; ``stamp`` as in :class:`SetTimer`."""

    id: str
    stamp: tuple[int, str]
    project_id: str


class CancelRelatedTimer(_Message, frozen=True, kw_only=True, tag="cancelRelatedTimerMsg"):
    """Cancel all timers of a project that were set with these ids (those that are given: all of them).

    Without any: every timer of the project. ``stamp`` as in :class:`SetTimer`: what was set later stays.
    """

    stamp: tuple[int, str]
    project_id: str
    system_id: str | None = None
    device_id: str | None = None
    script_id: str | None = None


Report = Literal["sent", "acked", "failed"]


class OutboundInit(_Message, frozen=True, kw_only=True, tag="outboundInitMsg"):
    """A message to a device is to be sent. ``msg_id`` names it within its project.

    ``message``: any JSON. ``expire_time``: from then on it is not handed over any more. Of messages to one
    device with the same ``key`` only the newest (``time``, then ``msg_id``) goes out. ``network_id`` and
    ``aliases`` (the device's names there, for who serves that network) stand in it once they are known.
    """

    msg_id: str
    time: int
    expire_time: int
    project_id: str
    device_id: str
    system_id: str | None = None
    blueprint_id: str | None = None
    network_id: str | None = None
    aliases: dict[str, str] = {}
    message: Any = None
    key: str | None = None
    source: str | None = None
    user_id: str | None = None


class OutboundSent(_Message, frozen=True, kw_only=True, tag="outboundSentMsg"):
    """Whoever serves a network has handed a message over to it (``sent``), or never can (``failed``)."""

    msg_id: str
    project_id: str
    device_id: str
    network_id: str | None = None
    status: Literal["sent", "failed"] = "sent"
    send_info: Any = None
    source: str | None = None


class InboundAck(_Message, frozen=True, kw_only=True, tag="inboundAckMsg"):
    """What a device, under its outside name, says of a message to it."""

    msg_id: str
    status: Report = "acked"
    received_time: int
    project_id: str | None = None
    network_id: str | None = None
    alias_key: str | None = None
    device_id: str
    response: Any = None
    source: str | None = None


class DeviceAck(_Message, frozen=True, kw_only=True, tag="deviceAckMsg"):
    """The same, once the device is known: all ids are the platform's own."""

    msg_id: str
    status: Report = "acked"
    received_time: int
    project_id: str
    device_id: str
    system_id: str | None = None
    blueprint_id: str | None = None
    network_id: str | None = None
    response: Any = None
    source: str | None = None


class DeviceSeen(_Message, frozen=True, kw_only=True, tag="deviceSeenMsg"):
    """A device for which messages wait has been heard of."""

    project_id: str
    device_id: str


class Simulate(_Message, frozen=True, kw_only=True, tag="simulateMsg"):
    """What simulated devices are to do; ``stamp`` as in :class:`SetTimer`, for each device by itself.

    ``play``: ``scenario_id`` from its beginning; ``start``: the same, or on from where the device is paused;
    ``reset``: back to the beginning. ``seed``: of all chance, made from the stamp without it. ``faults``: in
    place of the scenario's own. ``stagger``: the devices begin within so many ms, each at its own time.
    """

    action: Literal["play", "start", "pause", "reset", "stop"]
    stamp: tuple[int, str]
    project_id: str
    device_ids: list[str]
    scenario_id: str | None = None
    seed: int | None = None
    faults: dict[str, Any] | None = None
    stagger: int = 0


class RouteMsg(_Message, frozen=True, kw_only=True, tag="routeMsg"):
    """A message or batch with the options of this step and the rest of its route."""

    message: msgspec.Raw
    options: dict[str, Any] = {}
    route: Any = None
