"""Reading what is stored about an event: history and runs in BigQuery, quarantine and outbox in Firestore."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from fulcrum.core import ids
from fulcrum.script.identity import effect_id
from functions.api.history import costs, problems
from functions.api.tracing.facts import Aside, Facts, Mail, Row, Run, ToDevice, Unknown
from shared import history, names, outbound_store, script_runs, values
from shared.clients import bigquery, firestore
from shared.config import settings
from shared.errors import Rejected
from shared.history_query.expr import Parameters
from shared.history_query.source import Scope, condition
from shared.store import query as queries

MAX_ROWS = 500
MAX_RUNS = 200
# So many ids are looked for in one query, and in so many steps: effects of effects.
MAX_IDS = 300
MAX_STEPS = 3
_MAX_ENTRIES = 50
# Firestore's ``in`` takes so many values.
_IN = 30
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
# A run is at most so much later than its event was received: Pub/Sub's and quarantine's patience.
_LATEST_RUN_MS = 90 * _DAY_MS

# Of a run that a script's timer had: the effect that set it.
_SET_BY = "JSON_VALUE(message, '$.setBy')"

Sql = tuple[str, Sequence[Any]]


@dataclass(frozen=True)
class Window:
    """When an event happened, epoch ms: ``since`` <= time < ``until``."""

    since: int
    until: int


async def history_of(facts: Facts, scope: Scope, around: Scope, window: Window) -> bool:
    """Find rows and runs of the event, of its copies and of its effects; returns whether there were more.

    ``scope``: where the event is looked for; ``around``: all that the caller may read, for what came of it.
    ApiError 400 ``history.tooExpensive``, 503, 504.
    """
    asked: set[str] = set()
    wanted = {facts.event_id}
    truncated = False
    timers: set[str] = set()
    for step in range(MAX_STEPS):
        wanted = set(sorted(wanted - asked)[: MAX_IDS - len(asked)])
        if not wanted:
            break
        asked |= wanted
        if step:
            scope = around
        rows, runs = await _both(facts, scope, window, wanted, timers & wanted)
        truncated |= len(rows) >= MAX_ROWS or len(runs) >= MAX_RUNS
        facts.runs += runs
        wanted = {effect_id for run in runs for effect_id, _, _ in run.effects}
        timers = {effect_id for run in runs for effect_id, kind, _ in run.effects if kind == "setTimer"}
        wanted |= {ids.digest(row.device_id, row.event_id) for row in rows if row.kind == "data"}
        if rows:
            # What came of an event is of its time, or later.
            window = Window(min(row.time for row in rows) // 1000 - _DAY_MS, window.until)
    return truncated


async def _both(
    facts: Facts, scope: Scope, window: Window, wanted: set[str], timers: set[str]
) -> tuple[list[Row], list[Run]]:
    """Rows, which are added to the facts, and runs: of all devices, or of those that may be read.

    ``timers``: effects that set a timer, whose runs are wanted too.
    """
    limited = scope.readable_devices is not None or scope.readable_systems is not None
    if not limited:
        found = await asyncio.gather(
            _rows(scope, window, wanted), _runs(scope, window, wanted, timers, scope.device_ids)
        )
        facts.rows += found[0]
        return found
    rows = await _rows(scope, window, wanted)
    facts.rows += rows
    # A run says its device alone, not the system: it may be read where the device's rows may.
    devices = sorted({row.device_id for row in facts.rows})
    return rows, await _runs(scope, window, wanted, timers, devices)


async def _rows(scope: Scope, window: Window, wanted: set[str]) -> list[Row]:
    parameters = Parameters()
    columns = (
        "device_id, event_id, content_hash, kind, UNIX_MICROS(time) AS time_us, "
        "UNIX_MICROS(received_time) AS received_us, UNIX_MICROS(stored_time) AS stored_us, "
        "message_id, source, script_id"
    )
    sql = (
        f"SELECT {columns} FROM `{settings().bigquery_dataset}.{history.TABLE}` "  # noqa: S608 our own text
        f"WHERE {condition(scope, parameters)} AND time >= {parameters.add(window.since, 'TIMESTAMP')} "
        f"AND time < {parameters.add(window.until, 'TIMESTAMP')} "
        f"AND event_id IN UNNEST({parameters.strings(sorted(wanted))}) "
        f"AND kind IN ('data', 'event', 'ack', 'input') ORDER BY stored_us LIMIT {MAX_ROWS}"
    )
    return [
        Row(
            device_id=row[0] or "",
            event_id=row[1] or "",
            content_hash=row[2] or "",
            kind=row[3] or "",
            time=int(row[4] or 0),
            received=int(row[5] or 0),
            stored=int(row[6] or 0),
            message_id=row[7],
            source=row[8],
            script_id=row[9],
        )
        for row in await _select((sql, parameters.all()))
    ]


async def _runs(
    scope: Scope, window: Window, wanted: set[str], timers: set[str], devices: Sequence[str] | None
) -> list[Run]:
    if devices is not None and not devices:
        return []
    parameters = Parameters()
    columns = (
        "run_key, script_id, version, entry, UNIX_MICROS(started) AS started_us, "
        "UNIX_MICROS(stored_time) AS stored_us, status, device_id, event_id, content_hash, "
        "UNIX_MICROS(received_time) AS received_us, message_id, result, repeated, effects, "
        "failure_type, failure_message, wall_us"
    )
    is_wanted = f"event_id IN UNNEST({parameters.strings(sorted(wanted))})"
    if timers:
        # The messages are read where there are timers alone: they are the largest of the columns.
        columns += f", {_SET_BY} AS set_by"
        is_wanted = f"({is_wanted} OR {_SET_BY} IN UNNEST({parameters.strings(sorted(timers))}))"
    # Started is when it ran, which is after the event was received, whatever time the event names.
    until = max(window.until, window.since + _LATEST_RUN_MS)
    sql = (
        f"SELECT {columns} FROM `{settings().bigquery_dataset}.{script_runs.TABLE}` "  # noqa: S608 the same
        f"WHERE project_id = {parameters.add(scope.project_id, 'STRING')} "
        f"AND started >= {parameters.add(window.since, 'TIMESTAMP')} "
        f"AND started < {parameters.add(until, 'TIMESTAMP')} "
        f"AND {is_wanted}"
    )
    if devices is not None:
        sql += f" AND device_id IN UNNEST({parameters.strings(sorted(devices))})"
    sql += f" ORDER BY started_us, stored_us LIMIT {MAX_RUNS}"
    return [_run(row) for row in await _select((sql, parameters.all()))]


def _run(row: Sequence[str | None]) -> Run:
    key = row[0] or ""
    failure = ": ".join(text for text in row[15:17] if text)
    return Run(
        run_key=key,
        script_id=row[1] or "",
        version=int(row[2] or 0),
        entry=row[3] or "",
        started=int(row[4] or 0),
        stored=int(row[5] or 0),
        status=row[6] or "",
        device_id=row[7],
        event_id=row[8],
        content_hash=row[9],
        received=None if row[10] is None else int(row[10]),
        message_id=row[11],
        result=row[12],
        repeated=row[13] == "true",
        effects=effects(key, row[14]),
        failure=failure[:1_000] or None,
        wall=None if row[17] is None else int(row[17]),
        set_by=row[18] if len(row) > 18 else None,
    )


def effects(run_key: str, text: str | None) -> list[tuple[str, str, str]]:
    """(id, type, what it concerns) of a run's effects, from their JSON; without what the script wrote."""
    listed = msgspec.json.decode(text) if text else []
    found = []
    for index, effect in enumerate(listed if isinstance(listed, list) else []):
        if not isinstance(effect, dict):
            continue
        about = {
            "setDeviceData": effect.get("deviceId"),
            "sendMessage": effect.get("deviceId"),
            "setTimer": effect.get("timerId") or effect.get("id"),
            "cancelTimer": effect.get("timerId") or effect.get("id"),
            "publish": effect.get("topic"),
        }.get(str(effect.get("type")))
        found.append((effect_id(run_key, index), str(effect.get("type")), str(about or "")))
    return found


