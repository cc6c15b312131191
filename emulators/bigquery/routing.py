"""One wrapper around every REST handler: faults, counts, and errors in the service's form."""

from __future__ import annotations

import json
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from emulators.bigquery.errors import ServiceError, invalid
from emulators.kit.faults import Faults, InjectedFault

PREFIX = "/bigquery/v2/projects/{project}"
Handler = Callable[[web.Request], Awaitable[Any]]
# How an injected status shows on HTTP; reasons as in https://cloud.google.com/bigquery/docs/error-messages.
_FAULTS = {
    "UNAVAILABLE": (503, "backendError"),
    "INTERNAL": (500, "internalError"),
    "UNKNOWN": (500, "internalError"),
    "RESOURCE_EXHAUSTED": (429, "rateLimitExceeded"),
    "DEADLINE_EXCEEDED": (504, "timeout"),
    "ABORTED": (409, "aborted"),
    "PERMISSION_DENIED": (403, "accessDenied"),
    "UNAUTHENTICATED": (401, "authError"),
    "NOT_FOUND": (404, "notFound"),
    "INVALID_ARGUMENT": (400, "invalid"),
    "FAILED_PRECONDITION": (400, "invalid"),
}


def add(app: web.Application, faults: Faults, verb: str, path: str, name: str, handler: Handler) -> None:
    """Add a route below the project; ``name`` is the method's name in the API, as in /calls."""

    async def call(request: web.Request) -> web.Response:
        try:
            await faults.before(name)
            body = await handler(request)
            faults.after(name)
        except ServiceError as error:
            return answer(error.body(), error.status)
        except InjectedFault as fault:
            status, reason = _FAULTS.get(fault.code, (500, "internalError"))
            return answer(ServiceError(status, reason, str(fault)).body(), status)
        except Exception as error:
            # A fault of this emulator. The reason is none that clients try again for ten minutes.
            traceback.print_exc()
            text = f"Fulcrum's emulator failed: {type(error).__name__}: {error}"
            return answer(ServiceError(500, "emulatorFailed", text).body(), 500)
        return web.Response(status=204) if body is None else answer(body)

    app.router.add_route(verb, PREFIX + path, call)


def answer(body: dict[str, Any], status: int = 200) -> web.Response:
    """A JSON answer."""
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request."""
    try:
        body = json.loads(await request.read() or b"{}")
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ServiceError(400, "parseError", f"Parse Error: {error}") from None
    if not isinstance(body, dict):
        raise ServiceError(400, "parseError", "Parse Error: a JSON object is expected")
    return body


def number(request: web.Request, name: str, default: int | None = None) -> int | None:
    """A whole number of the query string."""
    text = request.query.get(name)
    if text is None or text == "":
        return default
    try:
        value = int(text)
    except ValueError:
        raise invalid(f"Invalid value for {name}: {text!r}") from None
    if value < 0:
        raise invalid(f"Invalid value for {name}: {text!r}")
    return value


def page(items: list[Any], request: web.Request, default: int = 1000) -> tuple[list[Any], str | None]:
    """The part of a list that ``maxResults`` and ``pageToken`` ask for, and the next token."""
    start = number(request, "pageToken", 0) or 0
    size = number(request, "maxResults", default) or default
    end = start + size
    return items[start:end], str(end) if end < len(items) else None


async def not_implemented(request: web.Request) -> web.Response:
    """The answer to any other path: named, so that nothing is ever taken for done."""
    error = ServiceError(
        501, "notImplemented", f"{request.method} {request.path} is not implemented by Fulcrum's emulator"
    )
    return answer(error.body(), 501)
