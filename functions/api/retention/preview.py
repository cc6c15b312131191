"""What a curation would let go: of the history to the row, by the query that the curator itself asks."""

from __future__ import annotations

import asyncio
from typing import Any

from functions.api.history import costs, problems
from functions.api.needs import Call
from shared.clients import bigquery
from shared.config import settings
from shared.errors import ApiError, FulcrumError, Rejected
from shared.model.retention import RetentionDay, RetentionPreview, StorePreview
from shared.retention import documents, reading, rules, runs_sql
from shared.retention.asking import asked
from shared.retention.going_sql import Going
from shared.retention.rules import Store

_HOUR_MS = 3_600_000
# When the curator begins, in UTC: functions/services.yaml.
_BEGINS_MS = 3 * _HOUR_MS


def next_curation(now: int) -> int:
    """The instant of the next night's curation, epoch ms."""
    today = now // rules.DAY_MS * rules.DAY_MS + _BEGINS_MS
    return today if today > now else today + rules.DAY_MS


async def preview(call: Call, at: int) -> RetentionPreview:
    """What would go at an instant. ApiError 400 ``history.tooExpensive``, 503, 504, or of wrong settings."""
    project_id = call.scope.project_id
    try:
        own = await reading.project_rules(project_id)
        found = await asyncio.gather(
            *(_history(project_id, store, at) for store in ("history", "events")),
            *(_runs(project_id, store, own.get(store, Store()), at) for store in ("runs", "logs")),
            *(_documents(project_id, store, own.get(store, Store()), at) for store in documents.STORES),
        )
    except ApiError:
        raise
    except Rejected as error:
        if error.error_type == "bigquery.bytesBilledLimitExceeded":
            limit = costs.max_bytes()
            advice = "Raise the setting HISTORY_MAX_BYTES; the curation itself has no limit."
            raise problems.too_expensive(limit, limit, advice) from error
        with problems.told():
            raise
    except FulcrumError:
        with problems.told():
            raise
    return RetentionPreview(at=at, stores=list(found))


async def _history(project_id: str, store: str, at: int) -> StorePreview:
    scopes = await reading.history_scopes(project_id, store, at)
    if not scopes or not rules.latest(scopes):
        return StorePreview(store=store, exact=True)
    days = await reading.days(Going(store, project_id, scopes, at), costs.max_bytes())
    snapshots = 0
    if store == "history":
        snapshots, _ = await reading.old_snapshots(project_id, scopes, costs.max_bytes())
    return StorePreview(
        store=store,
        exact=True,
        rows=sum(day.rows for day in days),
        bytes=sum(day.bytes for day in days),
        shortened=sum(day.shortened for day in days),
        snapshot_rows=snapshots,
        days=[
            RetentionDay(
                day=day.day,
                rows=day.rows,
                bytes=day.bytes,
                shortened=day.shortened,
                shortened_bytes=day.shortened_bytes,
            )
            for day in days
        ],
    )


async def _runs(project_id: str, store: str, own: Store, at: int) -> StorePreview:
    until = rules.cutoff(own.days, at) if own.enabled else 0
    if not until:
        return StorePreview(store=store, exact=True)
    given: tuple[str, list[bigquery.Parameter]] = runs_sql.count(
        settings().bigquery_dataset, store, project_id, until, at
    )
    rows = await asked(*given, costs.max_bytes())
    count = int(rows[0][0] or 0)
    changed: dict[str, Any] = {"shortened": count} if store == "logs" else {"rows": count}
    return StorePreview(store=store, exact=True, **changed)


async def _documents(project_id: str, store: str, own: Store, at: int) -> StorePreview:
    """An estimate: some stay all the same (what is not over), and of others Firestore itself takes care."""
    kept = documents.STORES[store]
    expiring = await documents.count_expired(project_id, kept, at) if kept.expires else 0
    rows = 0
    if own.enabled and own.days:
        until = rules.cutoff(max(own.days, kept.at_least), at)
        rows = await documents.count_old(project_id, kept, until)
    return StorePreview(store=store, exact=False, rows=rows, expiring=expiring)