async def _select(sql: Sql) -> list[list[str | None]]:
    text, parameters = sql
    limit = costs.max_bytes()
    try:
        with problems.told():
            job_id = f"fulcrum_{ids.new_id()}"
            job = await bigquery.start(text, parameters, job_id, limit, costs.SECONDS)
            return (await bigquery.page(job, MAX_ROWS, costs.SECONDS)).rows
    except Rejected as error:
        with problems.told():
            would_read = await bigquery.estimate(text, parameters)
        advice = "Name the device, or a later 'since': the time from when on it is looked for."
        raise problems.too_expensive(would_read, limit, advice) from error


async def asides_of(project_id: str, event_id: str) -> list[Aside]:
    """Entries of the quarantine with a message of that id."""
    where = queries.Where("eventIds", "array-contains", event_id)
    fields = ("errorType", "message", "service", "time", "sourceMessageId", "subscription")
    return [
        Aside(
            id=document_id,
            error_type=str(found.get("errorType") or ""),
            message=str(found.get("message") or ""),
            service=str(found.get("service") or ""),
            time=int(found.get("time") or 0) * 1000,
            source_message_id=found.get("sourceMessageId") or None,
            subscription=found.get("subscription"),
        )
        for document_id, found in await _documents(project_id, "quarantine", where, fields)
    ]


