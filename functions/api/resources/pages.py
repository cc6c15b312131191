"""The pages of lists: from conditions to items, with what they refer to and what is embedded in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from functions.api.needs import Call
from functions.api.resources.listing import Asked
from functions.api.resources.rules import Rules
from shared.model.base import Kind
from shared.model.page import Page
from shared.store import query as queries
from shared.store.query import Query, Where
from shared.store.scope import Found, Stored


async def page(
    call: Call, kind: Kind[Any], rules: Rules, query: Query, asked: Asked, total: bool
) -> Page[Any]:
    """A page of what the caller may see of a kind; ApiError 404 or 410 if there is no such project."""
    query = msgspec.structs.replace(
        query, where=(*query.where, *asked.where), order=asked.order, also=rules.listed(call)
    )
    alone = call.principal.readable(f"{kind.name}.list") if rules.reach == "alone" else None
    if alone is None or alone.everything:
        found = await call.scope.page(kind, query)
        count = await call.scope.count(kind, query) if total else None
    else:
        every = await _granted(call, kind, query, alone.systems)
        found = _cut(query, every)
        count = len(every) if total else None
    if not found.items and query.after is None:
        await call.scope.must_exist()
    return Page(
        count=len(found.items),
        per_page=query.limit,
        total=count,
        next=found.next,
        items=await models(call, rules, found.items, asked),
        refs=await refs(call, rules, found.items) if asked.refs else None,
    )


async def plain(call: Call, rules: Rules, items: Sequence[Stored[Any]]) -> list[Any]:
    """Resources as every answer has them, with what is stored elsewhere and always shown."""
    made = [stored.model() for stored in items]
    if rules.beside is None or not items:
        return made
    beside = await rules.beside(call, items)
    return [model.model_copy(update=dict(beside.get(model.id, {}))) for model in made]


async def models(call: Call, rules: Rules, items: Sequence[Stored[Any]], asked: Asked) -> list[Any]:
    """Resources as they are answered, with the children that were asked for."""
    made = await plain(call, rules, items)
    for child in asked.children:
        wire, find = rules.children[child]
        found = await find(call, items)
        made = [model.model_copy(update={wire: found.get(model.id, [])}) for model in made]
    return made


async def refs(call: Call, rules: Rules, items: Sequence[Stored[Any]]) -> dict[str, dict[str, Any]]:
    """What resources refer to, by kind and id, as far as it is there and the caller may read it."""
    wanted: dict[str, tuple[Kind[Any], set[str]]] = {}
    for wire, kind in rules.refs.items():
        named = {text for item in items if isinstance(text := item.fields.get(wire), str) and text}
        if named and call.principal.allows(f"{kind.name}.read"):
            wanted.setdefault(kind.name, (kind, set()))[1].update(named)
    return {
        name: {
            stored.id: stored.model().wire()
            for stored in (await call.scope.find_many(kind, sorted(named))).values()
        }
        for name, (kind, named) in wanted.items()
    }


async def _granted(call: Call, kind: Kind[Any], query: Query, ids: frozenset[str]) -> list[Stored[Any]]:
    """All of a few resources that meet a query's conditions, in its order."""
    found = (await call.scope.find_many(kind, sorted(ids))).values()
    meeting = [item for item in found if all(_meets(item.fields, where) for where in query.where)]
    return sorted(meeting, key=lambda item: _place(query, item))


def _cut(query: Query, every: list[Stored[Any]]) -> Found[Any]:
    if query.after is not None:
        after = tuple(map(str, queries.position(query)))
        every = [item for item in every if _place(query, item) > after]
    items = every[: query.limit]
    more = len(every) > len(items)
    return Found(items, queries.cursor(query, items[-1].id, items[-1].fields) if more else None)


def _place(query: Query, item: Stored[Any]) -> tuple[str, ...]:
    return (item.id,) if query.order is None else (str(item.fields.get(query.order)), item.id)


def _meets(fields: dict[str, Any], where: Where) -> bool:
    value = fields.get(where.field)
    if where.op == "array-contains":
        return isinstance(value, list) and where.value in value
    if where.op == ">=":
        return isinstance(value, str) and value >= where.value
    if where.op == "<":
        return isinstance(value, str) and value < where.value
    return bool(value == where.value)
