"""Who was recognised a moment ago: sessions with their users, and API keys, for at most 5 s.

A revoked session, a changed password, a deleted user or key is noticed within that time everywhere, and at
once in the instance that made the change.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from functions.api.access.session_state import is_open, name
from functions.api.recent import Recent
from shared import clock, names, values
from shared.clients import firestore

_MAX = 20_000


class Known(NamedTuple):
    """A session and its user, as they were read together. ``of_platform``: he is no account of a project.

    ``of_gone``: an account of a project that was deleted, and is not cleared yet.
    """

    session: dict[str, Any]
    user: dict[str, Any]
    of_platform: bool
    of_gone: bool = False

    def is_open(self) -> bool:
        """Whether the session holds now."""
        return is_open(self.session, self.user, clock.now_ms())


# Session, user, project.
_sessions: Recent[tuple[str, str, str], Known | None] = Recent(_MAX)


async def session(session_id: str, user_id: str, project_id: str) -> Known | None:
    """A session of that user, opened for that project, with the user; None if there is none such."""
    key = (session_id, user_id, project_id)
    return await _sessions.get(key, lambda: _read(session_id, user_id, project_id))


def forget_session(session_id: str) -> None:
    """Look at a session anew."""
    _sessions.forget_if(lambda key: key[0] == session_id)


def forget_user(user_id: str) -> None:
    """Look at a user and all his sessions anew."""
    _sessions.forget_if(lambda key: key[1] == user_id)


async def _read(session_id: str, user_id: str, project_id: str) -> Known | None:
    own = name(session_id)
    of_platform, project = names.document("users", user_id), names.project(project_id or names.NO_PROJECT)
    # An account of the project goes before a user of the platform.
    places = [names.document("projects", project_id, "users", user_id)] if project_id else []
    places.append(of_platform)
    found = await firestore.batch_get([own, *places, *([project] if project_id else [])])
    if own not in found:
        return None
    fields = values.from_fields(found[own].fields)
    if fields.get("userId") != user_id or fields.get("projectId", "") != project_id:
        return None
    for place in places:
        if place in found:
            is_account = place != of_platform
            user = values.from_fields(found[place].fields)
            return Known(fields, user, not is_account, is_account and project not in found)
    return None
