"""The rules of a project as its documents say, and what goes from its history by them."""

from __future__ import annotations

import msgspec

from fulcrum.core import ids
from shared import names, values
from shared.clients import bigquery, firestore
from shared.config import settings
from shared.retention import horizon, rules
from shared.retention.asking import asked
from shared.retention.going_sql import Going
from shared.retention.rules import Scope, Store
from shared.store.query import Query, conditions

_PAGE = 500
_encode = msgspec.json.Encoder(order="deterministic").encode


class Day(msgspec.Struct, frozen=True, array_like=True):
    """What of the history goes on one day (its first instant, epoch ms).

    ``rows`` go whole, ``shortened`` rows lose a part; bytes are those that the rows have now.
    """

    day: int
    rows: int
    bytes: int
    shortened: int
    shortened_bytes: int


async def project_rules(project_id: str) -> dict[str, Store]:
    """A project's own settings by store; Rejected where they are none."""
    name = names.project(project_id)
    found = (await firestore.batch_get([name], ["retention"])).get(name)
    fields = values.from_fields(found.fields) if found else {}
    return rules.read(fields.get("retention"), f"project {project_id}")


async def history_scopes(project_id: str, store: str, now: int) -> list[Scope]:
    """The rules for rows of the history or of events, by blueprint; none where the store is switched off."""
    own = await project_rules(project_id)
    if not own.get(store, Store()).enabled:
        return []
    return rules.scopes(store, own, await _blueprints(project_id), now)


async def _blueprints(project_id: str) -> dict[str, dict[str, Store]]:
    found: dict[str, dict[str, Store]] = {}
    after = ""
    while True:
        built = conditions("blueprints", Query())
        built.select.fields.add(field_path="retention")
        built.order_by.add(direction=1).field.field_path = "__name__"
        if after:
            built.start_at.values.add().reference_value = names.blueprint(project_id, after)
        built.limit.value = _PAGE
        page = await firestore.run_query(names.project(project_id), built)
        for document in page:
            retention = values.from_fields(document.fields).get("retention")
            if retention:
                found[document.id] = rules.read(retention, f"blueprint {document.id}")
        if len(page) < _PAGE:
            return found
        after = page[-1].id


def digest(scopes: list[Scope]) -> str:
    """Names a set of rules: who goes on under others would delete what they did not keep."""
    return ids.digest("retention", _encode(scopes))


async def days(going: Going, max_bytes: int) -> list[Day]:
    """What goes, day by day; Rejected ``bigquery.bytesBilledLimitExceeded`` where asking costs too much."""
    if not rules.latest(going.scopes):
        return []
    now = going.before + rules.UNTOUCHED_MS
    ranges = await horizon.unsettled(going.project_id, going.store, going.scopes, now, max_bytes)
    if ranges == []:
        return []
    sql, parameters = going.counted(settings().bigquery_dataset, ranges)
    return [Day(*(int(cell or 0) for cell in row)) for row in await asked(sql, parameters, max_bytes)]


async def old_snapshots(project_id: str, scopes: list[Scope], max_bytes: int) -> tuple[int, int]:
    """How many rows of daily snapshots go with the history, and how many snapshots these are."""
    sql, parameters = snapshots_query(project_id, rules.latest(scopes))
    rows = await asked(sql, parameters, max_bytes)
    return int(rows[0][0] or 0), int(rows[0][1] or 0)


def snapshots_query(project_id: str, cutoff: int) -> tuple[str, list[bigquery.Parameter]]:
    """SQL and parameters that count the rows of a project's snapshots that are older than a cutoff."""
    from shared import device_rows

    sql = (
        "SELECT COUNT(*) AS found, COUNTIF(kind = 'complete') AS snapshots "  # noqa: S608 our own text
        f"FROM `{settings().bigquery_dataset}.{device_rows.SNAPSHOTS}` WHERE {OLD_SNAPSHOTS}"
    )
    return sql, old_snapshots_parameters(project_id, cutoff)


OLD_SNAPSHOTS = "project_id = @project AND snapshot_time < @cutoff"


def old_snapshots_parameters(project_id: str, cutoff: int) -> list[bigquery.Parameter]:
    """The parameters of :data:`OLD_SNAPSHOTS`."""
    return [("project", "STRING", project_id), ("cutoff", "TIMESTAMP", cutoff)]
