"""Pushes from ``messenger``: check text messages and hand them to the sender."""

from __future__ import annotations

import time

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.messenger import senders, texts
from shared import outbox, push
from shared.envelope import Delivery
from shared.log import log
from shared.quarantine import SetAside, set_aside

SERVICE, TOPIC = "messenger", "messenger"


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def messenger(request: Request) -> Response:
    """204 once every message is handed over or set aside; 500 has it delivered again; 400 is no push."""
    return await push.answer(request, _handle)


async def _handle(delivery: Delivery, trace: str | None) -> None:
    started = time.perf_counter()
    read = texts.read(delivery)
    await senders.sender().send(read.texts)
    await set_aside([_entry(delivery, refused) for refused in read.refused], trace)
    log(
        "INFO",
        "text messages",
        trace=trace,
        **delivery.named(),
        sent=len(read.texts),
        quarantined=len(read.refused),
        ms=round((time.perf_counter() - started) * 1000),
    )


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
