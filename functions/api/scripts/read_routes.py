"""Operations that read what a script did: its logs and metrics.

No postponed annotations here: the framework reads the handlers' annotations.
"""

from typing import Annotated, Any, Literal

from fastapi import Path, Query

from functions.api.needs import Call, needs
from functions.api.resources import lists
from functions.api.resources.answers import GONE, problem
from functions.api.router import Router
from functions.api.scripts import reports
from functions.api.scripts.runs_sql import Wanted
from shared import clock
from shared.errors import ApiError
from shared.history_query.instants import instant
from shared.model.script import SCRIPT
from shared.model.script_reports import ScriptMetrics, ScriptRuns

router = Router("script")
_DAY_MS = 86_400_000
ScriptId = Annotated[str, Path(max_length=200, description="The id of the script")]
Since = Annotated[
    str | None,
    Query(max_length=40, description="Only runs from then on: epoch ms or ISO 8601; a day ago if left out"),
]
Until = Annotated[
    str | None,
    Query(max_length=40, description="Only runs before then: epoch ms or ISO 8601; now if left out"),
]
Version = Annotated[int | None, Query(ge=1, le=1_000_000_000, description="Only runs of this version")]
Device = Annotated[str | None, Query(max_length=200, description="Only runs for this device, by its id")]
Entry = Annotated[str | None, Query(max_length=100, description="Only runs of this function")]
_SLOW: dict[int | str, dict[str, Any]] = {504: problem("It took too long")}


@router.get(
    "/script/{script_id}/logs",
    operation_id="script_logs",
    summary="Read the logs of a script",
    description="The runs of the script with what they logged and why they failed, the latest first: those "
    "for devices whose history the caller may read. A run can be read a moment after it.",
    responses=GONE | _SLOW,
)
async def logs(
    script_id: ScriptId,
    call: Annotated[Call, needs("script.readLogs")],
    since: Since = None,
    until: Until = None,
    version: Version = None,
    device: Device = None,
    event: Annotated[
        str | None, Query(max_length=400, description="Only runs for this event, by its id")
    ] = None,
    entry: Entry = None,
    status: Annotated[
        Literal["done", "unmet", "failed"] | None, Query(description="Only runs that came to this")
    ] = None,
    level: Annotated[
        Literal["info", "error"] | None,
        Query(description="info: only runs that logged something, or failed; error: an error, or failed"),
    ] = None,
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
) -> ScriptRuns:
    start, end = await _window(call, script_id, since, until)
    wanted = Wanted(
        call.scope.project_id,
        script_id,
        start,
        end,
        version=version,
        device=device,
        event=event,
        entry=entry,
        status=status,
        level=level,
    )
    return await reports.logs(call, wanted, per_page, cursor)


@router.get(
    "/script/{script_id}/metrics",
    operation_id="script_metrics",
    summary="Read the metrics of a script",
    description="How often the script ran, failed and had effects, and how long it took: in all, by "
    "version or device, and by time, for devices whose history the caller may read.",
    responses=GONE | _SLOW,
)
async def metrics(
    script_id: ScriptId,
    call: Annotated[Call, needs("script.readLogs")],
    since: Since = None,
    until: Until = None,
    version: Version = None,
    device: Device = None,
    entry: Entry = None,
    by: Annotated[
        Literal["version", "device"] | None, Query(description="Figures for each version, or device, too")
    ] = None,
    interval: Annotated[
        int | None,
        Query(ge=60_000, le=366 * _DAY_MS, description="Figures by time, too: the length of a bucket in ms"),
    ] = None,
) -> ScriptMetrics:
    start, end = await _window(call, script_id, since, until)
    wanted = Wanted(call.scope.project_id, script_id, start, end, version=version, device=device, entry=entry)
    return await reports.metrics(call, wanted, by, interval)


async def _window(call: Call, script_id: str, since: str | None, until: str | None) -> tuple[int, int]:
    await call.scope.get(SCRIPT, script_id)
    end = clock.now_ms() + 1 if until is None else instant(until, "until")
    start = end - _DAY_MS if since is None else instant(since, "since")
    if start >= end:
        raise ApiError(
            400, "script.window", "since: it is not before until", "ask for a time that begins first"
        )
    return start, end
