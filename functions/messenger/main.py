"""Text messages: pushes from ``messenger`` ask for them, tasks bring back those that did not go out."""

from __future__ import annotations

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.messenger import entries, texts
from shared import send_requests, sending
from shared.envelope import Delivery
from shared.outbox import Entry, Refused

SERVICE = sending.Service("messenger", "messenger", "text messages", "sms", entries.again)


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def messenger(request: Request) -> Response:
    """204 once all is sent, waits for its task or is set aside; 500 has it come again; 400 is neither."""
    return await send_requests.answer(request, SERVICE, _read, None)


async def _read(delivery: Delivery) -> tuple[list[Entry], list[Refused]]:
    found = texts.read(delivery)
    return [entries.entry(text) for text in found.texts], found.refused
