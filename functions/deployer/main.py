"""Pushes from ``deploy``: carry on with what a script's deployment has left to do."""

from __future__ import annotations

import time
import traceback

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.deployer import run
from shared import script_documents
from shared.envelope import Delivery, decode_push
from shared.errors import FulcrumError, Rejected
from shared.log import log
from shared.quarantine import SetAside, set_aside

SERVICE = "deployer"


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def deployer(request: Request) -> Response:
    """204 when the message has done its work; 500 has it delivered again; 400 is no push at all."""
    trace = request.headers.get("x-cloud-trace-context")
    started = time.perf_counter()
    try:
        delivery = decode_push(await request.body())
    except Rejected as error:
        log("ERROR", "not a push", trace=trace, error=error.message[:500])
        return Response(error.message, 400)
    try:
        message = script_documents.decode(delivery.data)
        outcome = await run.go_on(message)
    except Rejected as error:
        return await _set_aside(error, delivery, trace)
    except FulcrumError as error:
        log("WARNING", "try again", trace=trace, **delivery.named(), error=str(error)[:500])
        return Response("try again", 500)
    except Exception:
        log("ERROR", "unexpected error", trace=trace, **delivery.named(), error=traceback.format_exc())
        return Response("try again", 500)
    log(
        "ERROR" if outcome == "failed" else "INFO",
        "deployment",
        trace=trace,
        **delivery.named(),
        deployment=message.deployment_id,
        outcome=outcome,
        ms=round((time.perf_counter() - started) * 1000),
    )
    return Response(status_code=204)


async def _set_aside(error: Rejected, delivery: Delivery, trace: str | None) -> Response:
    topic, project = script_documents.TOPIC, delivery.attributes.get("projectId")
    entry = SetAside(error, delivery.data, SERVICE, topic, delivery.message_id, project_id=project)
    try:
        await set_aside([entry], trace)
    except FulcrumError as failed:
        log("WARNING", "not set aside", trace=trace, **delivery.named(), error=str(failed)[:500])
        return Response("try again", 500)
    return Response(status_code=204)
