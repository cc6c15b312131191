"""The HTTP side: zips come in at their upload URLs, and calls go to functions."""

from __future__ import annotations

import asyncio
import os
import uuid

from aiohttp import web
from multidict import CIMultiDict

from emulators.functions import names
from emulators.functions.deploying import Deploying
from emulators.functions.handlers import UPLOADS, may_be_invoked
from emulators.functions.serving import Broken, Hung
from emulators.functions.state import State
from emulators.kit.faults import Faults, InjectedFault

# What Cloud Functions takes of a packed source.
MAX_UPLOAD = 100_000_000
# What Cloud Run takes in one HTTP/1 request.
MAX_BODY = 32 * 1024 * 1024
_HOP_BY_HOP = (
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "host",
)


def add_routes(app: web.Application, state: State, deploying: Deploying, faults: Faults) -> None:
    """Add uploads and calls to the application that has the control routes already."""

    async def upload(request: web.Request) -> web.Response:
        try:
            await faults.before("Upload")
            answer = await _upload(state, request)
            faults.after("Upload")
        except InjectedFault as fault:
            return web.Response(status=503, text=str(fault))
        return answer

    async def call(request: web.Request) -> web.Response:
        try:
            await faults.before("Call")
            answer = await _call(state, deploying, request)
            faults.after("Call")
        except InjectedFault as fault:
            return web.Response(status=503, text=str(fault))
        return answer

    async def get_processes(_: web.Request) -> web.Response:
        pids = {}
        for name in state.functions:
            serving = deploying.serving(name)
            pids[names.parts(name, "functions")[1]] = serving.pid if serving is not None else None
        return web.json_response(pids)

    app.router.add_get("/_processes", get_processes)
    app.router.add_put(f"{UPLOADS}{{object}}", upload)
    app.router.add_route("*", "/{function:[a-z][a-z0-9-]*}{rest:(?:/.*)?}", call)


async def _upload(state: State, request: web.Request) -> web.Response:
    name = request.match_info["object"]
    found = state.upload(name)
    if found is None:
        return _refused(403, "AccessDenied", "The URL has expired, or never was one.")
    if found.done:
        return _refused(412, "PreconditionFailed", "The URL was used: each is good for one upload.")
    if request.content_type != "application/zip":
        return _refused(403, "SignatureDoesNotMatch", "Send the header content-type: application/zip.")
    target = state.archive(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{uuid.uuid4()}")
    size = 0
    try:
        with draft.open("wb") as file:
            async for part in request.content.iter_chunked(1 << 16):
                size += len(part)
                if size > MAX_UPLOAD:
                    return _refused(400, "EntityTooLarge", f"The zip is over {MAX_UPLOAD} bytes.")
                file.write(part)
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    state.uploaded(name)
    return web.Response(status=200)


def _refused(status: int, code: str, message: str) -> web.Response:
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    text = f"<?xml version='1.0' encoding='UTF-8'?>{error}"
    return web.Response(status=status, text=text, content_type="application/xml")


async def _call(state: State, deploying: Deploying, request: web.Request) -> web.Response:
    function_id = request.match_info["function"]
    name = next((known for known in state.functions if known.endswith(f"/functions/{function_id}")), None)
    serving = deploying.serving(name) if name is not None else None
    if name is None or serving is None:
        return web.Response(status=404, text="Page not found: no function of that name serves.")
    if not may_be_invoked(state, names.service(name)):
        return web.Response(
            status=403,
            text="Forbidden: your client does not have permission to get this URL from this server. "
            "Nobody has roles/run.invoker on the service.",
        )
    body = await request.content.read(MAX_BODY + 1)
    while len(body) <= MAX_BODY and (more := await request.content.read(MAX_BODY)):
        body += more
    if len(body) > MAX_BODY:
        return web.Response(status=413, text=f"The body is over {MAX_BODY} bytes.")
    path = (request.match_info["rest"] or "/") + (f"?{request.query_string}" if request.query_string else "")
    try:
        status, headers, content = await serving.call(request.method, path, _headers(request), body)
    except Hung as error:
        return web.Response(status=504, text=f"upstream request timeout: {error}")
    except Broken as error:
        return web.Response(
            status=503,
            text="The request failed because either the HTTP response was malformed or connection to the "
            f"instance had an error: {error}",
        )
    return web.Response(status=status, headers=headers, body=content)


def _headers(request: web.Request) -> CIMultiDict[str]:
    kept: CIMultiDict[str] = CIMultiDict(
        (key, value) for key, value in request.headers.items() if key.lower() not in _HOP_BY_HOP
    )
    kept["X-Forwarded-Proto"] = "http"
    return kept
