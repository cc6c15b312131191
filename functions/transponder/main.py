"""Pushes of the topic ``writer``: what known devices reported, written to state and history."""

from __future__ import annotations

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.transponder.handle import handle
from shared import push


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def transponder(request: Request) -> Response:
    """204 acknowledges the delivery; with 503 or 500 Pub/Sub delivers it again; 400 is no push at all."""
    return await push.answer(request, handle, again=503)
