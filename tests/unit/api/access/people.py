"""Accounts with passwords, made in the store as the API makes them, and signing in as one."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import httpx

from fulcrum.core import ids
from functions.api.access import people
from shared import clock
from tests.support.api import Api

PASSWORD = "four-brown-tall-mugs"
SETUP_TOKEN = "the-secret-of-the-deployment-for-tests"


class Account(NamedTuple):
    """A user that a test made."""

    id: str
    username: str


@cache
def password_hash() -> str:
    """The hash of :data:`PASSWORD`, made once."""
    from argon2 import PasswordHasher

    from functions.api.access import passwords

    return PasswordHasher(passwords.TIME_COST, passwords.MEMORY_KIB, passwords.PARALLELISM).hash(PASSWORD)


def account(api: Api, project_id: str = "", **fields: Any) -> Account:
    """A new account of a project, or a user of the platform, with :data:`PASSWORD`."""
    home = people.home(project_id)
    user_id = ids.new_id()
    username = f"u{user_id.lower()}@example.com"
    stored = {
        "username": username,
        "passwordHash": password_hash(),
        "passwordVersion": 1,
        "created": clock.now_ms(),
        "lastModified": clock.now_ms(),
        "version": 1,
        "metadata": {},
    } | fields
    if not project_id:
        stored |= {"projectId": home.scope.project_id}
    api.documents.document(_path(home.scope.name(home.kind, user_id))).set(stored)
    lock = {"kind": "user", "field": "username", "holder": user_id}
    api.documents.document(_path(home.name_lock(str(stored["username"])))).set(lock)
    return Account(user_id, str(stored["username"]))


async def sign_in(
    http: httpx.AsyncClient,
    user: Account,
    project_id: str = "",
    password: str = PASSWORD,
    source: str = "203.0.113.7",
    **params: str,
) -> httpx.Response:
    """Sign in by password, from a source address."""
    body = {"username": user.username, "password": password}
    if project_id:
        body["projectId"] = project_id
    return await http.post("/v1/login", json=body, headers={"X-Forwarded-For": source}, params=params)


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}


def _path(name: str) -> str:
    return name.split("/documents/")[1]
