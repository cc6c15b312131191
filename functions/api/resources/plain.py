"""Pages of resources that have no further rules: asked for by one query, answered as they are stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from shared.model.base import Kind, Resource
from shared.model.page import Page
from shared.store.query import Query
from shared.store.scope import Scope, Stored

R = TypeVar("R", bound=Resource)


async def page(
    scope: Scope,
    kind: Kind[R],
    query: Query,
    total: bool,
    *,
    show: Callable[[Stored[R]], Any] = Stored.model,
    must_exist: bool = True,
) -> Page[Any]:
    """A page of a query. ``show``: how one is answered.

    ``must_exist``: ApiError 404 or 410 where there is nothing because there is no such project.
    """
    found = await scope.page(kind, query)
    if must_exist and not found.items and query.after is None:
        await scope.must_exist()
    return Page(
        count=len(found.items),
        per_page=query.limit,
        total=await scope.count(kind, query) if total else None,
        next=found.next,
        items=[show(stored) for stored in found.items],
    )
