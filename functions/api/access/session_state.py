"""Whether a session holds. Pure, and light: every request asks it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared import names


def name(session_id: str) -> str:
    """The document of a session."""
    return names.document("sessions", session_id)


def password_version(fields: Mapping[str, Any]) -> int:
    """Of a user: it grows with every password. Of a session: the one that it was opened with."""
    version = fields.get("passwordVersion", 0)
    return version if isinstance(version, int) else 0


def is_open(session: Mapping[str, Any], user: Mapping[str, Any], now: int) -> bool:
    """Whether a session still holds: neither revoked nor over, nor opened with a former password."""
    return (
        not session.get("revoked")
        and now < int(session.get("expires", 0))
        and password_version(session) == password_version(user)
    )