async def mails_of(project_id: str, sources: Sequence[str]) -> list[Mail]:
    """Mails and text messages in the outbox that these effects are; without what they say."""
    calls = [
        _documents(
            project_id,
            "outbox",
            queries.Where("source", "in", list(sources[start : start + _IN])),
            ("kind", "source", "time", "messageId", "to", "cc", "bcc", "recipients", "state", "error"),
        )
        for start in range(0, len(sources), _IN)
    ]
    return [
        Mail(
            id=document_id,
            kind=str(found.get("kind") or ""),
            source=str(found.get("source") or ""),
            time=int(found.get("time") or 0) * 1000,
            recipients=sum(len(found.get(name) or ()) for name in ("to", "cc", "bcc", "recipients")),
            message_id=found.get("messageId"),
            state=str(found.get("state") or "kept"),
            problem=(found.get("error") or {}).get("code"),
        )
        for documents in await asyncio.gather(*calls)
        for document_id, found in documents
    ]


async def to_devices_of(project_id: str, effects: Sequence[str]) -> dict[str, ToDevice]:
    """The messages to devices that these effects are, by the effects' ids; without what they say."""
    found = await outbound_store.read(project_id, effects)
    return {
        msg_id: ToDevice(
            msg_id,
            record.device_id,
            record.state,
            record.changed * 1000,
            # Behind the colon stands what others say.
            record.error.partition(":")[0] if record.error else None,
        )
        for msg_id, (record, _) in found.items()
    }


async def unknown_of(project_id: str, event_id: str, since_ms: int) -> list[Unknown]:
    """The outside name whose latest event has the id, if it is among those that were seen last."""
    parent = names.project(project_id)
    query = queries.Query(
        (queries.Where("lastSeen", ">=", since_ms),), order="lastSeen", descending=True, limit=_MAX_ENTRIES
    )
    structured = queries.structured("unknownDevices", query, parent)
    for field in ("sample", "networkId", "value", "lastSeen"):
        structured.select.fields.add(field_path=field)
    found = []
    for document in await firestore.run_query(parent, structured):
        fields = values.from_fields(document.fields)
        sample = _sample(fields.get("sample"))
        if sample.id == event_id:
            received = sample.received_time or int(fields.get("lastSeen") or 0)
            network, name = str(fields.get("networkId") or ""), str(fields.get("value") or "")
            found.append(Unknown(document.id, network, name, received * 1000))
    return found


class _Sample(msgspec.Struct, rename="camel"):
    id: Any = None
    received_time: int | None = None


def _sample(text: Any) -> _Sample:
    try:
        return msgspec.json.decode(text, type=_Sample) if isinstance(text, str) else _Sample()
    except (msgspec.DecodeError, RecursionError):
        return _Sample()  # a name may have sent anything, and the beginning of it is kept where it is long


async def _documents(
    project_id: str, collection: str, where: queries.Where, fields: Sequence[str]
) -> list[tuple[str, dict[str, Any]]]:
    structured = queries.conditions(collection, queries.Query((where,)))
    for field in fields:
        structured.select.fields.add(field_path=field)
    structured.limit.value = _MAX_ENTRIES
    documents = await firestore.run_query(names.project(project_id), structured)
    return [(document.id, values.from_fields(document.fields)) for document in documents]
