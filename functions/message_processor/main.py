"""Push from ``default-processor``: resolve outside names to devices and send messages along their route."""

from __future__ import annotations

import traceback

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.message_processor.process import process
from shared.envelope import decode_push
from shared.errors import FulcrumError, Rejected
from shared.log import log


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def message_processor(request: Request) -> Response:
    """204 acknowledges; 400 is no Pub/Sub push; 500 has it delivered again."""
    trace = request.headers.get("x-cloud-trace-context")
    try:
        delivery = decode_push(await request.body())
    except Rejected as error:
        log("ERROR", "not a push", trace=trace, error=error.message[:500])
        return Response(error.message, 400)
    try:
        await process(delivery, trace)
    except FulcrumError as error:
        log("WARNING", "delivery failed", trace=trace, **delivery.named(), error=str(error))
        return Response("try again", 500)
    except Exception:
        log("ERROR", "unexpected error", trace=trace, **delivery.named(), error=traceback.format_exc())
        return Response("try again", 500)
    return Response(status_code=204)
