"""A project's settings and curations as people read them, and a curation that is asked for now."""

from __future__ import annotations

from typing import Any

import msgspec

from fulcrum.core import ids
from functions.api.needs import Call
from shared import clock, names, values
from shared.clients import firestore
from shared.model.blueprint import BLUEPRINT
from shared.model.project import PROJECT
from shared.model.retention import BlueprintRetention, Curation, CurationStarted, Retention, RetentionStatus
from shared.retention import curation
from shared.store.query import Query, structured

_NEWEST = 40
_BLUEPRINTS = 500


async def status(call: Call) -> RetentionStatus:
    """The settings, and the last curations of all stores."""
    project = await call.scope.get(PROJECT, call.scope.project_id)
    found: dict[str, BlueprintRetention] = {}
    after = None
    while True:
        page = await call.scope.page(BLUEPRINT, Query(limit=_BLUEPRINTS, after=after))
        for stored in page.items:
            if retention := stored.fields.get("retention"):
                found[stored.id] = BlueprintRetention.model_validate(retention)
        if page.next is None:
            break
        after = page.next
    return RetentionStatus(
        retention=Retention.model_validate(project.fields.get("retention") or {}),
        blueprints=found,
        curations=await _curations(call.scope.project_id),
    )


async def _curations(project_id: str) -> list[Curation]:
    parent = names.project(project_id)
    query = Query(order="started", descending=True, limit=_NEWEST)
    built = structured("curations", query, parent)
    return [_shown(values.from_fields(one.fields)) for one in await firestore.run_query(parent, built)]


def _shown(fields: dict[str, Any]) -> Curation:
    kept = ("run", "store", "state", "now", "started", "lastModified", "reason")
    given = {key: fields[key] for key in kept if fields.get(key) is not None}
    return Curation.model_validate(given | {"result": msgspec.json.decode(fields.get("result") or "{}")})


async def curate(call: Call) -> CurationStarted:
    """Have the project curated now. Transient or Rejected where Pub/Sub does not take it."""
    await call.scope.must_exist()
    now = clock.now_ms()
    # A run of its own: the night's is not that.
    run = f"{curation.run_of(now)}-{ids.new_id()}"
    project_id = call.scope.project_id
    await curation.publish(curation.CurateProject(project_id=project_id, run=run, now=now))
    return CurationStarted(run=run, now=now)
