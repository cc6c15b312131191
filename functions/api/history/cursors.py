"""Cursors through the result of a query, which BigQuery keeps for a day. Pure.

A cursor names no job: the job's id is a digest of the SQL with all its parameters, the scope among them, and
of a nonce that the cursor carries. So a cursor leads to the result of its own query and of no other,
whatever is put into it, and nobody needs a secret for that.
"""

from __future__ import annotations

import base64
import binascii
import os

import msgspec

from fulcrum.core import ids
from functions.api.history.problems import cursor_invalid
from shared.history_query import Compiled

_MAX_LENGTH = 4_000


class Cursor(msgspec.Struct, array_like=True, frozen=True):
    """Where a next page begins: in a job's result (``nonce``), at BigQuery's ``token``.

    ``start`` and ``end`` (epoch ms) are the window of the first page: an end that is left out is now.
    """

    nonce: str
    start: int
    end: int
    token: str
    location: str = ""


def new_nonce() -> str:
    """What tells one run of a query from another one."""
    return ids.encode(os.urandom(16), ids.UUID_LENGTH)


def job_id(compiled: Compiled, nonce: str) -> str:
    """The id of the job that runs a query."""
    parts = [part for name, kind, value in compiled.parameters for part in (name, kind, repr(value))]
    return f"fulcrum_{ids.digest(nonce, compiled.sql, *parts)}"


def encode(cursor: Cursor) -> str:
    """A cursor as text for a URL."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).decode().rstrip("=")


def decode(text: str) -> Cursor:
    """A cursor from its text; ApiError 400 ``cursor.invalid``."""
    if len(text) > _MAX_LENGTH:
        raise cursor_invalid()
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=Cursor)
    except (binascii.Error, ValueError):
        raise cursor_invalid() from None
