"""Pushes from ``outbound`` say what becomes of messages to devices; tasks send them, and end their time."""

from __future__ import annotations

import time
import traceback

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.rest_outbound import handle
from shared.errors import FulcrumError, Rejected
from shared.log import log


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def rest_outbound(request: Request) -> Response:
    """204 when a push or a task is done; 500 has it come again; 400 is neither."""
    trace = request.headers.get("x-cloud-trace-context")
    started = time.perf_counter()
    try:
        done = await handle.handle(await request.body(), trace)
    except Rejected as error:
        log("ERROR", "neither push nor task", trace=trace, error=error.message[:500])
        return Response(error.message, 400)
    except FulcrumError as error:
        log("WARNING", "try again", trace=trace, error=str(error)[:500])
        return Response("try again", 500)
    except Exception:
        log("ERROR", "unexpected error", trace=trace, error=traceback.format_exc())
        return Response("try again", 500)
    ms = round((time.perf_counter() - started) * 1000)
    log("INFO", "messages to devices", trace=trace, **done, ms=ms)
    return Response(status_code=204)
