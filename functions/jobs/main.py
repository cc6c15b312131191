"""Pushes from ``jobs``: go on with what a deletion has left to be cleared."""

from __future__ import annotations

import time
import traceback

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.jobs import run
from shared.cascade import job as messages
from shared.envelope import Delivery, decode_push
from shared.errors import FulcrumError, Rejected
from shared.log import log
from shared.quarantine import SetAside, set_aside

SERVICE = "jobs"


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def jobs(request: Request) -> Response:
    """204 when the message has done its work; 500 has it delivered again."""
    trace = request.headers.get("x-cloud-trace-context")
    started = time.perf_counter()
    body = await request.body()
    delivery = Delivery("", body, {}, "", "", 0)
    try:
        delivery = decode_push(body)
        message = messages.decode(delivery.data)
        outcome = await run.go_on(message)
    except Rejected as error:
        return await _set_aside(error, delivery, trace)
    except FulcrumError as error:
        log("WARNING", "try again", trace=trace, **delivery.named(), error=str(error))
        return Response("try again", 500)
    except Exception:
        log("ERROR", "unexpected error", trace=trace, **delivery.named(), error=traceback.format_exc())
        return Response("try again", 500)
    log(
        "ERROR" if outcome == "failed" else "INFO",
        "job",
        trace=trace,
        **delivery.named() | {"projectId": message.project_id},
        job=message.job_id,
        outcome=outcome,
        ms=round((time.perf_counter() - started) * 1000),
    )
    return Response(status_code=204)


async def _set_aside(error: Rejected, delivery: Delivery, trace: str | None) -> Response:
    project = delivery.attributes.get("projectId")
    entry = SetAside(error, delivery.data, SERVICE, messages.TOPIC, delivery.message_id, project_id=project)
    try:
        await set_aside([entry], trace)
    except FulcrumError as failed:
        log("WARNING", "not set aside", trace=trace, messageId=delivery.message_id, error=str(failed))
        return Response("try again", 500)
    return Response(status_code=204)
