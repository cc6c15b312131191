"""Push from ``default-processor``: resolve outside names to devices and send messages along their route."""

from __future__ import annotations

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions.message_processor.process import process
from shared import push


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def message_processor(request: Request) -> Response:
    """204 acknowledges; 400 is no Pub/Sub push; 500 has it delivered again."""
    return await push.answer(request, process)
