"""The messages of a delivery, decoded as far as finding their device needs, and encoded with its ids.

``data``, ``event`` and ``originalTime`` stay the JSON text that came: whoever stores them checks them.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from shared.errors import Rejected

# Epoch milliseconds from 1970 to the year 9998: what is kept for some days is then within every calendar.
_Ms = Annotated[int, Meta(ge=0, le=253_370_764_800_000)]


# The source of what the simulator sends, which reaches devices that are simulated alone.
SIMULATOR = "simulator"


class _Wire(
    msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, gc=False, frozen=True, tag_field="type"
):
    pass


class Inbound(_Wire, frozen=True, kw_only=True, tag="inboundDataEventMsg"):
    """``shared.messages.InboundDataEvent`` with its contents as text."""

    id: str
    hash: str
    time: _Ms
    received_time: _Ms
    project_id: str | None = None
    network_id: str | None = None
    alias_key: str | None = None
    device_id: str
    original_time: Raw | UnsetType = UNSET
    historical: bool = False
    data: Raw | UnsetType = UNSET
    event: Raw | UnsetType = UNSET
    source: str | None = None
    user_id: str | None = None


class Known(_Wire, frozen=True, kw_only=True, tag="deviceDataEventMsg"):
    """``shared.messages.DeviceDataEvent`` with its contents as text."""

    id: str
    hash: str
    time: _Ms
    received_time: _Ms
    project_id: str
    device_id: str
    system_id: str | None = None
    blueprint_id: str | None = None
    network_id: str | None = None
    original_time: Raw | UnsetType = UNSET
    historical: bool = False
    data: Raw | UnsetType = UNSET
    event: Raw | UnsetType = UNSET
    source: str | None = None
    user_id: str | None = None


class Ack(_Wire, frozen=True, kw_only=True, tag="deviceEventAckMsg"):
    """``shared.messages.DeviceEventAck`` with its contents as text."""

    id: str
    time: _Ms
    received_time: _Ms
    project_id: str
    device_id: str
    system_id: str | None = None
    blueprint_id: str | None = None
    event_type: str = "default"
    data: Raw | UnsetType = UNSET
    source: str | None = None
    user_id: str | None = None


class Reply(_Wire, frozen=True, kw_only=True, tag="inboundAckMsg"):
    """``shared.messages.InboundAck`` with its contents as text."""

    msg_id: str
    status: Literal["sent", "acked", "failed"] = "acked"
    received_time: _Ms
    project_id: str | None = None
    network_id: str | None = None
    alias_key: str | None = None
    device_id: str
    response: Raw | UnsetType = UNSET
    source: str | None = None


class KnownReply(_Wire, frozen=True, kw_only=True, tag="deviceAckMsg"):
    """``shared.messages.DeviceAck`` with its contents as text."""

    msg_id: str
    status: Literal["sent", "acked", "failed"] = "acked"
    received_time: int
    project_id: str
    device_id: str
    system_id: str | None = None
    blueprint_id: str | None = None
    network_id: str | None = None
    response: Raw | UnsetType = UNSET
    source: str | None = None


class Key(NamedTuple):
    """What a message calls its device: an alias triple, or without alias key the platform's own id.

    ``network`` beside the platform's own id narrows it: the device must be in that network. ``simulated``: so
    must it be, for what the simulator sends.
    """

    project: str | None
    network: str | None
    alias_key: str | None
    value: str
    simulated: bool = False


class Device(NamedTuple):
    """The ids that a known device's messages carry."""

    project_id: str
    device_id: str
    system_id: str | None
    blueprint_id: str | None
    network_id: str | None


class _Typed(msgspec.Struct):
    type: str


class _Scoped(msgspec.Struct, rename="camel"):
    project_id: str


Message = Inbound | Ack | Reply
_TYPES = frozenset({"inboundDataEventMsg", "deviceEventAckMsg", "inboundAckMsg"})
_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
_type_decoder = msgspec.json.Decoder(_Typed)
_scope_decoder = msgspec.json.Decoder(_Scoped)
# UnicodeDecodeError is none of msgspec's own errors; RecursionError comes from very deep nesting.
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_encode = msgspec.json.Encoder().encode


def decode(raw: Raw) -> Message:
    """One message; Rejected (``message.undecodable``, ``message.unknownType``) for what is none."""
    try:
        return _decoder.decode(raw)
    except _UNDECODABLE as error:
        problem = error
    try:
        kind = _type_decoder.decode(raw).type
    except _UNDECODABLE:
        raise Rejected("message.undecodable", f"not a message: {problem}") from None
    if kind in _TYPES:
        raise Rejected("message.undecodable", f"not a valid {kind}: {problem}")
    raise Rejected("message.unknownType", f"this service takes {', '.join(sorted(_TYPES))}, not {kind!r}")


def project_of(raw: Raw) -> str | None:
    """The project that a message names, whatever else is wrong with it."""
    try:
        return _scope_decoder.decode(raw).project_id
    except _UNDECODABLE:
        return None


def key_of(message: Message) -> Key:
    """What the message calls its device; Rejected for half a triple."""
    if isinstance(message, Ack):
        return Key(message.project_id, None, None, message.device_id)
    if message.alias_key is not None and message.network_id is None:
        raise Rejected("message.noNetwork", "an alias key without a network names no device")
    simulated = message.source == SIMULATOR
    return Key(message.project_id, message.network_id, message.alias_key, message.device_id, simulated)


def encode(message: Message, device: Device) -> bytes:
    """The message of a known device as it goes on."""
    project_id, device_id, system_id, blueprint_id, network_id = device
    if isinstance(message, Ack):
        return _encode(
            msgspec.structs.replace(
                message, device_id=device_id, system_id=system_id, blueprint_id=blueprint_id
            )
        )
    if isinstance(message, Reply):
        return _encode(
            KnownReply(
                msg_id=message.msg_id,
                status=message.status,
                received_time=message.received_time,
                project_id=project_id,
                device_id=device_id,
                system_id=system_id,
                blueprint_id=blueprint_id,
                # The network that it came by: one that the device is in no longer says nothing.
                network_id=message.network_id or network_id,
                response=message.response,
                source=message.source,
            )
        )
    return _encode(
        Known(
            id=message.id,
            hash=message.hash,
            time=message.time,
            received_time=message.received_time,
            project_id=project_id,
            device_id=device_id,
            system_id=system_id,
            blueprint_id=blueprint_id,
            network_id=network_id,
            original_time=message.original_time,
            historical=message.historical,
            data=message.data,
            event=message.event,
            source=message.source,
            user_id=message.user_id,
        )
    )
