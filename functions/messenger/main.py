"""Text messages: pushes from ``messenger`` ask for them, tasks bring back those that did not go out."""

from __future__ import annotations

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.messenger import by_twilio, entries
from shared import send_requests, sending

SERVICE = sending.Service("messenger", "messenger", "text messages", "sms", entries.again)


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def messenger(request: Request) -> Response:
    """204 once all is sent, waits for its task or is set aside; 500 has it come again; 400 is neither."""
    return await send_requests.answer(request, SERVICE, entries.read, by_twilio.provider())
