"""Pushes from ``reason``: run customers' scripts on events, carry out what they ask for, and go on."""

from __future__ import annotations

import traceback

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.reason.handle import handle
from shared.envelope import decode_push
from shared.errors import FulcrumError, Rejected
from shared.log import log


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def reason(request: Request) -> Response:
    """204 acknowledges the delivery; with 503 or 500 Pub/Sub delivers it again; 400 is no push at all."""
    trace = request.headers.get("x-cloud-trace-context")
    try:
        delivery = decode_push(await request.body())
    except Rejected as error:
        log("WARNING", "not a push", trace=trace, error=error.message[:500])
        return Response(error.message, 400)
    try:
        await handle(delivery, trace)
    except FulcrumError as error:
        log(
            "WARNING",
            "a store, topic or script did not answer: the delivery will come again",
            trace=trace,
            error=str(error)[:500],
            **delivery.named(),
        )
        return Response(status_code=503)
    except Exception:
        log("ERROR", "unexpected error", trace=trace, error=traceback.format_exc(), **delivery.named())
        return Response(status_code=500)
    return Response(status_code=204)
