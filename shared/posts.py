"""Answering what is posted to a function that Pub/Sub, Cloud Tasks and Cloud Scheduler all call."""

from __future__ import annotations

import time
import traceback
from collections.abc import Awaitable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from shared.errors import FulcrumError, Rejected
from shared.log import log


async def answer(request: Request, done: Awaitable[Mapping[str, Any]], said: str, expected: str) -> Response:
    """204 when it is ``done``, which gives the counts of the line in the log, called ``said``.

    400: Rejected, it was nothing of what is ``expected``, in words. 500: a store, topic or service did not
    answer as it should, or nobody foresaw the error; after it the same comes again.
    """
    trace = request.headers.get("x-cloud-trace-context")
    started = time.perf_counter()
    try:
        counts = await done
    except Rejected as error:
        log("ERROR", f"not {expected}", trace=trace, error=error.message[:500])
        return Response(error.message, 400)
    except FulcrumError as error:
        log("WARNING", "try again", trace=trace, error=str(error)[:500])
        return Response("try again", 500)
    except Exception:
        log("ERROR", "unexpected error", trace=trace, error=traceback.format_exc())
        return Response("try again", 500)
    ms = round((time.perf_counter() - started) * 1000)
    log("INFO", said, trace=trace, **counts, ms=ms)
    return Response(status_code=204)
