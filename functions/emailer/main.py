"""Mail: pushes from ``email`` ask for it, tasks bring back what did not go out."""

from __future__ import annotations

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.emailer import contents, entries, mails, provider
from shared import send_requests, sending
from shared.envelope import Delivery
from shared.outbox import Entry, Refused

SERVICE = sending.Service("emailer", "email", "mail", "mail", entries.again)


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def emailer(request: Request) -> Response:
    """204 once all is sent, waits for its task or is set aside; 500 has it come again; 400 is neither."""
    return await send_requests.answer(request, SERVICE, _read, provider.provider())


async def _read(delivery: Delivery) -> tuple[list[Entry], list[Refused]]:
    found = await contents.filled(mails.read(delivery))
    return [entries.entry(mail) for mail in found.mails], found.refused
