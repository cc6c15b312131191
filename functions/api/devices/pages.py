"""Pages of devices: what a filter has of what the caller may see, without reading more than a page of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from functions.api.devices import access
from functions.api.needs import Call
from shared.errors import ApiError
from shared.model.device import DEVICE, Device
from shared.store.query import Query, Where
from shared.store.scope import Found, Stored

# Firestore takes so many alternatives in one condition.
_ALTERNATIVES = 30
# So many systems, and devices given one by one, are looked through for one page.
MAX_SYSTEMS = 300
MAX_DEVICES = 200


async def page(call: Call, permission: str, query: Query) -> Found[Device]:
    """A page of what a query has of the devices on which a permission is held.

    Everything of the project, or of a system or below a device that the query names, is one query. Else the
    caller's systems are asked thirty at a time, and the devices that were given to him one by one are read by
    their ids; what stands below those is listed by ``parentDeviceId``. ApiError 400 where they are too many.
    """
    if await _is_open(call, permission, query):
        return await call.scope.page(DEVICE, query)
    streams, given = _seen(call, permission)
    # A foreign cursor is refused before anything is read.
    at = None if query.after is None else tuple(call.scope.position(DEVICE, query))
    pages = await asyncio.gather(*(call.scope.page(DEVICE, _also(query, systems)) for systems in streams))
    found = {stored.id: stored for one in pages for stored in one.items}
    more = any(one.next for one in pages)
    for stored in (await call.scope.find_many(DEVICE, given)).values():
        if _matches(query, stored) and (at is None or _is_behind(query, stored, at)):
            found[stored.id] = stored
    items = sorted(found.values(), key=lambda stored: _place(query, stored), reverse=query.descending)
    more = more or len(items) > query.limit
    items = items[: query.limit]
    return Found(items, call.scope.cursor(DEVICE, query, items[-1]) if more and items else None)


async def count(call: Call, permission: str, query: Query) -> int:
    """How many devices a query has of those on which a permission is held."""
    query = msgspec.structs.replace(query, after=None)
    if await _is_open(call, permission, query):
        return await call.scope.count(DEVICE, query)
    streams, given = _seen(call, permission)
    counts = await asyncio.gather(*(call.scope.count(DEVICE, _also(query, systems)) for systems in streams))
    counted = {system for systems in streams for system in systems}
    alone = (await call.scope.find_many(DEVICE, given)).values()
    return sum(counts) + sum(
        _matches(query, stored) and stored.fields.get("systemId") not in counted for stored in alone
    )


async def _is_open(call: Call, permission: str, query: Query) -> bool:
    """Whether the caller may see all that the query can have."""
    named = {where.field: where.value for where in query.where if where.op == "=="}
    if access.on_system(call, [permission], named.get("systemId")):
        return True
    parent_id = named.get("parentDeviceId")
    parent = await call.scope.find(DEVICE, parent_id) if isinstance(parent_id, str) else None
    return parent is not None and bool(await access.permitted(call, [permission], [parent]))


def _seen(call: Call, permission: str) -> tuple[list[list[str]], list[str]]:
    readable = call.principal.readable(permission)
    if len(readable.systems) > MAX_SYSTEMS or len(readable.devices) > MAX_DEVICES:
        raise ApiError(
            400,
            "list.tooWide",
            f"you see {len(readable.systems)} systems and {len(readable.devices)} single devices, too many "
            "to list together",
            "name one by systemId or parentDeviceId",
        )
    systems = sorted(readable.systems)
    chunks = [systems[start : start + _ALTERNATIVES] for start in range(0, len(systems), _ALTERNATIVES)]
    return chunks, sorted(readable.devices)


def _also(query: Query, systems: Sequence[str]) -> Query:
    return msgspec.structs.replace(query, also=(*query.also, Where("systemId", "in", list(systems))))


def _place(query: Query, stored: Stored[Device]) -> tuple[Any, ...]:
    return (stored.id,) if query.order is None else (stored.fields.get(query.order) or "", stored.id)


def _matches(query: Query, stored: Stored[Device]) -> bool:
    """Whether a device that was read by its id meets a query's conditions."""
    if not all(_holds(where, stored.fields.get(where.field)) for where in (*query.where, *query.also)):
        return False
    return query.order is None or query.order in stored.fields


def _is_behind(query: Query, stored: Stored[Device], at: tuple[Any, ...]) -> bool:
    place = _place(query, stored)
    return place < at if query.descending else place > at


def _holds(where: Where, value: Any) -> bool:
    if where.op == "array-contains":
        return isinstance(value, list) and where.value in value
    if where.op == "array-contains-any":
        return isinstance(value, list) and any(wanted in value for wanted in where.value)
    if where.op == "in":
        return value in where.value
    if where.op == "==":
        return bool(value == where.value)
    if not isinstance(value, str):
        return False
    return bool(value >= where.value if where.op == ">=" else value < where.value)
