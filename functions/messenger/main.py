"""Pushes from ``messenger``: check text messages and hand them to the sender."""

from __future__ import annotations

import time
import traceback

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.messenger import senders, texts
from shared import outbox
from shared.envelope import Delivery, decode_push
from shared.errors import FulcrumError, Rejected
from shared.log import log
from shared.quarantine import SetAside, set_aside

SERVICE, TOPIC = "messenger", "messenger"


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def messenger(request: Request) -> Response:
    """204 once every message is handed over or set aside; 500 has it delivered again; 400 is no push."""
    trace = request.headers.get("x-cloud-trace-context")
    started = time.perf_counter()
    try:
        delivery = decode_push(await request.body())
    except Rejected as error:
        log("ERROR", "not a push", trace=trace, error=error.message[:500])
        return Response(error.message, 400)
    try:
        read = texts.read(delivery)
        await senders.sender().send(read.texts)
        await set_aside([_entry(delivery, refused) for refused in read.refused], trace)
    except FulcrumError as error:
        log("WARNING", "try again", trace=trace, **delivery.named(), error=str(error)[:500])
        return Response("try again", 500)
    except Exception:
        log("ERROR", "unexpected error", trace=trace, **delivery.named(), error=traceback.format_exc())
        return Response("try again", 500)
    log(
        "INFO",
        "text messages",
        trace=trace,
        **delivery.named(),
        sent=len(read.texts),
        quarantined=len(read.refused),
        ms=round((time.perf_counter() - started) * 1000),
    )
    return Response(status_code=204)


def _entry(delivery: Delivery, refused: outbox.Refused) -> SetAside:
    return SetAside(
        refused.error,
        refused.data,
        SERVICE,
        TOPIC,
        delivery.message_id,
        refused.place,
        delivery.attributes.get("projectId"),
    )
