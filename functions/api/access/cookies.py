"""Sessions of pages: the token in a cookie that no script reads, and what keeps other sites from using it.

A browser sends cookies with what other sites make it send. So a request that changes anything and is
authenticated by a cookie must carry the header ``X-CSRF-Token``, bound to the session by the signing key,
and its ``Origin`` must be the API's own. A bearer token is sent by nobody but who has it: nothing of this
applies to it.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from fastapi import Response
from starlette.requests import Request

from functions.api.access import tokens
from shared.errors import ApiError

CSRF_HEADER = "x-csrf-token"
REFRESH_PATH = "/v1/login"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# The whole of it: "localhost:80@example.com" names another host to whoever reads it as part of a link.
_LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?\Z")


def session_token(request: Request) -> str | None:
    """The id token in the session's cookie."""
    return request.cookies.get(_name(request, "fulcrum"))


def refresh_token(request: Request) -> str | None:
    """The refresh token in its cookie, which only the paths of sign-in get."""
    return request.cookies.get(_refresh_name(request))


def keep(
    request: Request,
    response: Response,
    id_token: str,
    refresh: str,
    session_id: str,
    seconds: tuple[int, int],
) -> None:
    """Give a page its cookies. ``seconds``: how long the id token and the refresh token live."""
    secure = is_secure(request)
    response.set_cookie(
        _name(request, "fulcrum"),
        id_token,
        seconds[0],
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    response.set_cookie(
        _refresh_name(request),
        refresh,
        seconds[1],
        path=REFRESH_PATH,
        secure=secure,
        httponly=True,
        samesite="strict",
    )
    # The page reads this one, to send it back as a header.
    response.set_cookie(
        _name(request, "fulcrum-csrf"),
        tokens.csrf(session_id),
        seconds[1],
        path="/",
        secure=secure,
        samesite="lax",
    )


def clear(request: Request, response: Response) -> None:
    """Take a page's cookies away."""
    secure = is_secure(request)
    response.delete_cookie(_name(request, "fulcrum"), "/", secure=secure, httponly=True, samesite="lax")
    response.delete_cookie(
        _refresh_name(request), REFRESH_PATH, secure=secure, httponly=True, samesite="strict"
    )
    response.delete_cookie(_name(request, "fulcrum-csrf"), "/", secure=secure, samesite="lax")


def check(request: Request, session_id: str) -> None:
    """ApiError 403 for a change that the session's own page did not send."""
    if request.method in _SAFE:
        return
    check_origin(request)
    if not tokens.is_csrf(session_id, request.headers.get(CSRF_HEADER, "")):
        raise ApiError(
            403,
            "csrf.missing",
            "the request came by cookie without the session's X-CSRF-Token",
            "send the value of the cookie fulcrum-csrf in the header X-CSRF-Token",
        )


def check_origin(request: Request) -> None:
    """ApiError 403 for a request that another site's page made the browser send."""
    origin = request.headers.get("origin")
    if origin is not None:
        own = urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
    else:
        own = request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    if not own:
        raise ApiError(
            403,
            "csrf.origin",
            "the request was sent by a page of another site",
            "use the console of this deployment, or a bearer token",
        )


def is_secure(request: Request) -> bool:
    """Whether cookies go over https alone: always, except on this machine over http."""
    return not (is_loopback(request) and scheme(request) == "http")


def is_loopback(request: Request) -> bool:
    """Whether the request names this machine."""
    return _LOOPBACK.match(request.headers.get("host", "").lower()) is not None


def scheme(request: Request) -> str:
    """How the client came: what the proxy before us says, else the connection itself."""
    forwarded = request.headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
    return forwarded if forwarded in ("http", "https") else request.url.scheme


def _name(request: Request, name: str) -> str:
    # With that prefix a browser takes the cookie from this very host over https, and from nobody else.
    return f"__Host-{name}" if is_secure(request) else name


def _refresh_name(request: Request) -> str:
    return "__Secure-fulcrum-refresh" if is_secure(request) else "fulcrum-refresh"
