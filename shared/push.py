"""Answering a push of Pub/Sub: what the status of the answer says, the same for every service."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from shared.envelope import Delivery, decode_push
from shared.errors import FulcrumError, Rejected
from shared.log import log

# (the delivery, the trace that Cloud Logging joins on)
Handle = Callable[[Delivery, str | None], Awaitable[None]]


async def answer(request: Request, handle: Handle, again: int = 500) -> Response:
    """204 acknowledges the delivery: ``handle`` returned, so that all that comes of it is confirmed.

    400: no push at all. ``again``: a store, topic or service did not answer as it should; 500: an error that
    nobody foresaw. After either Pub/Sub delivers it again.
    """
    trace = request.headers.get("x-cloud-trace-context")
    try:
        delivery = decode_push(await request.body())
    except Rejected as error:
        log("ERROR", "not a push", trace=trace, error=error.message[:500])
        return Response(error.message, 400)
    try:
        await handle(delivery, trace)
    except FulcrumError as error:
        said = "the delivery will come again"
        log("WARNING", said, trace=trace, **delivery.named(), error=str(error)[:500])
        return Response("try again", again)
    except Exception:
        log("ERROR", "unexpected error", trace=trace, **delivery.named(), error=traceback.format_exc())
        return Response("try again", 500)
    return Response(status_code=204)
