"""From a request to its caller: the token, the session or key behind it, and the roles that it holds."""

from __future__ import annotations

import re

from starlette.requests import Request

from functions.api.access import api_keys, cookies, grants, known, tokens
from functions.api.access.principal import EVERYTHING, Grant, Principal
from shared.errors import ApiError
from shared.names import NO_PROJECT

_PROJECT_ID = re.compile(r"(?!__)[A-Za-z0-9_\-]{1,128}\Z")


async def authenticate(request: Request) -> Principal:
    """The caller of a request; ApiError 401 without a valid token, 403 for another project's path."""
    text = _bearer(request)
    if text is None:
        return await _session(request, cookies.session_token(request), is_cookie=True)
    if api_keys.is_key(text):
        return await _key(request, text)
    return await _session(request, text, is_cookie=False)


async def _session(request: Request, text: str | None, *, is_cookie: bool) -> Principal:
    if not text:
        raise ApiError(
            401, "auth.missing", "no token was sent", "sign in, and send 'Authorization: Bearer <token>'"
        )
    claims = tokens.verify(text)
    session_id, user_id, own_project = str(claims["sid"]), str(claims["sub"]), str(claims.get("prj", ""))
    found = await known.session(session_id, user_id, own_project)
    if found is None or not found.is_open():
        raise tokens.refused()
    if is_cookie:
        cookies.check(request, session_id)
    project_id = _project(request, own_project)
    # An account of a project is no administrator of the platform, whatever stands in its document.
    admin = found.user.get("admin") is True and found.of_platform
    held = await _held("user", user_id, project_id) if project_id and not admin else ()
    username = str(found.user.get("username", ""))
    return Principal("user", user_id, username, project_id, admin, held, session_id, found.of_gone)


async def _key(request: Request, text: str) -> Principal:
    key = await api_keys.recognised(text)
    project_id = _project(request, key.project_id)
    held = await _held("apiAccess", key.id, project_id)
    if not held and not key.narrowed and project_id != NO_PROJECT:
        held = (Grant("project", project_id, frozenset({EVERYTHING})),)
    return Principal("apiAccess", key.id, key.name, project_id, False, held, of_gone=key.of_gone)


async def _held(kind: str, subject_id: str, project_id: str) -> tuple[Grant, ...]:
    # Under that name stands what is the platform's own: no role makes anybody its administrator.
    return await grants.of(kind, subject_id, project_id) if project_id != NO_PROJECT else ()


def _bearer(request: Request) -> str | None:
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise ApiError(
            401, "auth.missing", "no bearer token was sent", "send 'Authorization: Bearer <token>'"
        )
    return text.strip()


def _project(request: Request, own_project: str) -> str:
    """The project that a request is about: its path's, or the one that it names, or the token's."""
    named = (
        request.path_params.get("project_id")
        or request.query_params.get("projectId")
        or request.headers.get("x-fulcrum-project")
        or own_project
    )
    if named and not _PROJECT_ID.match(named):
        raise ApiError(
            400,
            "project.invalid",
            "what the request names as its project can be no project's id",
            "name it by its id: letters, digits and hyphens",
        )
    if own_project and named != own_project:
        raise ApiError(
            403,
            "project.other",
            "the token is of another project",
            "sign in to the project that the request names",
        )
    return str(named)
