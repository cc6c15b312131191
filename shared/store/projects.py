"""Projects among each other: the one place that reads beyond a single project, to list projects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from shared import names, values
from shared.clients import firestore
from shared.model.project import PROJECT, Project
from shared.store import query as queries
from shared.store.query import Query
from shared.store.scope import Found, Stored


async def every(query: Query) -> Found[Project]:
    """A page of all projects of the server, for its administrators."""
    query = msgspec.structs.replace(query, within="projects")
    parent = f"{names.database()}/documents"
    documents = await firestore.run_query(parent, queries.structured(PROJECT.collection, query, parent))
    items = [_stored(document) for document in documents]
    page = items[: query.limit]
    more = len(items) > query.limit
    return Found(page, queries.cursor(query, page[-1].id, page[-1].fields) if more else None)


async def count() -> int:
    """How many projects the server has."""
    return await firestore.count(
        f"{names.database()}/documents", queries.conditions(PROJECT.collection, Query())
    )


async def some(query: Query, project_ids: Iterable[str]) -> Found[Project]:
    """A page of the projects with these ids, as far as they are there."""
    query = msgspec.structs.replace(query, within="projects:some")
    wanted = sorted(set(project_ids))
    if query.after is not None:
        after = str(queries.position(query)[-1])
        wanted = [project_id for project_id in wanted if project_id > after]
    # Those that are gone are stepped over: a page is full as long as there are more.
    found: list[Stored[Project]] = []
    for start in range(0, len(wanted), query.limit):
        if len(found) > query.limit:
            break
        documents = await firestore.batch_get(map(names.project, wanted[start : start + query.limit]))
        found += sorted(map(_stored, documents.values()), key=lambda stored: stored.id)
    page = found[: query.limit]
    more = len(found) > query.limit
    return Found(page, queries.cursor(query, page[-1].id, page[-1].fields) if more else None)


def _stored(document: firestore.Document) -> Stored[Any]:
    fields = values.from_fields(document.fields)
    return Stored(PROJECT, document.id, document.name, fields, document.update_time)
