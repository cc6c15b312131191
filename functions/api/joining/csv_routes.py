"""Operations on devices as a table: import and export of CSV."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import Path, Query
from starlette.responses import Response, StreamingResponse

from functions.api.joining import csv_export, csv_import, csv_table
from functions.api.joining.csv_import import Progress
from functions.api.needs import Call, needs
from functions.api.resources.answers import GONE, problem
from functions.api.router import Router
from shared.errors import ApiError, FulcrumError
from shared.log import log
from shared.model.device_import import ImportRefused, ImportReport
from shared.store.query import Where

router = Router("device")

NDJSON = "application/x-ndjson"
ProjectId = Annotated[str, Path(max_length=200, description="The id of the project")]
_EXAMPLE = (
    "name,blueprint,system,network,alias.farm-lora.serial,tags\r\n"
    "Store 4,coldStore,north,farm-lora,SN-42,new\r\n"
)
_encode = msgspec.json.Encoder().encode


@router.post(
    "/project/{project_id}/devices/import",
    operation_id="device_import",
    summary="Import devices from CSV",
    description="Makes and changes devices from a table of up to 10,000 rows and 10 MB. A row is about the "
    "device with its id, its externalId or one of its outside names; if there is none it makes one. An empty "
    "cell says nothing. All rows are checked before any is written, and nothing is written if one is wrong, "
    "unless partial. A row that meets what others do meanwhile is reported as failed, with 200, and the rest "
    "is written. The same table imported again changes nothing. With Accept: application/x-ndjson the "
    "answer is one JSON object a line: {progress} as it goes, then {report} or {error}.",
    responses=GONE
    | {
        200: {"content": {NDJSON: {"schema": {"type": "string"}, "example": '{"progress":{"checked":200}}'}}},
        415: problem("The body is no CSV"),
        422: {"model": ImportRefused, "description": "Rows are wrong; nothing was written"},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"text/csv": {"schema": {"type": "string"}, "example": _EXAMPLE}},
        }
    },
)
async def import_(
    project_id: ProjectId,
    call: Annotated[Call, needs("device.create", anywhere=True, others=["device.create:", "device.update"])],
    dry_run: Annotated[bool, Query(alias="dryRun", description="Check all, write nothing")] = False,
    partial: Annotated[
        bool, Query(description="Write the rows that are right even if others are wrong")
    ] = False,
) -> ImportReport:
    media = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in ("text/csv", "application/csv"):
        raise ApiError(415, "csv.contentType", f"{media[:100]!r} is no CSV", "send it as text/csv")
    table = csv_table.read(await call.request.body())
    running = csv_import.run(call, table, dry_run=dry_run, partial=partial)
    if NDJSON in call.request.headers.get("accept", ""):
        first = await anext(running)
        lines = _lines(call, first, running)
        answer: Any = StreamingResponse(lines, media_type=NDJSON)
        return answer  # type: ignore[no-any-return]  # a response of its own is sent as it is
    report: ImportReport = [item async for item in running if isinstance(item, ImportReport)][-1]
    return report


async def _lines(
    call: Call, first: Progress | ImportReport, rest: AsyncIterator[Progress | ImportReport]
) -> AsyncIterator[bytes]:
    try:
        yield _line(first)
        async for item in rest:
            yield _line(item)
    except csv_import.Refused as refused:
        yield _encode({"error": refused.body() | {"requestId": call.request_id}}) + b"\n"
    except FulcrumError as error:
        # The answer has begun: what went wrong is its last line.
        log("WARNING", "import broken off", requestId=call.request_id, error=str(error))
        failed = (
            error
            if isinstance(error, ApiError)
            else ApiError(
                503, "service.unavailable", "a store did not answer just now", "send the same again"
            )
        )
        yield _encode({"error": failed.body() | {"requestId": call.request_id}}) + b"\n"


def _line(item: Progress | ImportReport) -> bytes:
    if isinstance(item, Progress):
        return _encode({"progress": item}) + b"\n"
    return _encode({"report": item.wire()}) + b"\n"


@router.get(
    "/project/{project_id}/devices/export",
    operation_id="device_export",
    summary="Export devices as CSV",
    description="The devices that you may see as a table, streamed. Imported again, it changes nothing. "
    "Cells that a spreadsheet would take for a formula have an apostrophe before them; an import drops it.",
    response_class=Response,
    responses=GONE | {200: {"content": {"text/csv": {"schema": {"type": "string"}, "example": _EXAMPLE}}}},
)
async def export(
    project_id: ProjectId,
    call: Annotated[Call, needs("device.list", anywhere=True)],
    system_id: Annotated[
        str | None, Query(alias="systemId", max_length=200, description="Of one system")
    ] = None,
    blueprint_id: Annotated[
        str | None, Query(alias="blueprintId", max_length=200, description="Of one blueprint")
    ] = None,
) -> Response:
    await call.scope.must_exist()
    named = (("systemId", system_id), ("blueprintId", blueprint_id))
    where = tuple(Where(field, "==", value) for field, value in named if value)
    pieces = csv_export.stream(call, where)
    first = await anext(pieces)

    async def all_() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return StreamingResponse(
        all_(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="devices.csv"'},
    )
