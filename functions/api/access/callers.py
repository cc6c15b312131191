"""From a request to its caller: the token, the session and the roles behind it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from functions.api.access import grants, tokens
from functions.api.access.principal import Principal
from shared import names, values
from shared.clients import firestore
from shared.errors import ApiError


async def authenticate(request: Request) -> Principal:
    """The caller of a request; ApiError 401 without a valid token, 403 for another project's path."""
    claims = tokens.verify(_bearer(request))
    user_id, own_project = str(claims["sub"]), str(claims.get("prj", ""))
    user = await _user(user_id, own_project)
    project_id = _project(request, own_project)
    admin = bool(user.get("admin"))
    held = await grants.of("user", user_id, project_id) if project_id and not admin else ()
    return Principal(
        "user", user_id, str(user.get("username", "")), project_id, admin, held, str(claims["sid"])
    )


def _bearer(request: Request) -> str:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise ApiError(
            401, "auth.missing", "no token was sent", "sign in, and send 'Authorization: Bearer <token>'"
        )
    return text.strip()


async def _user(user_id: str, project_id: str) -> dict[str, Any]:
    """A user of the project, or one of the platform who signed in to the project."""
    wanted = [names.document("users", user_id)]
    if project_id:
        wanted.append(names.document("projects", project_id, "users", user_id))
    found = await firestore.batch_get(wanted)
    if not found:
        raise tokens.refused()
    return values.from_fields(next(iter(found.values())).fields)


def _project(request: Request, own_project: str) -> str:
    """The project that a request is about: its path's, or the one that it names, or the token's."""
    named = (
        request.path_params.get("project_id")
        or request.query_params.get("projectId")
        or request.headers.get("x-fulcrum-project")
        or own_project
    )
    if own_project and named != own_project:
        raise ApiError(
            403,
            "project.other",
            "the token is of another project",
            "sign in to the project that the request names",
        )
    return str(named)
