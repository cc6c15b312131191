"""Signing in by password: one way for everybody, whether he exists or not.

The order of things, and where others will join it:

1. the counters of failed attempts, the holder of the username and the project, in one read;
2. the user, in one read;
3. the password;
4. *here a second step belongs*: the password is right, no session exists yet. Whoever asks for a code stores
   what :class:`Accepted` holds under a one-time id, answers that instead of a session, and goes on with
   :func:`open_session` once the code is right. Signing in by OIDC comes in here as well, with the user that
   its identity stands for and no password;
5. the session, in one commit with what the success changes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from functions.api.access import attempts, documents, passwords, people, sessions
from functions.api.access.attempts import Attempt
from shared import clock, names
from shared.clients import firestore
from shared.clients.firestore import Document
from shared.errors import ApiError
from shared.model.user import User
from shared.store.scope import Stored


class Asked(msgspec.Struct, frozen=True):
    """Who asks to sign in, from where. ``project_id`` is empty for the platform."""

    username: str
    password: str
    project_id: str
    network: str
    user_agent: str


class Accepted(msgspec.Struct, frozen=True):
    """A user whose password is right, and what his session will need. ``writes`` go with it."""

    user: Stored[User]
    project_id: str
    lifetime_s: int
    writes: list[Any]


async def accept(asked: Asked) -> Accepted:
    """Check a password; ApiError 401 if it is not right, 429 while the caller has to wait."""
    attempt = attempts.of(asked.network, "login", asked.project_id, asked.username.casefold())
    async with attempts.turn(attempt):
        homes = _homes(asked.project_id)
        locks = {place.name_lock(asked.username): place for place in homes}
        project = names.project(asked.project_id or names.NO_PROJECT)
        found = await firestore.batch_get([*attempt.names, *locks, project])
        attempts.check(attempt, found)
        user = await _user(locks, found)
        stored_hash = None if user is None else user.fields.get("passwordHash")
        is_right = await passwords.verify(stored_hash, asked.password)
        is_known_project = not asked.project_id or project in found
        if user is None or not is_right or not is_known_project:
            await attempts.failed(attempt, found)
            raise _refused()
        writes = attempts.forget(attempt, found)
        if passwords.is_outdated(str(stored_hash)):
            fields = {"passwordHash": await passwords.hashed(asked.password)}
            writes.append(documents.update(user.name, fields, user.update_time))
        lifetime = sessions.lifetime_of(found.get(project)) if asked.project_id else None
        return Accepted(user, asked.project_id, lifetime or sessions.DEFAULT_LIFETIME_S, writes)


async def open_session(accepted: Accepted, network: str, user_agent: str) -> sessions.Opened:
    """Open the session of an accepted user."""
    opening = sessions.Opening(accepted.user, accepted.project_id, accepted.lifetime_s, network, user_agent)
    opened, write = sessions.opened(opening, clock.now_ms())
    try:
        await firestore.commit([write, *accepted.writes])
    except firestore.PreconditionFailed:
        # The user was changed meanwhile: his hash stays as it is until the next sign-in.
        await firestore.commit([write])
    return opened


async def check_own_password(attempt: Attempt, user: Stored[User], password: str) -> list[Any]:
    """Check the password of somebody who is signed in; the writes that forget his failures.

    ApiError 403 if it is not right, 429 while he has to wait.
    """
    async with attempts.turn(attempt):
        found = await firestore.batch_get(attempt.names)
        attempts.check(attempt, found)
        if not await passwords.verify(user.fields.get("passwordHash"), password):
            await attempts.failed(attempt, found)
            raise ApiError(
                403,
                "password.wrong",
                "the old password is not right",
                "send the password that you sign in with",
            )
        return attempts.forget(attempt, found)


def _homes(project_id: str) -> list[people.Home]:
    return [people.home(project_id), people.PLATFORM] if project_id else [people.PLATFORM]


async def _user(locks: dict[str, people.Home], found: dict[str, Document]) -> Stored[User] | None:
    """The user who has the name: the project's account before a user of the platform. One read, always."""
    for lock, place in locks.items():
        user_id = people.holder(found.get(lock))
        if user_id:
            name = place.scope.name(place.kind, user_id)
            document = (await firestore.batch_get([name])).get(name)
            return None if document is None else people.read(place, document)
    await firestore.batch_get([people.nobody()])
    return None


def _refused() -> ApiError:
    # The same for an unknown user, an unknown project and a wrong password.
    return ApiError(
        401,
        "login.refused",
        "the username or the password is not right",
        "check both, and the project; if the password is forgotten, ask for a mail by forgotPassword",
    )
