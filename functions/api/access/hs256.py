"""JSON Web Tokens (RFC 7519) under HS256, the one algorithm that is used here, by the standard library.

A general library brings certificates and public keys along, which takes a fifth of a cold start. What is
not exactly as expected is refused: another algorithm, padding, critical headers, a signature that is written
otherwise. Whether a token has expired is for the caller, who knows the platform's clock.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shared import clock

ALGORITHM = "HS256"
_HEADER = {"alg": ALGORITHM, "typ": "JWT"}


class Invalid(ValueError):
    """A text that is no token, or one that says something else than it must."""


class Forged(Invalid):
    """A token that was signed with another secret."""


def sign(claims: Mapping[str, Any], secret: str) -> str:
    """A token that says ``claims``, times in epoch seconds."""
    head, body = (_encoded(msgspec.json.encode(part)) for part in (_HEADER, claims))
    return f"{head}.{body}.{_signature(f'{head}.{body}', secret)}"


def verified(text: str, secret: str, audience: str, required: Sequence[str]) -> dict[str, Any]:
    """What a token says that was signed with a secret, for an audience; Forged or another Invalid if not."""
    header, claims, signed, signature = _parts(text)
    if header.get("alg") != ALGORITHM or "crit" in header:
        raise Invalid("signed in another way")
    if not hmac.compare_digest(_signature(signed, secret).encode(), signature.encode(errors="replace")):
        raise Forged("signed with another secret")
    told = claims.get("aud")
    if audience not in (told if isinstance(told, list) else [told]):
        raise Invalid("for another audience")
    if any(claims.get(name) is None for name in required):
        raise Invalid("a claim is missing")
    since = claims.get("nbf", 0)
    if not isinstance(since, int | float) or since * 1000 > clock.now_ms():
        raise Invalid("not valid yet")
    return claims


def unverified(text: str) -> dict[str, Any]:
    """What a token says of itself, before anything is believed of it; Invalid if it is none."""
    return _parts(text)[1]


def _parts(text: str) -> tuple[dict[str, Any], dict[str, Any], str, str]:
    """Header, claims, what is signed, and its signature."""
    try:
        head, body, signature = text.split(".")
        header, claims = (msgspec.json.decode(_decoded(part)) for part in (head, body))
    except (ValueError, RecursionError, msgspec.DecodeError) as error:
        raise Invalid("no token") from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise Invalid("no token")
    return header, claims, f"{head}.{body}", signature


def _signature(signed: str, secret: str) -> str:
    return _encoded(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
