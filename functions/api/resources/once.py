"""``Idempotency-Key``: a creation that is sent again is answered again, not done again.

The key's document is written in the commit of the creation itself, create-if-absent, so that of two equal
requests at the same time one loses the race, reads again and finds the other's resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from fastapi import Header

from fulcrum.core import ids
from functions.api.needs import Call
from shared import clock, names, values
from shared.clients import firestore
from shared.clients.firestore_pb import messages
from shared.errors import ApiError
from shared.model.base import Kind
from shared.store.change import Change, Lost
from shared.store.scope import Stored

KEPT = timedelta(days=1)

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Sent again with the same body within a day, it is answered again, not done again",
    ),
]
_canonical = msgspec.json.Encoder(order="deterministic").encode


async def known(
    call: Call, change: Change, key: str | None, operation: str, fields: Mapping[str, Any], kind: Kind[Any]
) -> Stored[Any] | None:
    """What an earlier request of the caller with this key created; None if it is the first, noted then.

    ApiError 422 if the key was used for another body.
    """
    resource_id = await known_id(call, change, key, operation, fields)
    return None if resource_id is None else await call.scope.get(kind, resource_id)


async def known_id(
    call: Call,
    change: Change,
    key: str | None,
    operation: str,
    fields: Mapping[str, Any],
    chosen: str | None = None,
    above: tuple[str, str] | None = None,
) -> str | None:
    """:func:`known`, as an id. ``chosen``: the id that the caller chose for what he creates.

    ``above``: the collection and id of the document below which the key is noted; else the project.
    """
    if not key:
        return None
    digest = ids.digest(call.principal.kind, call.principal.id, operation, key)
    name = names.document(*(above or ("projects", call.scope.project_id)), "idempotency", digest)
    body = ids.digest("body", _canonical([fields, chosen]))
    found = (await firestore.batch_get([name])).get(name)
    stored = values.from_fields(found.fields) if found is not None else {}
    if found is not None and stored["expireAt"] <= clock.from_ms(change.now):
        await _forget(found)
        found = None
    if found is None:
        resource_id = chosen or ids.new_id()
        change.put(
            name,
            {"body": body, "resourceId": resource_id, "expireAt": clock.from_ms(change.now) + KEPT},
            exists=False,
        )
        change.once, change.planned_id = name, resource_id
        return None
    if stored.get("body") != body:
        raise ApiError(
            422,
            "idempotency.reused",
            "the Idempotency-Key was used for another body already",
            "use a new key for a new creation",
        )
    return str(stored.get("resourceId", ""))


async def _forget(noted: firestore.Document) -> None:
    """Remove a key that has expired: the store does so by itself, but only some time later."""
    write = messages().Write(delete=noted.name)
    write.current_document.update_time.CopyFrom(noted.update_time)
    try:
        await firestore.commit([write])
    except firestore.PreconditionFailed:
        raise Lost from None
