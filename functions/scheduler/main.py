"""Pushes from ``scheduler`` set and cancel timers; tasks fire them; once a minute the sweep arms them."""

from __future__ import annotations

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.scheduler import handle
from shared import posts


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def scheduler(request: Request) -> Response:
    """204 when a push, a task or a sweep is done; 500 has it come again; 400 is none of them."""
    trace = request.headers.get("x-cloud-trace-context")
    retries = request.headers.get("x-cloudtasks-taskretrycount", "0")
    done = handle.handle(await request.body(), retries, trace)
    return await posts.answer(request, done, "timers", "a push, a task or a sweep")
