"""Who was recognised a moment ago: sessions with their users, and API keys, for at most 5 s.

A revoked session, a changed password, a deleted user or key is noticed within that time everywhere, and at
once in the instance that made the change.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from functions.api.access import people, sessions
from functions.api.roles.recent import Recent
from shared import clock, values
from shared.clients import firestore
from shared.model.user import User
from shared.store.scope import Stored

_MAX = 20_000


class Known(NamedTuple):
    """A session and whose it is, as they were read together."""

    session: dict[str, Any]
    user: Stored[User]

    def is_open(self) -> bool:
        """Whether the session holds now."""
        return sessions.is_open(self.session, self.user.fields, clock.now_ms())


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
    homes = [people.home(project_id), people.PLATFORM] if project_id else [people.PLATFORM]
    places = {each.scope.name(each.kind, user_id): each for each in homes}
    name = sessions.name(session_id)
    found = await firestore.batch_get([name, *places])
    if name not in found:
        return None
    fields = values.from_fields(found[name].fields)
    if fields.get("userId") != user_id or fields.get("projectId", "") != project_id:
        return None
    for place, each in places.items():
        if place in found:
            return Known(fields, people.read(each, found[place]))
    return None
