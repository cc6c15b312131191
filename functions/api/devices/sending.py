"""Values on their way: an event of the API, published as events of devices are, and confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from fulcrum.core import ids
from functions.api.devices import access, bodies, definitions, fitting
from functions.api.devices.bodies import Accepted
from functions.api.needs import Call, denied
from shared import clock, names, values
from shared.clients import firestore, pubsub
from shared.errors import ApiError
from shared.messages import VERSION, DeviceDataEvent, Write
from shared.model.device import Device
from shared.store.change import retrying
from shared.store.scope import Stored

TOPIC = "writer"
# A message of Pub/Sub has at most 10 MB; what a device holds is far less.
MAX_BYTES = 1_000_000
_KEPT = timedelta(days=1)
_encode = msgspec.json.Encoder().encode
_canonical = msgspec.json.Encoder(order="deterministic").encode


async def may_write(call: Call, stored: Stored[Device]) -> bool:
    """Whether the caller may write anything to a device; False: what its blueprint has. ApiError 403 else."""
    if await access.permitted(call, ["device.updateAnyData"], [stored]):
        return True
    if await access.permitted(call, ["device.updateData"], [stored]):
        return False
    raise denied("device.updateData")


async def send(
    call: Call, stored: Stored[Device], wanted: Sequence[Write], key: str | None, path: str | None = None
) -> Accepted:
    """Check values, publish them as one event of a device, and answer when Pub/Sub has confirmed.

    ``key``: the Idempotency-Key; the same body with it is the same event, at the time of the first request.
    """
    anything = await may_write(call, stored)
    leaves = bodies.check(list(wanted))
    blueprint_id = stored.fields.get("blueprintId")
    if blueprint_id:
        known = await definitions.revision(call.scope)
        specs = (await definitions.blueprint(call.scope, blueprint_id, known)).specs
    else:
        specs = {}
    if not anything:
        fitting.require_fit(wanted, leaves, specs)
    data = fitting.converted(wanted, specs)
    content = _canonical(data)
    if len(content) > MAX_BYTES:
        raise ApiError(
            400,
            "device.valuesTooLarge",
            f"the values are {len(content)} bytes of JSON",
            f"send at most {MAX_BYTES} at once",
        )
    event_id, time = await _identity(call, stored.id, content, key)
    event = DeviceDataEvent(
        id=event_id,
        hash=ids.digest(content),
        time=time,
        received_time=time,
        project_id=call.scope.project_id,
        device_id=stored.id,
        system_id=stored.fields.get("systemId"),
        blueprint_id=blueprint_id,
        network_id=stored.fields.get("networkId"),
        data=data,
        source="api",
        user_id=call.principal.id,
    )
    attributes = {"v": VERSION, "hops": "1", "projectId": call.scope.project_id}
    await pubsub.publish(TOPIC, [(_encode(event), attributes)])
    return Accepted(status="accepted", event_id=event_id, device_id=stored.id, time=time, path=path)


async def _identity(call: Call, device_id: str, content: bytes, key: str | None) -> tuple[str, int]:
    """The id and time of an event: those of the first request with the same key."""
    now = clock.now_ms()
    if not key:
        return ids.new_id(), now
    digest = ids.digest(call.principal.kind, call.principal.id, "device_set_value", device_id, key)
    name = names.document("projects", call.scope.project_id, "idempotency", digest)
    body = ids.digest("body", content)

    async def attempt() -> tuple[str, int]:
        found = (await firestore.batch_get([name])).get(name)
        if found is None:
            change = call.change()
            change.put(
                name, {"body": body, "time": now, "expireAt": clock.from_ms(now) + _KEPT}, exists=False
            )
            await change.commit()
            return digest, now
        stored: dict[str, Any] = values.from_fields(found.fields)
        if stored.get("body") != body:
            raise ApiError(
                422,
                "idempotency.reused",
                "the Idempotency-Key was used for another body already",
                "use a new key for other values",
            )
        return digest, int(stored["time"])

    made: tuple[str, int] = await retrying(attempt)
    return made
