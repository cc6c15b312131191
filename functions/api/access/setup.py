"""The first administrator of the platform: made by whoever holds the deployment's secret, once."""

from __future__ import annotations

import hmac

from functions.api.access import attempts, passwords, people
from shared import names
from shared.clients import firestore
from shared.config import settings
from shared.errors import ApiError
from shared.model.user import User
from shared.store import query as queries
from shared.store.audit import Actor
from shared.store.change import Change, Lost
from shared.store.scope import Stored

_MIN_TOKEN = 16


async def first_administrator(
    token: str, username: str, password: str, network: str, request_id: str
) -> Stored[User]:
    """Make the first administrator; ApiError 403 for a wrong token, 409 if there is an administrator."""
    attempt = attempts.of(network, "setup")
    found = await firestore.batch_get(attempt.names)
    attempts.check(attempt, found)
    if not _is_token(token):
        await attempts.failed(attempt, found)
        raise ApiError(
            403, "setup.refused", "the token is not right", "send the secret SETUP_TOKEN of this deployment"
        )
    if await _is_done():
        raise _done()
    passwords.check(password, username)
    password_hash = await passwords.hashed(password)
    home = people.PLATFORM
    change = Change(home.scope, Actor("platform", "setup"), request_id)
    fields = {"username": username, "admin": True, "projects": [], "metadata": {}}
    secret = {"passwordHash": password_hash, "passwordVersion": 1, "passwordChanged": change.now}
    user_id = change.create(home.kind, fields | secret)
    change.put(people.administrators(), {"ids": [user_id]}, exists=False)
    try:
        await change.commit()
    except (Lost, ApiError) as error:
        if await _is_done():
            raise _done() from None
        if isinstance(error, ApiError):
            raise
        raise ApiError(
            409, "change.contended", "somebody was faster", "send the same request again", 1
        ) from None
    return await home.scope.get(home.kind, user_id)


def _is_token(token: str) -> bool:
    expected = settings().text("SETUP_TOKEN", "").encode()
    given = token.encode(errors="replace")
    return len(expected) >= _MIN_TOKEN and hmac.compare_digest(expected, given)


async def _is_done() -> bool:
    """Whether there is an administrator, however he was made."""
    name = people.administrators()
    if await firestore.batch_get([name]):
        return True
    query = queries.conditions("users", queries.Query((queries.Where("admin", "==", True),)))
    query.limit.value = 1
    return bool(await firestore.run_query(f"{names.database()}/documents", query))


def _done() -> ApiError:
    return ApiError(
        409,
        "setup.done",
        "the platform has an administrator already",
        "sign in as that one, who can make others",
    )
