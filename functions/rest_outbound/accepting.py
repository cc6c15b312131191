"""Messages that are to be sent: each gets its record, once, and what its network's transport needs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from functions.rest_outbound import arming
from shared import clock, names, outbound, outbound_store, values
from shared.clients import firestore, pubsub
from shared.errors import Rejected
from shared.messages import OutboundInit
from shared.outbound import Record

TOPIC = "outbound"
_AT_ONCE = 20
_MASK = ("networkId", "networkAliases", "systemId", "blueprintId", "deleted", "projectId", "outbound")


class _Place(NamedTuple):
    """Where a message goes: its device, and the network that the device is in."""

    device: dict[str, Any]
    network_id: str
    outbound: dict[str, Any]


async def accept(messages: Sequence[OutboundInit], known: bool, hops: int) -> dict[int, Rejected]:
    """Take messages; those that cannot be sent, by their place. What was taken before changes nothing.

    ``known``: whoever published them has seen to it that a server of the user's own got them.
    Transient where a store, topic or queue failed.
    """
    refused: dict[int, Rejected] = {}
    whole: dict[int, OutboundInit] = {}
    for place, message in enumerate(messages):
        try:
            outbound.check(message, clock.now_ms())
            whole[place] = message
        except Rejected as error:
            refused[place] = error
    places = await _places(list(whole.values()))

    async def one(place: int, message: OutboundInit) -> None:
        try:
            await _accept(message, places[message.project_id, message.device_id], known, hops)
        except Rejected as error:
            refused[place] = error

    waiting = list(whole.items())
    for start in range(0, len(waiting), _AT_ONCE):
        await asyncio.gather(*(one(*each) for each in waiting[start : start + _AT_ONCE]))
    return refused


async def _places(messages: Sequence[OutboundInit]) -> dict[tuple[str, str], _Place | None]:
    """The places of messages' devices; None for a device that there is not. Two calls at most."""
    devices = {names.device(m.project_id, m.device_id): (m.project_id, m.device_id) for m in messages}
    found = await firestore.batch_get(devices, _MASK)
    fields = {name: values.from_fields(document.fields) for name, document in found.items()}
    wanted = {
        name: names.network(network_id)
        for name, device in fields.items()
        if not device.get("deleted") and (network_id := device.get("networkId"))
    }
    networks = await firestore.batch_get(wanted.values(), _MASK)
    places: dict[tuple[str, str], _Place | None] = {}
    for name, key in devices.items():
        device = fields.get(name, {"deleted": True})
        document = networks.get(wanted.get(name, ""))
        network = values.from_fields(document.fields) if document is not None else {}
        ours = network.get("outbound") if network.get("projectId") == key[0] else None
        gone = device.get("deleted")
        places[key] = None if gone else _Place(device, device.get("networkId") or "", ours or {})
    return places


async def _accept(message: OutboundInit, place: _Place | None, known: bool, hops: int) -> None:
    found = await outbound_store.read(message.project_id, [message.msg_id])
    if message.msg_id in found:
        record = found[message.msg_id].record
    else:
        record, _ = await outbound_store.create(_record(message, place))
    if record.device_id != message.device_id:
        raise Rejected("outbound.taken", f"the msgId {message.msg_id!r} is another message's")
    record, _ = await outbound_store.settle_key(record)
    if record.state != "queued":
        return
    await arming.end(record)
    if record.transport == "custom" and not known and place is not None:
        await _publish(message, record, place, hops)
    if record.attempts == 0:
        await arming.next_attempt(record)


def _record(message: OutboundInit, place: _Place | None) -> Record:
    if place is None:
        raise Rejected("outbound.noDevice", f"the project has no device {message.device_id!r}")
    if not place.outbound:
        raise Rejected("outbound.noTransport", "the device's network says not how messages reach its devices")
    named = msgspec.structs.replace(
        message, system_id=place.device.get("systemId"), blueprint_id=place.device.get("blueprintId")
    )
    way = place.outbound
    return outbound.of(named, place.network_id, way["transport"], bool(way.get("expectsAck")))


async def _publish(message: OutboundInit, record: Record, place: _Place, hops: int) -> None:
    """Hand a message to the server of the user's own that serves the network."""
    aliases = (place.device.get("networkAliases") or {}).get(record.network_id) or {}
    await pubsub.publish(TOPIC, [outbound.for_server(message, record, aliases, hops + 1)])
