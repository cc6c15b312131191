"""Queries for what hangs on deleted resources. Each reads one page, within one project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from functions.jobs.effects import DEVICE_FIELDS
from functions.jobs.hanging import Rule
from shared import names
from shared.clients import firestore
from shared.clients.firestore import Document
from shared.clients.firestore_pb import messages
from shared.store.query import Query, Where, conditions


async def by_rule(project_id: str, rule: Rule, ids: Sequence[str], limit: int) -> list[Document]:
    """Documents that a rule finds for some deleted ids."""
    where = [
        Where(rule.field, rule.op, rule.values(ids)),
        *(Where(key, "==", value) for key, value in rule.also),
    ]
    if rule.top_level:
        where.append(Where("projectId", "==", project_id))
    # Nothing but the names is needed of what is only removed.
    fields = (
        ("projectId",) if rule.effect == "remove" else DEVICE_FIELDS if rule.collection == "devices" else ()
    )
    return await page(project_id, rule.collection, where, limit, fields, top_level=rule.top_level)


async def page(
    project_id: str,
    collection: str,
    where: Sequence[Where],
    limit: int,
    fields: Sequence[str] = (),
    *,
    top_level: bool = False,
    after: str | None = None,
) -> list[Document]:
    """The first ``limit`` documents that satisfy conditions; ``after``: by id, behind that one.

    ``fields``: only these of each, all without it.
    """
    built = conditions(collection, Query(tuple(where)))
    parent = f"{names.database()}/documents" if top_level else names.project(project_id)
    if after is not None:
        built.order_by.add(direction=1).field.field_path = "__name__"
        if after:
            built.start_at.values.add().reference_value = f"{parent}/{collection}/{after}"
    built.limit.value = limit
    return await _run(parent, built, fields)


async def below(project_id: str, limit: int) -> list[Document]:
    """Names of documents below a project, at whatever depth."""
    built: Any = messages().StructuredQuery()
    built.from_.add(all_descendants=True)
    built.limit.value = limit
    return await _run(names.project(project_id), built, ("__name__",))


async def _run(parent: str, built: Any, fields: Sequence[str]) -> list[Document]:
    for name in fields:
        built.select.fields.add(field_path=name)
    return await firestore.run_query(parent, built)
