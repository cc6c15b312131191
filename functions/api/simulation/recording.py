"""A device's history becomes a scenario of its blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fulcrum.simulation import recording
from functions.api.history import reach, run
from functions.api.needs import Call
from shared.errors import ApiError, Rejected
from shared.model.device import DEVICE
from shared.model.scenario import MAX_DURATION_MS, SCENARIO, Scenario, ScenarioCreate
from shared.model.simulation import RecordScenario
from shared.store.scope import Stored

# A document of Firestore has 1 MiB in all.
_MAX_BYTES = 900_000
_MAX_ROWS = 50_000


async def record(call: Call, device_id: str, body: RecordScenario) -> Stored[Scenario]:
    """Make a scenario of what a device reported; ApiError 400 for what makes none."""
    if not 1_000 <= body.end - body.start <= MAX_DURATION_MS:
        raise ApiError(
            400,
            "recording.span",
            "from start to end is less than a second, or more than a scenario's seven days",
            "choose another span",
        )
    scope = await reach.of_device(call, device_id, "device.readHistory")
    stored = await call.scope.get(DEVICE, device_id)
    rows: list[tuple[int, Mapping[str, Any]]] = []
    query = {"start": body.start, "end": body.end + 1, "order": [["time", "ASC"]]}
    async for item in run.items(query, "history", scope):
        if isinstance(item.get("data"), dict):
            rows.append((item["time"], item["data"]))
        if len(rows) > _MAX_ROWS:
            raise _refused("recording.tooLong", f"more than {_MAX_ROWS} rows were reported")
    try:
        tracks = recording.tracks(rows, body.start, body.end, body.paths)
    except Rejected as error:
        raise _refused(error.error_type, error.message) from None
    made = ScenarioCreate.model_validate(
        {
            "name": body.name,
            "desc": f"Recorded from the device {device_id}",
            "blueprintId": stored.fields["blueprintId"],
            "duration": body.end - body.start,
            "loop": body.loop,
            "tracks": tracks,
        }
    )
    fields = made.model_dump(by_alias=True, exclude_none=True, mode="json")
    if (size := len(msgspec.json.encode(fields["tracks"]))) > _MAX_BYTES:
        raise _refused("recording.tooLong", f"its tracks are {size} bytes of JSON; at most {_MAX_BYTES}")
    change = call.change()
    scenario_id = change.create(SCENARIO, fields)
    await change.commit()
    return await call.scope.get(SCENARIO, scenario_id)


def _refused(error: str, message: str) -> ApiError:
    return ApiError(400, error, message, "choose another span of time, or name the paths that matter")
