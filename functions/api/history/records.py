"""Event records and acknowledgements that people make: they go the way of all events, through ``writer``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from fulcrum.core import fold, ids
from functions.api.needs import Call
from shared import clock, names, values
from shared.clients import firestore, pubsub
from shared.errors import ApiError
from shared.history import EARLIEST_MS
from shared.messages import VERSION, DeviceDataEvent, DeviceEventAck, EventRecord
from shared.model.device import Device
from shared.store.change import retrying
from shared.store.scope import Stored

TOPIC = "writer"
SOURCE = "api"
# What a message of Pub/Sub may have, with room for what the platform adds.
MAX_DATA_BYTES = 500_000
_AHEAD_MS = 300_000
# BigQuery takes a streamed row into a partition of at most five years ago.
_OLDEST_MS = 1_825 * 86_400_000
_KEPT = timedelta(days=1)
_encode = msgspec.json.Encoder().encode
_canonical = msgspec.json.Encoder(order="deterministic").encode


async def create(
    call: Call, device: Stored[Device], type_: str, time: int | None, data: Any, key: str | None
) -> dict[str, Any]:
    """Publish an event record of a device; returns it as it is answered, once Pub/Sub has confirmed.

    With ``key`` (an Idempotency-Key) it is one record, however often it is sent.
    """
    now = clock.now_ms()
    _check(time, data, now)
    body = {"type": type_, "time": time, "data": fold.normal(data)}
    record_id, at = await _identity(call, device, body, key, now)
    time = at if time is None else time
    event = DeviceDataEvent(
        id=record_id,
        hash=ids.digest(_canonical(body)),
        time=time,
        received_time=at,
        project_id=call.scope.project_id,
        device_id=device.id,
        system_id=device.fields.get("systemId"),
        blueprint_id=device.fields.get("blueprintId"),
        network_id=device.fields.get("networkId"),
        event=[EventRecord(type_, time, record_id, data)],
        source=SOURCE,
        user_id=call.principal.id,
    )
    await _publish(call, event)
    return {
        "id": record_id,
        "type": type_,
        "time": time,
        "deviceId": device.id,
        "systemId": event.system_id,
        "blueprintId": event.blueprint_id,
        "data": data,
        "userId": call.principal.id,
    }


async def acknowledge(
    call: Call, device: Stored[Device], event_id: str, type_: str, data: Any
) -> dict[str, Any]:
    """Publish that somebody took notice of an event record; of several the first counts."""
    now = clock.now_ms()
    _check(None, data, now)
    ack = DeviceEventAck(
        id=event_id,
        time=now,
        received_time=now,
        project_id=call.scope.project_id,
        device_id=device.id,
        system_id=device.fields.get("systemId"),
        blueprint_id=device.fields.get("blueprintId"),
        event_type=type_,
        data=data,
        source=SOURCE,
        user_id=call.principal.id,
    )
    await _publish(call, ack)
    return {"id": event_id, "time": now, "data": data, "userId": call.principal.id}


async def _publish(call: Call, message: DeviceDataEvent | DeviceEventAck) -> None:
    attributes: Mapping[str, str] = {"v": VERSION, "hops": "1", "projectId": call.scope.project_id}
    await pubsub.publish(TOPIC, [(_encode(message), attributes)])


def _check(time: int | None, data: Any, now: int) -> None:
    if time is not None and not max(EARLIEST_MS, now - _OLDEST_MS) <= time <= now + _AHEAD_MS:
        raise ApiError(
            400,
            "event.time",
            f"time: {time} is more than five minutes ahead or five years ago",
            "Write when it happened, in epoch milliseconds; leave it out for now.",
        )
    size = len(_canonical(data))
    if size > MAX_DATA_BYTES:
        raise ApiError(
            400,
            "event.tooLarge",
            f"data: it is {size} bytes of JSON, at most {MAX_DATA_BYTES}",
            "Keep large things elsewhere, and name them in the event.",
        )


async def _identity(
    call: Call, device: Stored[Device], body: Mapping[str, Any], key: str | None, now: int
) -> tuple[str, int]:
    """The id of a record and the time of its first request; the same for every request with one key."""
    if not key:
        return ids.new_id(), now
    digest = ids.digest(call.principal.kind, call.principal.id, "device_event_create", device.id, key)
    name = names.document("projects", call.scope.project_id, "idempotency", digest)
    content = ids.digest("body", _canonical(body))

    async def attempt() -> tuple[str, int]:
        found = (await firestore.batch_get([name])).get(name)
        if found is None:
            change = call.change()
            fields = {"body": content, "time": now, "expireAt": clock.from_ms(now) + _KEPT}
            change.put(name, fields, exists=False)
            await change.commit()
            return digest, now
        stored = values.from_fields(found.fields)
        if stored.get("body") != content:
            raise ApiError(
                422,
                "idempotency.reused",
                "the Idempotency-Key was used for another body already",
                "use a new key for a new creation",
            )
        return digest, int(stored["time"])

    made: tuple[str, int] = await retrying(attempt)
    return made
