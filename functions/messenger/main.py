"""Pushes from ``messenger``: check text messages and hand them to the sender."""

from __future__ import annotations

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.messenger import senders, texts
from shared import outbox, push
from shared.envelope import Delivery

SERVICE = outbox.Service("messenger", "messenger", "text messages")


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def messenger(request: Request) -> Response:
    """204 once every message is handed over or set aside; 500 has it delivered again; 400 is no push."""
    return await push.answer(request, _handle)


async def _handle(delivery: Delivery, trace: str | None) -> None:
    await outbox.carry(delivery, trace, SERVICE, texts.read, senders.sender().send)
