"""``POST /rcv/<network>``: events of devices, published to ``default-processor``.

``POST /ack/<network>``: what devices answer to messages, published there too.
``GET /out/<network>/<device>``: messages to a device that fetches them.
"""

from __future__ import annotations

import traceback

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.ingest import receive, respond
from shared.errors import ApiError, FulcrumError
from shared.log import log


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def ingest(request: Request) -> Response:
    """Answer one request: 202, 207, or an error that says what to do."""
    try:
        return await receive.receive(request)
    except ApiError as problem:
        answer = problem
    except FulcrumError as failure:
        log("WARNING", "a store or topic failed", error=str(failure))
        answer = ApiError(
            503,
            "service.unavailable",
            "the events could not be stored just now",
            "send the same request again",
            retry_after=2,
        )
    except Exception:
        log("ERROR", "unexpected error", error=traceback.format_exc())
        answer = ApiError(500, "service.failed", "an unexpected error", "send the same request again")
    path = request.scope["path"][:200]
    log("NOTICE", "request refused", status=answer.status, error=answer.error, path=path)
    return respond.error(answer, "GET" if path.startswith("/out/") else "POST")
