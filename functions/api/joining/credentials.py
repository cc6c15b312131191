"""Keys of networks and tokens of devices: what is stored of them. Pure but for the clock and randomness.

Documents are as ``functions/ingest/auth.py`` reads them: ``hash``, ``created``, ``revoked``, ``expires``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared import clock, keys
from shared.errors import ApiError
from shared.model.keys import Key, NewKey

# A network keeps so many keys; the oldest that are no longer valid make room for new ones.
MAX_KEYS = 50


def stored(credential: keys.Credential, name: str | None, expires: int | None, now: int) -> dict[str, Any]:
    """What is stored of a new credential."""
    made = {"hash": credential.hash, "created": now, "name": name, "expires": expires}
    return {key: value for key, value in made.items() if value is not None}


def check_expires(expires: int | None) -> None:
    """ApiError 400 for an expiry that has passed already."""
    if expires is not None and expires <= clock.now_ms():
        raise ApiError(
            400,
            "key.expires",
            f"the time {expires} has passed",
            "give a time that is to come, in epoch ms, or none",
        )


def is_valid(fields: Mapping[str, Any]) -> bool:
    """Whether ingest takes a credential at this moment."""
    expires = fields.get("expires")
    return not fields.get("revoked") and (expires is None or clock.now_ms() < expires)


def key(key_id: str, fields: Mapping[str, Any]) -> Key:
    """A network's key as it is answered."""
    return Key(
        id=key_id,
        name=fields.get("name"),
        created=int(fields.get("created") or 0),
        expires=fields.get("expires"),
        revoked=bool(fields.get("revoked")),
        valid=is_valid(fields),
    )


def new_key(credential: keys.Credential, fields: Mapping[str, Any]) -> NewKey:
    """A network's new key as it is answered, this once with its text."""
    return NewKey(**key(credential.id, fields).model_dump(), text=credential.text)


def with_new(held: Mapping[str, Any], credential: keys.Credential, fields: dict[str, Any]) -> dict[str, Any]:
    """A network's keys with one more; ApiError 409 if it has too many valid ones."""
    kept = dict(held)
    spent = sorted(
        (key_id for key_id in kept if not is_valid(kept[key_id])),
        key=lambda key_id: kept[key_id].get("created") or 0,
    )
    while len(kept) >= MAX_KEYS and spent:
        del kept[spent.pop(0)]
    if len(kept) >= MAX_KEYS:
        raise ApiError(
            409,
            "key.tooMany",
            f"the network has {len(kept)} valid keys",
            f"revoke some: a network has at most {MAX_KEYS}",
        )
    return {**kept, credential.id: fields}


def ending(fields: Mapping[str, Any], overlap_seconds: int, now: int) -> dict[str, Any]:
    """A credential that another one replaces: valid for a while, but never longer than before."""
    until = now + overlap_seconds * 1000
    expires = fields.get("expires")
    return {**fields, "expires": until if expires is None else min(until, expires)}


def unusable(what: str, credential_id: str) -> ApiError:
    """409 for a credential that is no longer valid and so cannot be replaced or changed."""
    return ApiError(
        409,
        f"{what}.notValid",
        f"the {what} {credential_id!r} is revoked or expired",
        f"make a new {what}",
    )


def missing(what: str, credential_id: str) -> ApiError:
    """404 for a credential that is not there."""
    return ApiError(
        404,
        f"{what}.notFound",
        f"there is no {what} {credential_id[:128]!r} here",
        "list them, and check the id",
    )
