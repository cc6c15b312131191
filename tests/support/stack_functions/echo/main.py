"""Says what came as JSON. ``?sleep=S`` answers later, ``?die=1`` ends the process, ``?status=N`` is given.

``?stream=N`` answers in N parts, the next one each time that ``?more=1`` is asked.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

_at_once = 0
_most = 0
_more = asyncio.Event()
_closed = 0


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # its package has no types
async def echo(request: Request) -> Response:
    """Answer with the request, this process, and how many requests it had at once at most."""
    global _at_once, _most
    _at_once += 1
    _most = max(_most, _at_once)
    body = await request.body()
    asked = request.query_params
    if "more" in asked:
        _more.set()
    if "stream" in asked:
        _at_once -= 1
        return StreamingResponse(_parts(int(asked["stream"])), media_type="text/plain")
    await asyncio.sleep(float(asked.get("sleep", "0")))
    if "die" in asked:
        os._exit(9)
    _at_once -= 1
    return JSONResponse(
        {
            "method": request.method,
            "path": request.scope["raw_path"].decode(),
            "query": request.url.query,
            "headers": list(request.headers.items()),
            "size": len(body),
            "body": body[:1000].decode(errors="replace"),
            "pid": os.getpid(),
            "most": _most,
            "closed": _closed,
            "environment": dict(os.environ),
        },
        status_code=int(asked.get("status", "200")),
        headers={"X-Own": "1", "Connection": "X-Hop", "X-Hop": "1"},
    )


async def _parts(count: int) -> AsyncIterator[str]:
    global _closed
    try:
        for number in range(count):
            yield f"part {number}\n"
            _more.clear()
            await _more.wait()
    finally:
        _closed += 1
