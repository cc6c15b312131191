"""Pushes from ``simulator`` start and stop devices; tasks play slices; once a minute the tick makes those."""

from __future__ import annotations

import time
import traceback
from typing import Any

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.simulator import handle
from shared.errors import FulcrumError, Rejected
from shared.log import log


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def simulator(request: Request) -> Response:
    """204 when a push, a slice or a tick is done; 500 has it come again; 400 is none of them."""
    trace = request.headers.get("x-cloud-trace-context")
    started = time.perf_counter()
    try:
        done: dict[str, Any] = await handle.handle(await request.body(), trace)
    except Rejected as error:
        log("ERROR", "neither push, slice nor tick", trace=trace, error=error.message[:500])
        return Response(error.message, 400)
    except FulcrumError as error:
        log("WARNING", "try again", trace=trace, error=str(error)[:500])
        return Response("try again", 500)
    except Exception:
        log("ERROR", "unexpected error", trace=trace, error=traceback.format_exc())
        return Response("try again", 500)
    log("INFO", "simulation", trace=trace, **done, ms=round((time.perf_counter() - started) * 1000))
    return Response(status_code=204)
