"""What a listener gets, and who may get it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from fulcrum.core import fold
from functions.api.access.principal import Principal
from shared.envelope import unwrap
from shared.errors import Rejected
from shared.messages import DeviceDataEvent, DeviceEventAck

Name = Literal["data", "event", "ack", "changed"]
NAMES: tuple[Name, ...] = ("data", "event", "ack", "changed")

_decoder = msgspec.json.Decoder(DeviceDataEvent | DeviceEventAck)
_POSITION = re.compile(r"([0-9]{1,15})-([0-9A-Za-z_\-]{1,128})\Z")


class Position(msgspec.Struct, frozen=True, order=True):
    """How far a listener has heard of changes: the time (epoch ms) and the id of an audit entry."""

    time: int
    id: str

    @property
    def text(self) -> str:
        """As it stands in an event's ``id`` and comes back as ``Last-Event-ID``."""
        return f"{self.time}-{self.id}"


def position(text: str) -> Position | None:
    """What ``Last-Event-ID`` says; None for a text that none of ours is."""
    match = _POSITION.match(text)
    return Position(int(match[1]), match[2]) if match else None


class Live(msgspec.Struct, frozen=True):
    """One event: its name, what it is about, the permission that it takes to see it, and its content."""

    name: Name
    permission: str
    body: dict[str, Any]
    system_id: str | None = None
    device_id: str | None = None
    blueprint_id: str | None = None
    position: Position | None = None
    # Whose it is, if it is one person's alone: a personal view or dashboard.
    owner: str | None = None


class Wanted(msgspec.Struct, frozen=True):
    """What a listener asked for; None: all of it."""

    names: frozenset[str] | None = None
    devices: frozenset[str] | None = None
    system_id: str | None = None
    blueprint_id: str | None = None

    def holds(self, event: Live) -> bool:
        """Whether an event is among what was asked for."""
        return (
            (self.names is None or event.name in self.names)
            and (self.devices is None or event.device_id in self.devices)
            and (self.system_id is None or event.system_id == self.system_id)
            and (self.blueprint_id is None or event.blueprint_id == self.blueprint_id)
        )


def of_message(data: bytes) -> list[Live]:
    """The events of a message of the topic ``writer``; what is no event of a device is passed over.

    The transponder sets aside what cannot be read; a listener misses nothing that comes to be stored.
    """
    found: list[Live] = []
    try:
        messages = unwrap(data).messages
    except Rejected:
        return found
    for raw in messages:
        try:
            message = _decoder.decode(raw)
            found += _acknowledged(message) if isinstance(message, DeviceEventAck) else _sent(message)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Rejected):
            continue
    return found


def of_audit(entry: dict[str, Any], entry_id: str) -> Live:
    """The event of an audit entry."""
    kind, resource_id = str(entry.get("kind")), str(entry.get("resourceId"))
    body: dict[str, Any] = {
        key: entry[key] for key in ("kind", "resourceId", "verb", "time", "name", "actor") if key in entry
    }
    if isinstance(entry.get("changes"), str):
        body["changes"] = msgspec.json.decode(entry["changes"])
    return Live(
        "changed",
        f"{kind}.read",
        body,
        entry.get("systemId"),
        resource_id if kind == "device" else None,
        position=Position(int(entry.get("time") or 0), entry_id),
        owner=entry.get("owner"),
    )


def may_see(principal: Principal, event: Live, chain: Sequence[str]) -> bool:
    """Whether a caller may see an event; ``chain``: its device and the parents of that."""
    if event.owner and event.owner != principal.id:
        return False
    return principal.allows(event.permission, system=event.system_id, devices=chain)


def _sent(message: DeviceDataEvent) -> list[Live]:
    if message.kind != "data":
        return []
    common = _common(message) | {"eventId": message.id, "historical": message.historical}
    found = []
    if message.data:
        settled = fold.settle(message.data)
        body = common | {"data": fold.nest(settled.leaves), "cleared": sorted(settled.cleared)}
        found.append(_live("data", "device.readData", message, body))
    for record in message.event:
        body = common | {"id": record.id, "type": record.type, "data": record.data}
        if record.time is not None:
            body["time"] = record.time
        found.append(_live("event", "device.readEvents", message, body))
    return found


def _acknowledged(message: DeviceEventAck) -> list[Live]:
    body = _common(message) | {"id": message.id, "type": message.event_type, "data": message.data}
    return [_live("ack", "device.readEvents", message, body)]


def _common(message: DeviceDataEvent | DeviceEventAck) -> dict[str, Any]:
    return {
        "deviceId": message.device_id,
        "systemId": message.system_id,
        "blueprintId": message.blueprint_id,
        "time": message.time,
        "receivedTime": message.received_time,
        "userId": message.user_id,
    }


def _live(
    name: Name, permission: str, message: DeviceDataEvent | DeviceEventAck, body: dict[str, Any]
) -> Live:
    body = {key: value for key, value in body.items() if value is not None}
    return Live(name, permission, body, message.system_id, message.device_id, message.blueprint_id)
