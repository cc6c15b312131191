"""Sessions: ``sessions/{s}``, opened by signing in, kept going by refresh tokens that are good once.

Fields: userId, projectId (that it was opened for), created, refreshed, expires (when it ends for good),
refreshHash (of the one refresh token that is good), passwordVersion (of the password that it was opened
with), revoked, source, userAgent, expireAt (Firestore's TTL).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from fulcrum.core import ids
from functions.api.access import documents, people, tokens
from functions.api.access.session_state import is_open, name, password_version
from shared import clock, names, values
from shared.clients import firestore
from shared.clients.firestore import Document
from shared.errors import ApiError
from shared.model.user import User
from shared.store import query as queries
from shared.store.scope import Stored

DEFAULT_LIFETIME_S = 86_400
# How long a session can be refreshed, from sign-in.
SESSION_S = 30 * 86_400


class Opened(NamedTuple):
    """A session's tokens, new. Times in epoch ms."""

    session_id: str
    id_token: str
    refresh_token: str
    expires: int
    session_expires: int


class Opening(msgspec.Struct, frozen=True):
    """What a new session is for. ``lifetime_s``: of its id tokens."""

    user: Stored[User]
    project_id: str
    lifetime_s: int
    source: str
    user_agent: str


def opened(opening: Opening, now: int, *, with_version: int | None = None) -> tuple[Opened, Any]:
    """A new session, and the write that makes it."""
    session_id = ids.new_id()
    ends = now + 1000 * max(SESSION_S, opening.lifetime_s)
    made = _tokens(opening.user.id, session_id, opening.project_id, opening.lifetime_s, now, ends)
    if with_version is None:
        with_version = password_version(opening.user.fields)
    fields = {
        "userId": opening.user.id,
        "projectId": opening.project_id,
        "created": now,
        "expires": ends,
        "revoked": False,
        "refreshHash": tokens.digest(made.refresh_token),
        "passwordVersion": with_version,
        "source": opening.source,
        "userAgent": opening.user_agent[:200],
        "expireAt": clock.from_ms(ends),
    }
    return made, documents.create(name(session_id), fields)


async def rotate(refresh_token: str) -> tuple[Opened, Stored[User]]:
    """New tokens for a session; ApiError 401 for a token that is not good.

    One that was used before is in two hands: the session is revoked.
    """
    claims = tokens.verify(refresh_token, tokens.REFRESH_AUDIENCE)
    session_id, user_id = str(claims["sid"]), str(claims["sub"])
    document = (await firestore.batch_get([name(session_id)])).get(name(session_id))
    fields = {} if document is None else values.from_fields(document.fields)
    project_id = str(fields.get("projectId", ""))
    if document is None or fields.get("userId") != user_id:
        raise tokens.refused()
    if fields.get("refreshHash") != tokens.digest(refresh_token):
        await revoke(session_id)
        raise _reused()
    user = await people.find(user_id, project_id)
    now = clock.now_ms()
    if user is None or not is_open(fields, user.fields, now):
        raise tokens.refused()
    project = await _project(project_id)
    if project_id and project is None:
        raise tokens.refused()  # it was deleted
    lifetime = lifetime_of(project)
    made = _tokens(user_id, session_id, project_id, lifetime, now, int(fields["expires"]))
    changed = {"refreshHash": tokens.digest(made.refresh_token), "refreshed": now}
    try:
        await firestore.commit([documents.update(document.name, changed, document.update_time)])
    except firestore.PreconditionFailed:
        # Somebody was faster with the same token.
        await revoke(session_id)
        raise _reused() from None
    return made, user


async def revoke(session_id: str) -> None:
    """End a session; nothing if there is none."""
    try:
        await firestore.commit([documents.update(name(session_id), {"revoked": True})])
    except firestore.PreconditionFailed:
        return  # it is gone, which is what was asked for


async def of_user(user_id: str, limit: int, cursor: str | None) -> tuple[list[Document], str | None]:
    """A page of a user's sessions that were not revoked, and the cursor of the next page."""
    where = (queries.Where("userId", "==", user_id), queries.Where("revoked", "==", False))
    query = queries.Query(where, limit=limit, after=cursor)
    parent = f"{names.database()}/documents"
    found = await firestore.run_query(parent, queries.structured("sessions", query, parent))
    page = found[:limit]
    following = queries.cursor(query, page[-1].id, {}) if len(found) > limit else None
    return page, following


async def find(session_id: str) -> dict[str, Any] | None:
    """A session's fields."""
    document = (await firestore.batch_get([name(session_id)])).get(name(session_id))
    return None if document is None else values.from_fields(document.fields)


async def lifetime_s(project_id: str) -> int:
    """How long a project's id tokens live, in seconds."""
    return lifetime_of(await _project(project_id))


async def _project(project_id: str) -> Document | None:
    if not project_id:
        return None
    name = names.project(project_id)
    return (await firestore.batch_get([name], ["jwtTokenExpiration"])).get(name)


def lifetime_of(project: Document | None) -> int:
    """The same, of a project's document."""
    stored = None if project is None else values.from_fields(project.fields).get("jwtTokenExpiration")
    return int(stored) if isinstance(stored, int | float) and stored > 0 else DEFAULT_LIFETIME_S


def _tokens(user_id: str, session_id: str, project_id: str, life_s: int, now: int, ends: int) -> Opened:
    expires = min(now + 1000 * life_s, ends)
    # From the same instant that is answered, to the second.
    id_token = tokens.mint_until(user_id, session_id, project_id, expires)
    return Opened(session_id, id_token, tokens.mint_refresh(user_id, session_id, ends), expires, ends)


def _reused() -> ApiError:
    return ApiError(
        401,
        "session.reused",
        "the refresh token was used before: the session has been ended",
        "sign in again; send one refresh at a time, and keep the token that the last one answered",
    )
