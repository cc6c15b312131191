"""The function of a script: ``main.py`` of its zip says ``from fulcrum.script.serve import script``.

============================  ===========================================================================
``GET /``                     200: :class:`fulcrum.script.wire.Description`
``POST /`` {describe: true}   the same
``POST /`` a call             200: :class:`fulcrum.script.wire.Answer`; 400: it is no call, or another
                              script's; 503: no process with the code can be had, so try again
============================  ===========================================================================

This process loads none of the customer's code. Importing this starts the process that does, and fails where
the code cannot be loaded: a broken version never serves.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import os
import sys
import time
from pathlib import Path
from typing import Any

import functions_framework.aio
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from fulcrum.script import wire
from fulcrum.script.host import Host, Unavailable
from fulcrum.script.limits import Limits
from fulcrum.script.process import Broken

_ROOT = Path(__file__).resolve().parents[2]
_MAX_BYTES = 40_000_000
_DUMPABLE = 4
_encode = msgspec.json.encode


class Manifest(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """``manifest.json`` beside ``main.py``: what the function runs."""

    script_id: str
    project_id: str
    version: int
    limits: Limits = Limits()


class _Asked(msgspec.Struct, frozen=True):
    describe: bool = False


_decode_asked = msgspec.json.Decoder(_Asked).decode
_decode_call = msgspec.json.Decoder(wire.Call).decode


def _start(root: Path) -> tuple[Host, Manifest]:
    manifest = msgspec.json.decode((root / "manifest.json").read_bytes(), type=Manifest)
    if sys.platform == "linux":
        # Whoever runs as the same user cannot read this process's environment and memory.
        ctypes.CDLL(None).prctl(_DUMPABLE, ctypes.c_ulong(0), 0, 0, 0)
    host = Host(root / "code", manifest.limits, manifest.version)
    try:
        found = host.start()
    except Broken as error:
        # What is wrong with the customer's code, and nothing of what runs it; its last line says it all.
        raise SystemExit(f"{error.failure.traceback}\n{' '.join(str(error).split())}".lstrip("\n")) from None
    for missing in found.missing:
        _log("WARNING", "not isolated", scriptId=manifest.script_id, missing=missing)
    return host, manifest


def _log(severity: str, message: str, **fields: Any) -> None:
    sys.stdout.write(_encode({"severity": severity, "message": message, **fields}).decode() + "\n")
    sys.stdout.flush()


_host, _manifest = _start(_ROOT)
# Gunicorn loads this before it forks the process that serves.
atexit.register(_host.close)
os.register_at_fork(after_in_parent=_host.to_child, after_in_child=_host.from_parent)


@functions_framework.aio.http  # type: ignore[untyped-decorator]  # functions_framework has no types
async def script(request: Request) -> Response:
    """See the module."""
    if request.method == "GET":
        return await _describe()
    body = await request.body()
    if request.method != "POST" or len(body) > _MAX_BYTES:
        return Response("POST a call", 405 if request.method != "POST" else 413)
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
        if len(body) < 1000 and _decode_asked(body).describe:
            return await _describe()
    try:
        call = _decode_call(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Response(f"this is no call: {error}", 400)
    if call.v != wire.VERSION or (call.script_id, call.project_id) != (
        _manifest.script_id,
        _manifest.project_id,
    ):
        return Response(f"the call is not for version {wire.VERSION} of this script", 400)
    if not call.events:
        return _json(wire.Answer(script_version=_manifest.version, outcomes=[]))
    started = time.perf_counter()
    try:
        answer = await asyncio.wrap_future(_host.submit(call))
    except Unavailable as error:
        _log("ERROR", "unavailable", scriptId=_manifest.script_id, error=str(error)[:2000])
        return Response(str(error), 503)
    _log(
        "INFO",
        "call",
        scriptId=_manifest.script_id,
        version=_manifest.version,
        entry=call.entry,
        events=len(call.events),
        done=len(answer.outcomes),
        failed=sum(outcome.status == "failed" for outcome in answer.outcomes),
        ms=round((time.perf_counter() - started) * 1000),
    )
    return _json(answer)


async def _describe() -> Response:
    try:
        found = await asyncio.wrap_future(_host.describe())
    except Unavailable as error:
        return Response(str(error), 503)
    return _json(found)


def _json(value: msgspec.Struct) -> Response:
    return Response(_encode(value), media_type="application/json")
