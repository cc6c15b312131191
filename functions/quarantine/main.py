"""Pushes from ``quarantine`` and ``dead-letter``: keep what could not be processed."""

from __future__ import annotations

import traceback

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.quarantine import entries
from functions.quarantine.store import store
from shared.envelope import decode_push
from shared.errors import FulcrumError, Rejected
from shared.log import log


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def quarantine(request: Request) -> Response:
    """204 once the entry is stored; 500 has it delivered again, for as long as it takes."""
    trace = request.headers.get("x-cloud-trace-context")
    body = await request.body()
    if not body:
        return Response("post a Pub/Sub push", 400)
    try:
        entry = entries.from_delivery(decode_push(body))
    except Rejected as error:
        entry = entries.from_body(body, error)
    fields = {
        "messageId": entry.fields["sourceMessageId"],
        "errorType": entry.fields["errorType"],
        "projectId": entry.project_id,
        "entry": entry.id,
        "bytes": len(entry.data),
    }
    try:
        await store(entry)
    except FulcrumError as error:
        log("ERROR", "entry not stored", trace=trace, **fields, error=str(error))
        return Response("try again", 500)
    except Exception:
        log("ERROR", "unexpected error", trace=trace, **fields, error=traceback.format_exc())
        return Response("try again", 500)
    log("INFO", "entry stored", trace=trace, **fields)
    return Response(status_code=204)
