"""Passwords that are forgotten, reset and changed.

``passwordResets/{hash of the token}``: userId, projectId, created, expires, passwordVersion, sentTo (a hash),
expireAt. The token is 256 random bits, sent by mail and stored nowhere; it works once, within an hour, and
not after the password was changed in another way, or mail goes to another address.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from datetime import timedelta

from starlette.requests import Request

from fulcrum.core import ids
from functions.api.access import (
    attempts,
    documents,
    known,
    mail,
    passwords,
    people,
    sessions,
    sources,
    tokens,
)
from functions.api.access.session_state import password_version
from shared import clock, names, values
from shared.clients import firestore
from shared.errors import ApiError
from shared.model.user import User
from shared.store.audit import Actor
from shared.store.change import Change, retrying
from shared.store.scope import Stored

HOURS = 1
# Requests an hour of one source, and mails an hour to one user.
REQUESTS_OF_SOURCE = 20
MAILS_TO_USER = 5
# No answer comes sooner: whether there was a mail to send does not show in the time that it takes.
ANSWER_SECONDS = 0.5


async def forgotten(username: str, project_id: str, request: Request) -> None:
    """Send a mail if there is such a user who can get one; nothing tells the caller whether there is."""
    began = time.monotonic()
    url = mail.public_url(request)
    if not await attempts.spend(REQUESTS_OF_SOURCE, "forgot", sources.network(request)):
        raise attempts.too_many(3600)
    user = await people.by_name(username, project_id)
    if user is None and project_id:
        user = await people.by_name(username, "")
    if user is not None:
        await _send(user, url)
    await asyncio.sleep(max(0.0, ANSWER_SECONDS - (time.monotonic() - began)))


async def reset(token: str, password: str, request_id: str) -> None:
    """Set a new password by a mail's token, and end all sessions; ApiError 400 if the token is not good."""
    name = names.document("passwordResets", tokens.digest(token))

    async def attempt() -> str:
        found = (await firestore.batch_get([name])).get(name)
        fields = {} if found is None else values.from_fields(found.fields)
        home = people.home(str(fields.get("projectId", "")))
        user = await home.scope.find(home.kind, str(fields["userId"])) if found is not None else None
        if (
            found is None
            or user is None
            or clock.now_ms() >= int(fields["expires"])
            or fields["passwordVersion"] != password_version(user.fields)
            # Who reads an address that was given up sets no password with what was sent there before.
            or fields.get("sentTo") != _address(user)
        ):
            raise _not_good()
        passwords.check(password, str(user.fields.get("username", "")))
        change = Change(home.scope, Actor("user", user.id, str(user.fields.get("username", ""))), request_id)
        change.update(user, people.new_password(user, await passwords.hashed(password), change.now))
        # As it was read: of two who use it at once, one has it.
        change.writes.append(documents.delete(name, found.update_time))
        await change.commit()
        return user.id

    known.forget_user(await retrying(attempt))


async def change_password(
    user: Stored[User], password: str, session: sessions.Opening, request_id: str
) -> sessions.Opened:
    """Set a user's new password, end all his sessions and open a new one in the same commit."""
    passwords.check(password, str(user.fields.get("username", "")))
    hashed = await passwords.hashed(password)

    async def attempt() -> sessions.Opened:
        now_stored = await people.find(user.id, people.home_of(user).project_id)
        if now_stored is None or now_stored.fields.get("passwordHash") != user.fields.get("passwordHash"):
            raise ApiError(
                409,
                "password.changed",
                "the password was changed meanwhile",
                "sign in with the password that holds now",
            )
        home = people.home_of(now_stored)
        actor = Actor("user", user.id, str(user.fields.get("username", "")))
        change = Change(home.scope, actor, request_id)
        fields = people.new_password(now_stored, hashed, change.now)
        change.update(now_stored, fields)
        opened, write = sessions.opened(session, change.now, with_version=fields["passwordVersion"])
        change.writes.append(write)
        await change.commit()
        return opened

    opened: sessions.Opened = await retrying(attempt)
    known.forget_user(user.id)
    return opened


async def _send(user: Stored[User], url: str) -> None:
    """Store a token and send it, unless the user gets no mail or has had enough of it for this hour."""
    home = people.home_of(user)
    to = people.email(user)
    if to is None or not await attempts.spend(MAILS_TO_USER, "mail", home.project_id, user.id):
        return
    token = ids.encode(secrets.token_bytes(32), 43)
    now = clock.now_ms()
    expires = clock.from_ms(now) + timedelta(hours=HOURS)
    fields = {
        "userId": user.id,
        "projectId": home.project_id,
        "created": now,
        "expires": clock.to_ms(expires),
        "passwordVersion": password_version(user.fields),
        "sentTo": _address(user),
        "expireAt": expires,
    }
    name = names.document("passwordResets", tokens.digest(token))
    await firestore.commit([documents.create(name, fields)])
    await mail.send_reset(to, str(user.fields["username"]), home.project_id, url, token, HOURS)


def _address(user: Stored[User]) -> str:
    return tokens.digest(people.email(user) or "")


def _not_good() -> ApiError:
    return ApiError(
        400,
        "reset.invalid",
        "the token is not good: it was used, is too old, went to another address, or never was one",
        "ask for a new mail by forgotPassword",
    )
