"""The tokens of sessions: JWTs signed with the deployment's own key.

Claims: ``sub`` (the user), ``sid`` (the session), ``prj`` (the project, absent for a platform user who signed
in to none), ``iat``, ``exp``, ``aud``. A token says who somebody is, never what he may do: that is read anew.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared import clock
from shared.config import settings
from shared.errors import ApiError

AUDIENCE = "fulcrum"
ALGORITHM = "HS256"
MIN_KEY_LENGTH = 32


def mint(user_id: str, session_id: str, project_id: str, lifetime: timedelta) -> str:
    """A signed token that is valid for ``lifetime`` from now."""
    import jwt

    now = clock.now()
    claims: dict[str, Any] = {
        "sub": user_id,
        "sid": session_id,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + lifetime,
    }
    if project_id:
        claims["prj"] = project_id
    return jwt.encode(claims, _key(), algorithm=ALGORITHM)


def verify(text: str) -> dict[str, Any]:
    """The claims of a token; ApiError 401 for one that is not ours, or has expired."""
    import jwt

    try:
        # The time is compared below, with the platform's clock.
        claims: dict[str, Any] = jwt.decode(
            text,
            _key(),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            options={"require": ["sub", "sid", "exp"], "verify_exp": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        raise refused() from None
    if not isinstance(claims["exp"], int) or claims["exp"] * 1000 <= clock.now_ms():
        raise ApiError(401, "auth.expired", "the token has expired", "refresh it, or sign in again")
    return claims


def refused() -> ApiError:
    """401: one answer for everything that is not valid, so that nobody learns why."""
    return ApiError(
        401,
        "auth.invalid",
        "the token is not valid",
        "sign in again, and send the new token as a bearer token",
    )


def _key() -> str:
    key = settings().text("SIGNING_KEY", "")
    if len(key) < MIN_KEY_LENGTH:
        raise ValueError(
            f"FULCRUM_SIGNING_KEY has {len(key)} characters: set a secret of at least {MIN_KEY_LENGTH}"
        )
    return key
