"""A message to a device: its record is made, then it is published; cancelled, it is not sent any more."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fulcrum.core import ids
from functions.api.needs import Call
from shared import clock, outbound, outbound_store
from shared.clients import pubsub
from shared.errors import ApiError, Rejected
from shared.messages import OutboundInit
from shared.model.device import Device
from shared.model.network import NETWORK
from shared.model.outbound import DEVICE_MESSAGE, DeviceMessage, DeviceMessageCreate
from shared.outbound import Record
from shared.store.scope import Stored, not_found

TOPIC = "outbound"


async def send(
    call: Call, device: Stored[Device], body: DeviceMessageCreate, key: str | None
) -> DeviceMessage:
    """Send a message; one of the same id that is there already is sent on its way again, if it waits.

    ``key``: the Idempotency-Key, which gives a message without an id one.
    """
    now = clock.now_ms()
    init = OutboundInit(
        msg_id=body.msg_id or _made_id(call, device.id, key),
        time=now,
        expire_time=body.expire_time or now + (body.ttl or outbound.DEFAULT_TTL_MS),
        project_id=call.scope.project_id,
        device_id=device.id,
        system_id=device.fields.get("systemId"),
        blueprint_id=device.fields.get("blueprintId"),
        message=body.message,
        key=body.key,
        source="api",
        user_id=call.principal.id or None,
    )
    try:
        outbound.check(init, now)
    except Rejected as error:
        advice = f"it lies ahead, by {outbound.MAX_TTL_MS // 86_400_000} days at most; a message is short"
        raise ApiError(400, "deviceMessage.invalid", error.message, advice) from None
    wanted = await _record(call, device, init)
    record, created = await outbound_store.create(wanted)
    if not created and not outbound.same(record, wanted):
        raise ApiError(
            409,
            "deviceMessage.taken",
            f"the msgId {record.msg_id!r} is another message's",
            "use a new msgId for a new message",
        )
    record, _ = await outbound_store.settle_key(record)
    if record.state == "queued":
        # Also of one that was there: whoever made it may not have come so far.
        again = msgspec.structs.replace(init, time=record.created, expire_time=record.expire_time)
        aliases = (device.fields.get("networkAliases") or {}).get(record.network_id) or {}
        await pubsub.publish(TOPIC, [outbound.for_server(again, record, aliases, 1)])
    return await get(call, device.id, record.msg_id)


def _made_id(call: Call, device_id: str, key: str | None) -> str:
    if key is None:
        return ids.new_id()
    return ids.digest(call.principal.kind, call.principal.id, "device_message_send", device_id, key)


async def _record(call: Call, device: Stored[Device], init: OutboundInit) -> Record:
    network_id = device.fields.get("networkId")
    network = await call.scope.find(NETWORK, network_id) if network_id else None
    way = (network.fields.get("outbound") if network is not None else None) or {}
    if network is None or not way:
        raise ApiError(
            409,
            "deviceMessage.noTransport",
            f"the network {network_id!r} does not say how messages reach its devices"
            if network is not None
            else "the device is in no network",
            "set the network's 'outbound', and the device's networkId",
        )
    return outbound.of(init, network.id, way["transport"], bool(way.get("expectsAck")))


async def get(call: Call, device_id: str, message_id: str) -> DeviceMessage:
    """A message of a device; ApiError 404 where the device has none such."""
    stored = await call.scope.find(DEVICE_MESSAGE, message_id)
    if stored is None or stored.fields.get("deviceId") != device_id:
        raise not_found("deviceMessage", message_id)
    message = stored.model()
    if await expire(call, [message]):
        return await get(call, device_id, message_id)
    return message


async def expire(call: Call, messages: Sequence[DeviceMessage]) -> bool:
    """Note of messages whose time is over that it is; whether that changed any.

    A task does so when the time comes, unless whoever made the message ended before it was on its way.
    """
    now = clock.now_ms()
    changed = False
    for message in messages:
        if message.state in ("queued", "sent") and message.expire_time <= now:
            _, done = await outbound_store.change(
                call.scope.project_id, message.id, lambda before: outbound.expired(before, now)
            )
            changed = changed or done
    return changed


async def cancel(call: Call, device_id: str, message_id: str) -> DeviceMessage:
    """Have a message not sent any more; ApiError 409 where it is too late for that."""
    await get(call, device_id, message_id)
    now = clock.now_ms()
    record, changed = await outbound_store.change(
        call.scope.project_id, message_id, lambda before: outbound.cancelled(before, now)
    )
    if record is not None and not changed and record.state != "cancelled":
        raise ApiError(
            409,
            "deviceMessage.late",
            "the message is being sent just now" if record.state == "queued" else f"it is {record.state}",
            "only a message that waits can be cancelled",
        )
    return await get(call, device_id, message_id)
