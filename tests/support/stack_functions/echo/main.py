"""Says what came as JSON. ``?sleep=S`` answers later, ``?die=1`` ends the process, ``?status=N`` is given."""

from __future__ import annotations

import asyncio
import os

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import JSONResponse

_at_once = 0
_most = 0


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # its package has no types
async def echo(request: Request) -> JSONResponse:
    """Answer with the request, this process, and how many requests it had at once at most."""
    global _at_once, _most
    _at_once += 1
    _most = max(_most, _at_once)
    body = await request.body()
    asked = request.query_params
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
            "environment": dict(os.environ),
        },
        status_code=int(asked.get("status", "200")),
        headers={"X-Own": "1", "Connection": "X-Hop", "X-Hop": "1"},
    )
