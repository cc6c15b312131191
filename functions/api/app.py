"""The application: one shape for every error, a name for every request, what every operation documents."""

from __future__ import annotations

import re
import secrets
import time
import traceback
from collections.abc import Iterable

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from functions.api.router import Router
from shared.errors import ApiError, FulcrumError, Rejected
from shared.log import log

VERSION = "1"
# Larger bodies are refused before they are read.
MAX_BODY_BYTES = 10_000_000
_REQUEST_ID = re.compile(r"[A-Za-z0-9_\-]{8,64}\Z")


def make(routers: Iterable[Router]) -> FastAPI:
    """An application of the given routers' operations; TypeError for a route that is none."""
    operations = [route for router in routers for route in router.routes]
    for route in operations:
        if not isinstance(route, APIRoute):
            # It could declare no permission, and no test that walks the operations would find it.
            raise TypeError(f"{route!r} is no operation, which says what it needs of its caller")
    app = FastAPI(
        title="Fulcrum",
        version=VERSION,
        description="The API of Fulcrum: devices, their state and history, and all that describes them.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        routes=operations,
    )
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(FulcrumError, _failure)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(Requests)
    return app


class Requests:
    """Names each request, bounds its body, logs one line, and answers what nobody foresaw."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; the lifespan of the application passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        given = request.headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.match(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", []),
                    (b"x-request-id", request_id.encode()),
                    (b"cache-control", b"no-store"),
                    (b"x-content-type-options", b"nosniff"),
                ]
            await send(message)

        try:
            length = request.headers.get("content-length", "0")
            if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
                raise _too_large()
            await self._app(scope, _bounded(receive), named)
        except ApiError as error:
            await _answer(request, error)(scope, receive, named)
        except Exception:
            log("ERROR", "unexpected error", requestId=request_id, error=traceback.format_exc())
            if status:
                raise  # half an answer is out: the connection breaks, and the client sees that
            await _answer(request, _unexpected())(scope, receive, named)
        finally:
            route = scope.get("route")
            log(
                "INFO" if status < 500 else "ERROR",
                "request",
                requestId=request_id,
                trace=request.headers.get("x-cloud-trace-context"),
                method=scope["method"],
                route=route.path if isinstance(route, APIRoute) else None,
                status=status,
                ms=round((time.perf_counter() - started) * 1000),
            )


def _bounded(receive: Receive) -> Receive:
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY_BYTES:
            raise _too_large()
        return message

    return bounded


def _too_large() -> ApiError:
    return ApiError(
        413, "body.tooLarge", f"the body is over {MAX_BODY_BYTES} bytes", "send it in several requests"
    )


def _unexpected() -> ApiError:
    return ApiError(
        500,
        "service.failed",
        "an unexpected error",
        "send the request again; if it stays, report the requestId",
    )


def _answer(request: Request, error: ApiError) -> JSONResponse:
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="fulcrum"'
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    request_id = request.scope.get("state", {}).get("request_id", "")
    return JSONResponse(error.body() | {"requestId": request_id}, error.status, headers)


# The handlers are coroutines, though they wait for nothing: any other is run in a thread.
async def _api_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, ApiError):
        raise TypeError(f"{error!r} is no ApiError")
    return _answer(request, error)


async def _failure(request: Request, error: Exception) -> JSONResponse:
    request_id = request.scope.get("state", {}).get("request_id", "")
    log("WARNING", "a store or topic failed", requestId=request_id, error=str(error))
    if isinstance(error, Rejected):
        refused = ApiError(
            400, error.error_type, error.message, "change what is named so that it can be stored"
        )
        return _answer(request, refused)
    unavailable = ApiError(
        503, "service.unavailable", "a store did not answer just now", "send the same request again", 2
    )
    return _answer(request, unavailable)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    shown = "; ".join(
        f"{'.'.join(str(part) for part in fault['loc']) or 'body'}: {fault['msg']}" for fault in faults[:5]
    )
    more = f" (and {len(faults) - 5} more)" if len(faults) > 5 else ""
    return _answer(
        request,
        ApiError(
            400, "request.invalid", f"{shown}{more}", "correct what is named; /v1/docs shows what is expected"
        ),
    )


async def _http(request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    path = request.scope["path"][:200]
    if status == 404:
        problem = ApiError(404, "path.notFound", f"nothing is at {path!r}", "see /v1/docs for all paths")
    elif status == 405:
        problem = ApiError(
            405, "method.notAllowed", f"{request.method} is not for {path!r}", "see /v1/docs for its methods"
        )
    else:
        problem = ApiError(status, "request.refused", "the request cannot be read", "see /v1/docs")
    answer = _answer(request, problem)
    if status == 405:
        answer.headers["Allow"] = ", ".join(_methods(request))
    elif isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)
    return answer


def _methods(request: Request) -> list[str]:
    """Every method that a path has an operation for: the framework knows only those of the first."""
    routes = (route for route in request.app.routes if isinstance(route, APIRoute))
    fitting = (route for route in routes if route.path_regex.match(request.scope["path"]))
    return sorted({method for route in fitting for method in route.methods or ()})
