"""API keys as they come with a request: ``fa_<id>_<secret>``, or a token that is signed with the secret.

A signed token is a JWT (HS256) with the claims type = apiAccess, iss = the key's id, prj = its project,
aud = fulcrum and exp, at most an hour ahead; the secret never travels. The plain form is compared by hash.
"""

from __future__ import annotations

from typing import Any

import msgspec

from functions.api.access import documents, hs256, sealing, tokens
from functions.api.recent import Recent
from shared import clock, keys, names, values
from shared.clients import firestore
from shared.clients.firestore import Document
from shared.errors import FulcrumError
from shared.log import log
from shared.store import query as queries

PREFIX = "fa"
TYPE = "apiAccess"
MAX_AHEAD_MS = 3_600_000
# How far the clocks of caller and server may differ.
SKEW_MS = 60_000
USED_EVERY_MS = 60_000
_MAX = 20_000


class Key(msgspec.Struct, frozen=True):
    """A key as stored."""

    id: str
    project_id: str
    name: str
    narrowed: bool
    is_valid: bool
    expires: int | None
    secret_hash: str
    sealed: str
    last_used: int
    document: str
    update_time: Any
    # Its project was deleted, and is not cleared yet.
    of_gone: bool


_keys: Recent[str, Key | None] = Recent(_MAX)
# Document → when this process last wrote that it was used.
_noted: dict[str, int] = {}


def is_key(text: str) -> bool:
    """Whether a bearer token is an API key in one of its two forms, and no session's."""
    if text.startswith(f"{PREFIX}_"):
        return True
    return _unverified(text).get("type") == TYPE


async def recognised(text: str) -> Key:
    """The key that a bearer token speaks for; ApiError 401 if it is not valid. Its use is noted."""
    key = await (_plain(text) if text.startswith(f"{PREFIX}_") else _signed(text))
    now = clock.now_ms()
    if key is None or not key.is_valid or (key.expires is not None and now >= key.expires):
        raise tokens.refused()
    await _note_use(key, now)
    return key


def forget(key_id: str) -> None:
    """Look at a key anew: it was changed, rotated or deleted."""
    _keys.forget(key_id)
    _keys.forget_if(lambda name: name.endswith(f"/{key_id}"))


def sealing_context(project_id: str, key_id: str) -> str:
    """What a key's secret is sealed for."""
    return f"apiAccess/{project_id}/{key_id}"


async def _plain(text: str) -> Key | None:
    presented = keys.parse(text)
    if presented is None or presented.prefix != PREFIX:
        return None
    key = await _keys.get(presented.id, lambda: _by_id(presented.id))
    # Compared in any case, so that a known id takes no longer than an unknown one.
    matches = presented.matches(key.secret_hash if key is not None else "")
    return key if matches else None


async def _signed(text: str) -> Key | None:
    told = _unverified(text)
    key_id, project_id = told.get("iss"), told.get("prj")
    if not isinstance(key_id, str) or not isinstance(project_id, str):
        return None
    name = names.document("projects", project_id, "apiAccess", key_id) if _are_ids(project_id, key_id) else ""
    key = await _keys.get(name, lambda: _by_name(name)) if name else None
    secret = sealing.unseal(key.sealed, sealing_context(project_id, key_id)) if key is not None else None
    if key is None or secret is None:
        return None
    try:
        claims = hs256.verified(text, secret, tokens.AUDIENCE, ("iss", "exp"))
    except hs256.Invalid:
        return None
    expires, now = claims["exp"], clock.now_ms()
    if not isinstance(expires, int) or not now < expires * 1000 <= now + MAX_AHEAD_MS + SKEW_MS:
        return None
    said = (claims["iss"], claims.get("prj"), claims.get("type"))
    return key if said == (key.id, key.project_id, TYPE) else None


def _unverified(text: str) -> dict[str, Any]:
    """What a token says of itself, before anything is believed of it; empty if it is none."""
    try:
        return hs256.unverified(text)
    except hs256.Invalid:
        return {}


def _are_ids(project_id: str, key_id: str) -> bool:
    return all(
        0 < len(text) <= 128 and text.replace("-", "").replace("_", "").isalnum() and text.isascii()
        for text in (project_id, key_id)
    )


async def _by_id(key_id: str) -> Key | None:
    """The key of an id, in whichever project it is: the one query that knows no project yet."""
    query = queries.conditions("apiAccess", queries.Query((queries.Where("keyId", "==", key_id),)))
    query.from_[0].all_descendants = True
    query.limit.value = 1
    found = await firestore.run_query(f"{names.database()}/documents", query)
    if not found:
        return None
    project = names.project(_project_of(found[0]))
    return _key(found[0], project not in await firestore.batch_get([project], ["revision"]))


async def _by_name(name: str) -> Key | None:
    project = name.rpartition("/apiAccess/")[0]
    found = await firestore.batch_get([name, project])
    return _key(found[name], project not in found) if name in found else None


def _project_of(document: Document) -> str:
    return document.name.split("/documents/")[1].split("/")[1]


def _key(document: Document, of_gone: bool) -> Key:
    fields = values.from_fields(document.fields)
    expires = fields.get("expires")
    return Key(
        document.id,
        _project_of(document),
        str(fields.get("name", "")),
        bool(fields.get("narrowed", False)),
        not fields.get("revoked", False),
        int(expires) if isinstance(expires, int | float) else None,
        str(fields.get("secretHash", "")),
        str(fields.get("sealedSecret", "")),
        int(fields.get("lastUsed", 0)),
        document.name,
        document.update_time,
        of_gone,
    )


async def _note_use(key: Key, now: int) -> None:
    """Note that a key is used, at most once a minute; a request does not fail because that does."""
    if now - max(key.last_used, _noted.get(key.document, 0)) < USED_EVERY_MS:
        return
    if len(_noted) >= _MAX:
        _noted.clear()
    _noted[key.document] = now
    try:
        await firestore.commit([documents.update(key.document, {"lastUsed": now}, key.update_time)])
    except firestore.PreconditionFailed:
        return  # another instance noted it, or the key was changed: the next use is noted
    except FulcrumError as error:
        log("WARNING", "use of an API key not noted", key=key.id, error=str(error))
