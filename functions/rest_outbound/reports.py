"""What is said of messages: that one was handed over, what its device answers, that a device is heard of."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from functions.rest_outbound import arming
from shared import clock, outbound, outbound_store
from shared.log import log
from shared.messages import DeviceAck, DeviceSeen, OutboundSent

# So many of a device's messages are tried at once when it is back; the others follow by themselves.
_MOST = 50
_AT_ONCE = 20


async def take(messages: Sequence[OutboundSent | DeviceAck | DeviceSeen]) -> int:
    """Take what is said, in any order; how many records it changed. Transient: it must come again."""
    changed = 0
    for start in range(0, len(messages), _AT_ONCE):
        some = messages[start : start + _AT_ONCE]
        changed += sum(await asyncio.gather(*map(_take, some)))
    return changed


async def _take(message: OutboundSent | DeviceAck | DeviceSeen) -> bool:
    if isinstance(message, DeviceSeen):
        await _seen(message)
        return False
    return await _report(message)


async def _report(message: OutboundSent | DeviceAck) -> bool:
    record, changed = await outbound_store.change(
        message.project_id,
        message.msg_id,
        lambda before: outbound.reported(before, message, clock.now_ms()),
    )
    if record is None or record.device_id != message.device_id:
        # Nobody's fault that could be mended by sending it again: a device may say what it likes.
        log("NOTICE", "a report of no message to this device", **_named(message))
    return changed


async def _seen(message: DeviceSeen) -> None:
    """Try again what waits for a device that is heard of."""
    await outbound_store.mark_waiting(message.project_id, message.device_id, None)
    waiting = await outbound_store.of_device(message.project_id, message.device_id, "queued", _MOST)
    now = clock.now_ms()
    early: list[int] = []
    for record in (stored.record for stored in waiting):
        since = outbound.heard_from(record)
        if record.transport != "rest" or record.lease is not None or not since:
            continue
        if since <= now:
            await arming.at_once(record)
        else:
            early.append(since)
    if early:
        await outbound_store.mark_waiting(message.project_id, message.device_id, min(early))


def _named(message: OutboundSent | DeviceAck) -> dict[str, str]:
    return {"projectId": message.project_id, "msgId": message.msg_id, "deviceId": message.device_id}
