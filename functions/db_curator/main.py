"""Cloud Scheduler has it begin every night; pushes from ``curation`` have it go on, store by store."""

from __future__ import annotations

import time
import traceback
from typing import Any

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.db_curator import handle
from shared.envelope import Delivery, decode_push
from shared.errors import FulcrumError, Rejected
from shared.log import log
from shared.quarantine import SetAside, set_aside
from shared.retention import curation


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def db_curator(request: Request) -> Response:
    """204 when a message has done its work; 500 has it delivered again."""
    trace = request.headers.get("x-cloud-trace-context")
    started = time.perf_counter()
    body = await request.body()
    delivery = Delivery("", body, {}, "", "", 0)
    try:
        if not handle.is_tick(body):
            delivery = decode_push(body)
        done: dict[str, Any] = await handle.handle(curation.decode(delivery.data))
    except Rejected as error:
        return await _set_aside(error, delivery, trace)
    except FulcrumError as error:
        log("WARNING", "try again", trace=trace, **delivery.named(), error=str(error)[:500])
        return Response("try again", 500)
    except Exception:
        log("ERROR", "unexpected error", trace=trace, **delivery.named(), error=traceback.format_exc())
        return Response("try again", 500)
    log(
        "ERROR" if done.get("outcome") == "failed" else "INFO",
        "curation",
        trace=trace,
        **{**delivery.named(), **done},
        ms=round((time.perf_counter() - started) * 1000),
    )
    return Response(status_code=204)


async def _set_aside(error: Rejected, delivery: Delivery, trace: str | None) -> Response:
    project = delivery.attributes.get("projectId")
    topic = curation.TOPIC
    entry = SetAside(error, delivery.data, handle.SERVICE, topic, delivery.message_id, project_id=project)
    try:
        await set_aside([entry], trace)
    except FulcrumError as failed:
        log("WARNING", "not set aside", trace=trace, messageId=delivery.message_id, error=str(failed))
        return Response("try again", 500)
    return Response(status_code=204)
