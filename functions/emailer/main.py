"""Pushes from ``email``: check mail and hand it to the sender."""

from __future__ import annotations

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.emailer import mails, senders
from shared import outbox, push
from shared.envelope import Delivery

SERVICE = outbox.Service("emailer", "email", "mail")


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def emailer(request: Request) -> Response:
    """204 once every mail is handed over or set aside; 500 has it delivered again; 400 is no push at all."""
    return await push.answer(request, _handle)


async def _handle(delivery: Delivery, trace: str | None) -> None:
    await outbox.carry(delivery, trace, SERVICE, mails.read, senders.sender().send)
