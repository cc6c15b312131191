"""The one way in: takes HTTP requests and Pub/Sub's pushes, and passes each to its function's process."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from local.functions import FunctionRunner, Unavailable
from local.logs import Log
from local.topology import Topology
from shared.errors import ApiError

# What Cloud Run takes in one HTTP/1 request.
MAX_BODY = 32 * 1024 * 1024
# Below the two seconds after which gunicorn closes an idle connection: a request must not meet its end.
_KEEPALIVE_SECONDS = 1.0
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_PUSH = "/_push/"


class Front:
    """Routes requests to functions. ``token`` stands in the path of pushes and is known to Pub/Sub alone."""

    def __init__(self, topology: Topology, runners: Mapping[str, FunctionRunner], log: Log) -> None:
        self.token = secrets.token_urlsafe(18)
        self._topology = topology
        self._runners = runners
        self._log = log
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the client; to be called on the running loop."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_SECONDS),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )

    async def close(self) -> None:
        """Close the client."""
        if self._session is not None:
            await self._session.close()

    def push_path(self, function: str) -> str:
        """Where Pub/Sub posts what is for a function."""
        return f"{_PUSH}{self.token}/{function}"

    async def public(self, request: web.BaseRequest) -> web.StreamResponse:
        """A request from outside."""
        function = self._topology.function_at(request.path)
        if function is None:
            known = ", ".join(path for item in self._topology.functions.values() for path in item.paths)
            return _refusal(
                404,
                "path.notFound",
                f"There is nothing at {request.path}.",
                f"The paths that exist are {known or 'none'}.",
            )
        # Not raw_path: a proxy's form of request has the whole URL there.
        return await self._pass_on(function.name, request, request.rel_url.raw_path_qs)

    async def pushed(self, request: web.BaseRequest) -> web.StreamResponse:
        """A push of Pub/Sub: ``/_push/<token>/<function>``."""
        token, _, name = request.path.removeprefix(_PUSH).partition("/")
        function = self._topology.functions.get(name)
        if (
            not hmac.compare_digest(token.encode(), self.token.encode())
            or function is None
            or not function.pushed
        ):
            return _refusal(404, "path.notFound", "There is nothing here.", "Pub/Sub alone posts here.")
        return await self._pass_on(name, request, "/")

    async def _pass_on(self, name: str, request: web.BaseRequest, path: str) -> web.StreamResponse:
        if (runner := self._runners.get(name)) is None:
            # People, devices and what came due while the stack was down may ask before all of it is up.
            return _refusal(503, "function.unavailable", f"{name} is still to come.", "Send it again.")
        seconds = runner.function.timeout_seconds
        try:
            body = await request.read()
            async with asyncio.timeout(seconds), runner.slot():
                return await self._exchange(runner, request, path, body)
        except _Broken as broken:
            # Half an answer is out. A connection that ends in its middle tells the client so.
            if request.transport is not None:
                request.transport.abort()
            self._log.say(f"{name} broke off an answer: {broken}")
            return broken.answer
        except web.HTTPRequestEntityTooLarge:
            return _refusal(
                413, "body.tooLarge", f"The body is over {MAX_BODY} bytes.", "Send it in smaller parts."
            )
        except TimeoutError:
            return _refusal(
                504,
                "function.timeout",
                f"{name} gave no answer within {seconds} s.",
                "Send less at once, or raise timeout_seconds in functions/services.yaml.",
            )
        except Unavailable as error:
            return _refusal(503, "function.unavailable", f"{error}.", "Send the request again.")
        except aiohttp.ClientError as error:
            self._log.say(f"{name} broke off a request: {type(error).__name__}: {error}")
            return _refusal(
                503,
                "function.crashed",
                f"{name} ended before it answered.",
                "Look at its log, and send the request again.",
            )

    async def _exchange(
        self, runner: FunctionRunner, request: web.BaseRequest, path: str, body: bytes
    ) -> web.StreamResponse:
        headers = _request_headers(request)
        for attempt in (1, 2):
            instance = await runner.instance()
            try:
                return await self._send(instance.url + path, request, headers, body)
            except aiohttp.ClientConnectorError:
                # It died while it was idle: nothing was sent, so another process may have the request.
                runner.gone(instance)
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    async def _send(
        self, url: str, request: web.BaseRequest, headers: CIMultiDict[str], body: bytes
    ) -> web.StreamResponse:
        if self._session is None:
            raise Unavailable("the front is closed")
        async with self._session.request(
            request.method,
            URL(url, encoded=True),
            headers=headers,
            data=body or None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None),
        ) as answer:
            kept = _end_to_end(answer.headers)
            if request.method != "HEAD" and "Content-Length" not in answer.headers:
                return await _streamed(request, answer, kept)
            content = await answer.read()
            if request.method != "HEAD":
                kept.popall("Content-Length", None)
            return web.Response(status=answer.status, reason=answer.reason, headers=kept, body=content)


class _Broken(Exception):
    """An answer that ended in its middle."""

    def __init__(self, answer: web.StreamResponse, reason: str) -> None:
        super().__init__(reason)
        self.answer = answer


async def _streamed(
    request: web.BaseRequest, answer: aiohttp.ClientResponse, headers: CIMultiDict[str]
) -> web.StreamResponse:
    """Pass an answer on as it comes in, as Cloud Run does; a client that goes away ends it."""
    passed = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
    await passed.prepare(request)
    try:
        async for part in answer.content.iter_any():
            await passed.write(part)
        await passed.write_eof()
    except aiohttp.ClientConnectionResetError:
        return passed
    except (aiohttp.ClientError, asyncio.CancelledError) as error:
        raise _Broken(passed, f"{type(error).__name__}: {error}") from error
    return passed


def _end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """All headers but those that concern one connection only."""
    named = {item.strip().lower() for item in headers.get("Connection", "").split(",")}
    return CIMultiDict(
        (key, value)
        for key, value in headers.items()
        if key.lower() not in _HOP_BY_HOP and key.lower() not in named
    )


def _request_headers(request: web.BaseRequest) -> CIMultiDict[str]:
    """What the function gets: the client's headers, and those that Google's front adds."""
    headers = _end_to_end(request.headers)
    headers.popall("Content-Length", None)
    headers.popall("Expect", None)
    before = headers.popall("X-Forwarded-For", [])
    headers["X-Forwarded-For"] = ", ".join([*before, request.remote or "unknown"])
    headers["X-Forwarded-Proto"] = "http"
    headers.setdefault("X-Cloud-Trace-Context", f"{secrets.token_hex(16)}/1")
    return headers


def _refusal(status: int, error: str, message: str, description: str) -> web.Response:
    body = ApiError(status, error, message, description).body()
    headers = {"Retry-After": "1"} if status == 503 else None
    return web.json_response(body, status=status, headers=headers)


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """A request whose body may be as large as Cloud Run takes it."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY)


def server(handler: Any) -> web.Server:
    """A low-level HTTP server. A client that goes away does not end the work that it asked for."""
    return web.Server(handler, request_factory=_request, auto_decompress=False, access_log=None)
