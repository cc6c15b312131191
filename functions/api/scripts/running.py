"""An occasion to run a script, asked for by a person or a program: published as timers publish theirs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from fulcrum.core import ids
from functions.api.devices import access
from functions.api.needs import Call
from functions.api.scripts import deploying, documents
from shared import clock, names, values
from shared.clients import firestore, pubsub
from shared.errors import ApiError
from shared.forward import pack
from shared.messages import ReasonRunScript
from shared.model.script import shown_state
from shared.model.script_life import RunAccepted, RunAsked
from shared.routes import Step
from shared.store.change import retrying

TOPIC = "reason"
PERMISSION = "device.updateData"
MAX_BYTES = 256_000
_KEPT = timedelta(days=1)
_encode = msgspec.json.Encoder().encode
_canonical = msgspec.json.Encoder(order="deterministic").encode


async def run(call: Call, script_id: str, asked: RunAsked, key: str | None) -> RunAccepted:
    """Publish the occasion; returns once Pub/Sub has confirmed. ApiError 409 if it is not deployed.

    403 for a device whose data the caller may not write.
    """
    script, state = await documents.script_and_state(call, script_id)
    shown = shown_state(state.fields if state else {})
    if shown.state != "deployed":
        raise deploying.not_deployed(script)
    known = [entry.name for entry in shown.entries]
    if known and asked.target_function not in known:
        raise ApiError(
            400,
            "script.targetFunction",
            f"the version {shown.version} has no function {asked.target_function!r} that can be run",
            f"name one of: {', '.join(known)}",
        )
    if "id" in asked.params or "targetFunction" in asked.params:
        raise ApiError(
            400,
            "script.params",
            "params: id and targetFunction say which script is run, and are no parameters",
            "call the parameters otherwise",
        )
    # What a script does with a device is much like writing its data.
    device = await access.load(call, PERMISSION, asked.device_id) if asked.device_id else None
    run_id, time = await _identity(call, script_id, asked, key)
    message = ReasonRunScript(
        id=run_id,
        time=time,
        project_id=call.scope.project_id,
        device_id=asked.device_id,
        system_id=device.fields.get("systemId") if device else None,
        source="api",
        user_id=call.principal.id,
    )
    reasoner: dict[str, Any] = {"id": script_id, "targetFunction": asked.target_function, **asked.params}
    data = _encode(message)
    if len(data) + len(_encode(reasoner)) > MAX_BYTES:
        raise ApiError(
            400,
            "script.paramsTooLarge",
            f"the parameters are more than {MAX_BYTES} bytes of JSON",
            "keep large things elsewhere, and name them in the parameters",
        )
    step = Step(TOPIC, {"reasoner": reasoner}, [])
    (parcel,) = pack([data], [call.scope.project_id], [[step]], 1)[TOPIC]
    await pubsub.publish(TOPIC, [(parcel.data, parcel.attributes)])
    return RunAccepted(
        status="accepted", id=run_id, script_id=script_id, device_id=asked.device_id, time=time
    )


async def _identity(call: Call, script_id: str, asked: RunAsked, key: str | None) -> tuple[str, int]:
    """The id and time of an occasion: those of the first request with the same key, or the same id.

    ApiError 422 if either was used for something else.
    """
    now = clock.now_ms()
    if not (key or asked.id):
        return ids.new_id(), now
    by = ("key", call.principal.kind, call.principal.id, key) if key else ("id", asked.id or "")
    digest = ids.digest("script_run", script_id, *map(str, by))
    run_id = asked.id or digest
    name = names.document("projects", call.scope.project_id, "idempotency", digest)
    body = ids.digest("body", _canonical(asked.wire()))

    async def attempt() -> tuple[str, int]:
        found = (await firestore.batch_get([name])).get(name)
        if found is None:
            change = call.change()
            fields = {"body": body, "time": now, "expireAt": clock.from_ms(now) + _KEPT}
            change.put(name, fields, exists=False)
            await change.commit()
            return run_id, now
        stored: dict[str, Any] = values.from_fields(found.fields)
        if stored.get("body") != body:
            raise ApiError(
                422,
                "idempotency.reused",
                f"the {'Idempotency-Key' if key else 'id'} was used for another body already",
                "use a new one for another occasion",
            )
        return run_id, int(stored["time"])

    made: tuple[str, int] = await retrying(attempt)
    return made
