"""Does jobs {"file", "sleep"?, "die_once"?, "fail_while"?}; writes a line at its begin and its end."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from pathlib import Path

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # its package has no types
async def jobs(request: Request) -> Response:
    """Do the job; 204 when it is done, 500 while the file ``fail_while`` exists."""
    push = await request.json()
    job = json.loads(base64.b64decode(push["message"]["data"]))
    file = Path(job["file"])
    first = not file.exists()
    with file.open("a") as lines:
        lines.write(f"began {push['subscription'].rpartition('/')[2]}\n")
    if job.get("die_once") and first:
        os._exit(9)
    await asyncio.sleep(job.get("sleep", 0))
    if "fail_while" in job and Path(job["fail_while"]).exists():
        return Response(status_code=500)
    with file.open("a") as lines:
        lines.write("done\n")
    return Response(status_code=204)
