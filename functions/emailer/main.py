"""Pushes from ``email``: check mail and hand it to the sender."""

from __future__ import annotations

import time

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.emailer import mails, senders
from shared import outbox, push
from shared.envelope import Delivery
from shared.log import log
from shared.quarantine import SetAside, set_aside

SERVICE, TOPIC = "emailer", "email"


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def emailer(request: Request) -> Response:
    """204 once every mail is handed over or set aside; 500 has it delivered again; 400 is no push at all."""
    return await push.answer(request, _handle)


async def _handle(delivery: Delivery, trace: str | None) -> None:
    started = time.perf_counter()
    read = mails.read(delivery)
    await senders.sender().send(read.mails)
    await set_aside([_entry(delivery, refused) for refused in read.refused], trace)
    log(
        "INFO",
        "mail",
        trace=trace,
        **delivery.named(),
        sent=len(read.mails),
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
