"""The operation that tells the way of an event."""

from typing import Annotated

from fastapi import Path
from fastapi import Query as Parameter

from functions.api.history import reach
from functions.api.needs import Call, needs
from functions.api.resources.answers import GONE
from functions.api.router import Router
from functions.api.tracing import tell
from functions.api.tracing.models import Traces
from shared import clock
from shared.errors import ApiError
from shared.history_query.instants import instant

router = Router("history")
PERMISSION = "device.readHistory"


@router.get(
    "/project/{project_id}/trace/{event_id:path}",
    operation_id="project_trace_get",
    summary="Follow an event",
    description="The way of an event through all services, from its reception to the last effect that is "
    "known, with times. An id is one event's for each device and content: all of them are told. Where the "
    "log has nothing of it any more, or cannot be read, the way has what was stored.",
    responses=GONE,
)
async def get(
    project_id: Annotated[str, Path(max_length=200, description="The id of the project")],
    event_id: Annotated[
        str, Path(max_length=256, description="The id of the event, as its sender or ingest named it")
    ],
    call: Annotated[Call, needs(PERMISSION, anywhere=True)],
    device_id: Annotated[
        str | None, Parameter(alias="deviceId", max_length=200, description="Only of this device")
    ] = None,
    since: Annotated[
        str | None,
        Parameter(
            max_length=40,
            description="From when on it is looked for, by the event's time: epoch ms or ISO 8601; the last "
            "7 days if left out, of a device all of its history",
        ),
    ] = None,
) -> Traces:
    now = clock.now_ms()
    start = None if since is None else instant(since, "since")
    if start is not None and start > now:
        raise ApiError(400, "query.invalid", "since: it is to come yet", "Name a time that has passed.")
    around = await reach.of_project(call, PERMISSION)
    scope = around if device_id is None else await reach.of_device(call, device_id, PERMISSION)
    return await tell.told(call, event_id, scope, around, start, now)
