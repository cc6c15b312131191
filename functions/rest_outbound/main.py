"""Pushes from ``outbound`` say what becomes of messages to devices; tasks send them, and end their time."""

from __future__ import annotations

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.rest_outbound import handle
from shared import posts


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def rest_outbound(request: Request) -> Response:
    """204 when a push or a task is done; 500 has it come again; 400 is neither."""
    trace = request.headers.get("x-cloud-trace-context")
    done = handle.handle(await request.body(), trace)
    return await posts.answer(request, done, "messages to devices", "a push or a task")
