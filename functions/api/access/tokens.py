"""Signed tokens of sessions: JWTs under the deployment's own key.

An id token says who calls: ``sub`` (the user), ``sid`` (the session), ``prj`` (the project, absent for a
platform user who signed in to none), ``iat``, ``exp``, ``aud``. A token says who somebody is, never what he
may do: that is read anew. A refresh token has an audience of its own, so that neither passes for the other,
and a number ``jti`` that makes each one different.

``SIGNING_KEY`` may hold several keys, separated by commas: the first signs, all verify.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any

from functions.api.access import hs256
from shared import clock
from shared.config import settings
from shared.errors import ApiError

AUDIENCE = "fulcrum"
REFRESH_AUDIENCE = "fulcrum-refresh"
MIN_KEY_LENGTH = 32


def mint(user_id: str, session_id: str, project_id: str, lifetime: timedelta) -> str:
    """A signed id token that is valid for ``lifetime`` from now."""
    return mint_until(user_id, session_id, project_id, clock.to_ms(clock.now() + lifetime))


def mint_until(user_id: str, session_id: str, project_id: str, expires_ms: int) -> str:
    """A signed id token that is valid until ``expires_ms``."""
    claims: dict[str, Any] = {
        "sub": user_id,
        "sid": session_id,
        "aud": AUDIENCE,
        "iat": clock.now_ms() // 1000,
        "exp": expires_ms // 1000,
    }
    if project_id:
        claims["prj"] = project_id
    return _signed(claims)


def mint_refresh(user_id: str, session_id: str, expires_ms: int) -> str:
    """A new refresh token of a session, valid until ``expires_ms``."""
    return _signed(
        {
            "sub": user_id,
            "sid": session_id,
            "aud": REFRESH_AUDIENCE,
            "jti": secrets.token_hex(16),
            "exp": expires_ms // 1000,
        }
    )


def verify(text: str, audience: str = AUDIENCE) -> dict[str, Any]:
    """The claims of a token; ApiError 401 for one that is not ours, or has expired."""
    for key in signing_keys():
        try:
            claims = hs256.verified(text, key, audience, ("sub", "sid", "exp"))
        except hs256.Forged:
            continue
        except hs256.Invalid:
            raise refused() from None
        if not isinstance(claims["exp"], int) or claims["exp"] * 1000 <= clock.now_ms():
            raise ApiError(401, "auth.expired", "the token has expired", "refresh it, or sign in again")
        return claims
    raise refused()


def digest(token: str) -> str:
    """What is stored of a token: enough to know it again."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf(session_id: str) -> str:
    """What a page sends with every change, beside its cookie: bound to its session, and to nobody else's."""
    return _csrf(signing_keys()[0], session_id)


def is_csrf(session_id: str, text: str) -> bool:
    """Whether a text is the session's, compared in constant time."""
    given = text.encode(errors="replace")
    return any(hmac.compare_digest(_csrf(key, session_id).encode(), given) for key in signing_keys())


def refused() -> ApiError:
    """401: one answer for everything that is not valid, so that nobody learns why."""
    return ApiError(
        401,
        "auth.invalid",
        "the token is not valid",
        "sign in again, and send the new token as a bearer token",
    )


def signing_keys() -> list[str]:
    """The deployment's keys, the one that signs first."""
    keys = [key.strip() for key in settings().text("SIGNING_KEY", "").split(",") if key.strip()]
    if not keys or min(map(len, keys)) < MIN_KEY_LENGTH:
        raise ValueError(
            f"FULCRUM_SIGNING_KEY: a secret of {MIN_KEY_LENGTH} characters or more, or several with commas"
        )
    return keys


def _csrf(key: str, session_id: str) -> str:
    return hmac.new(key.encode(), b"csrf\0" + session_id.encode(), hashlib.sha256).hexdigest()


def _signed(claims: dict[str, Any]) -> str:
    return hs256.sign(claims, signing_keys()[0])
