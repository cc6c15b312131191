"""Pushes from ``simulator`` start and stop devices; tasks play slices; once a minute the tick makes those."""

from __future__ import annotations

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.simulator import handle
from shared import posts


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def simulator(request: Request) -> Response:
    """204 when a push, a slice or a tick is done; 500 has it come again; 400 is none of them."""
    trace = request.headers.get("x-cloud-trace-context")
    done = handle.handle(await request.body(), trace)
    return await posts.answer(request, done, "simulation", "a push, a slice or a tick")
