"""A page of a search: by Firestore, by ids, or by BigQuery and then Firestore; of now, or of the past."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from functions.api.devices import access, showing
from functions.api.history import problems
from functions.api.history.cursors import new_nonce
from functions.api.history.state_at import state_at
from functions.api.needs import Call, denied
from functions.api.search import jobs, reach
from functions.api.search.jobs import Place
from shared import device_rows
from shared.clients import bigquery
from shared.config import settings
from shared.model.device import DEVICE, Device
from shared.search import buckets, firestore, match, queries
from shared.search.body import Search
from shared.search.conditions import Condition, both
from shared.search.fields import Field
from shared.search.queries import Sql
from shared.store.query import Query
from shared.store.scope import Stored

# What cursors begin with: of results of BigQuery, and of searches that name their devices.
_BIGQUERY = "b."
_IDS = "i."
# BigQuery counts rows in 63 bits; no project has as many devices as this.
_MAX_ROWS = 2**31


class Found(NamedTuple):
    """A page: devices as they are answered, and which store said who they are."""

    items: list[dict[str, Any]]
    next: str | None
    total: int | None
    source: str


async def page(
    call: Call,
    search: Search,
    base: Condition,
    system_id: str | None,
    permission: str = reach.PERMISSION,
) -> Found:
    """A page of the devices that match, of those on which the caller has the permission.

    ``base`` is what the path asks for. ``system_id``: the system that all of them are in, if it names one.
    """
    search = narrowed(search, base, await _allowed(call, search, system_id, permission))
    if search.per_page == 0:
        return Found([], None, None, "bigquery")
    plan = firestore.plan(search)
    from_bigquery = search.cursor is not None and search.cursor.startswith(_BIGQUERY)
    if search.cursor is not None and from_bigquery != (plan is None):
        raise problems.cursor_invalid()
    if isinstance(plan, Query):
        return await _by_index(call, search, plan)
    if plan is not None:
        return await _by_ids(call, search, plan.ids)
    return await _by_bigquery(call, search)


async def _allowed(call: Call, search: Search, system_id: str | None, permission: str) -> Condition | None:
    """Whose devices the caller may search; where the search looks at data, only those whose data he may read.

    ApiError 403 for a search of data by who may read none.
    """
    permissions = [permission]
    if search.paths():
        if not call.principal.anywhere(showing.READ_DATA):
            raise denied(showing.READ_DATA)
        if call.principal.readable(showing.READ_DATA) != call.principal.readable(permission):
            permissions.append(showing.READ_DATA)
    parts = [await reach.condition(call, system_id, one) for one in permissions]
    held = [part for part in parts if part is not None]
    return both(*held) if held else None


def narrowed(search: Search, base: Condition, allowed: Condition | None) -> Search:
    """A search within what its path and its caller's permissions leave."""
    parts = [base, search.condition, *([allowed] if allowed is not None else [])]
    return msgspec.structs.replace(search, condition=both(*parts))


async def aggregated(call: Call, search: Search, base: Condition, system_id: str | None) -> dict[str, Any]:
    """The answer of the search's aggregations, over all devices that match."""
    search = narrowed(search, base, await _allowed(call, search, system_id, reach.PERMISSION))
    project_id = call.scope.project_id
    now, snapshot = await jobs.window(project_id, search.at)
    span = jobs.span(search, now, snapshot)
    sql = queries.aggregated(settings().bigquery_dataset, project_id, search, span)
    job = await jobs.start(sql, new_nonce())
    groups = [buckets.Group.of(row) async for rows in jobs.all_rows(job, 10_000) for row in rows]
    return buckets.answer(search.aggregations, groups)


async def _by_index(call: Call, search: Search, plan: Query) -> Found:
    found = await call.scope.page(DEVICE, msgspec.structs.replace(plan, after=search.cursor))
    items = await live(call, search, found.items)
    total = await call.scope.count(DEVICE, plan) if search.total else None
    return Found(items, found.next, total, "firestore")


async def _by_ids(call: Call, search: Search, device_ids: tuple[str, ...]) -> Found:
    begin = _offset(search.cursor)
    stored = await call.scope.find_many(DEVICE, [one for one in device_ids if _can_be(one)])
    judged = {one.id: judge(one) for one in stored.values()}
    kept = [device for device in judged.values() if match.matches(search.condition, device)]
    ordered = match.ordered(kept, search.sorts, search.ends_descending())
    end = begin + search.per_page
    items = await live(call, search, [stored[one.definition["id"]] for one in ordered[begin:end]])
    following = f"{_IDS}{end}" if end < len(ordered) else None
    return Found(items, following, len(ordered) if search.total else None, "firestore")


def _offset(cursor: str | None) -> int:
    """Where a page begins among the devices that a search names."""
    if cursor is None:
        return 0
    text = cursor.removeprefix(_IDS)
    if text == cursor or not (text.isascii() and text.isdigit() and len(text) < 5):
        raise problems.cursor_invalid()
    return int(text)


def _can_be(device_id: str) -> bool:
    plain = device_id.replace("-", "").replace("_", "")
    return plain.isalnum() and plain.isascii() and not device_id.startswith("__") and len(device_id) <= 128


async def _by_bigquery(call: Call, search: Search) -> Found:
    project_id = call.scope.project_id
    if search.cursor is None:
        now, snapshot = await jobs.window(project_id, search.at)
        place = Place(new_nonce(), now, snapshot, 0)
        sql = matching(project_id, search, place)
        job = await jobs.start(sql, place.nonce)
        result = await jobs.read(job, search.per_page)
    else:
        place = _place(search.cursor)
        job = bigquery.Job(jobs.job_id(matching(project_id, search, place), place.nonce), place.location)
        result = await jobs.read_on(job, search.per_page, place.first)
    device_ids = [str(row[0]) for row in result.rows]
    end = place.first + len(device_ids)
    following = None
    if device_ids and end < result.total:
        following = _cursor(Place(place.nonce, place.now, place.snapshot, end, job.location))
    items = await answered(call, search, device_ids, place)
    return Found(items, following, result.total if search.total else None, "bigquery")


def matching(project_id: str, search: Search, place: Place) -> Sql:
    """The query of a search that began at a place."""
    span = jobs.span(search, place.now, place.snapshot)
    return queries.matching(settings().bigquery_dataset, project_id, search, span)


async def answered(call: Call, search: Search, device_ids: list[str], place: Place) -> list[dict[str, Any]]:
    """The devices of a page that BigQuery found, in its order.

    Of now, they are read again in Firestore: what no longer is there, matches or may be read is left out.
    """
    if search.at is not None:
        return await _then(call, search, search.at, device_ids, place)
    stored = await call.scope.find_many(DEVICE, device_ids)
    current = [
        stored[one]
        for one in device_ids
        if one in stored and match.matches(search.condition, judge(stored[one]))
    ]
    return await live(call, search, current)


async def live(call: Call, search: Search, found: list[Stored[Device]]) -> list[dict[str, Any]]:
    """Devices as they are answered, of those that the caller may read."""
    kept = await access.permitted(call, [reach.PERMISSION], found)
    devices = await showing.several(call, kept)
    return [shown(device.wire(), search.fields) for device in devices]


async def _then(
    call: Call, search: Search, at: int, device_ids: list[str], place: Place
) -> list[dict[str, Any]]:
    """Devices as they were at an instant: the newest definition of then, the state folded to then."""
    if not device_ids:
        return []
    project_id = call.scope.project_id
    span = jobs.span(search, place.now, place.snapshot)
    sql = queries.definitions_of(settings().bigquery_dataset, project_id, device_ids, span)
    job = await jobs.start(sql, new_nonce())
    rows = [row async for page_rows in jobs.all_rows(job, 1_000) for row in page_rows]
    definitions = {str(device_id): (json.loads(text or "{}"), int(ms or 0)) for device_id, text, ms in rows}
    states = await state_at(project_id, device_ids, at)
    then = {
        device_id: device_rows.definition(content) | {"lastModified": changed}
        for device_id, (content, changed) in definitions.items()
    }
    told = await showing.with_data(
        call, [Stored(DEVICE, device_id, "", fields, None) for device_id, fields in then.items()]
    )
    items = []
    for device_id in device_ids:
        state = states[device_id]
        item = {"id": device_id, **then.get(device_id, {}), "data": state.data if device_id in told else {}}
        if state.last_event_time is not None:
            item["lastEventTime"] = state.last_event_time
        items.append(shown(item, search.fields))
    return items


def judge(stored: Stored[Device]) -> match.Device:
    """A stored device as conditions see it."""
    data = stored.fields.get("data")
    return match.Device({**stored.fields, "id": stored.id}, data if isinstance(data, dict) else {})


def shown(item: Mapping[str, Any], fields: tuple[Field, ...] | None) -> dict[str, Any]:
    """What of a device is answered: all of it, or its id and the fields that were asked for."""
    if fields is None:
        return dict(item)
    made: dict[str, Any] = {"id": item["id"]}
    for field in fields:
        path = ("data", *field.path) if field.is_data else field.path or (field.text,)
        value: Any = item
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            continue
        inner = made
        for key in path[:-1]:
            held = inner.get(key)
            # Nothing that was taken from the device itself is written into.
            inner[key] = dict(held) if isinstance(held, dict) else {}
            inner = inner[key]
        inner[path[-1]] = value
    return made


def _cursor(place: Place) -> str:
    return _BIGQUERY + base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _place(cursor: str) -> Place:
    text = cursor[len(_BIGQUERY) :]
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        place = msgspec.json.decode(raw, type=Place)
    except (binascii.Error, ValueError):
        raise problems.cursor_invalid() from None
    times = (place.now, place.snapshot or 0)
    if not 0 <= place.first <= _MAX_ROWS or not all(0 <= time <= 253_402_300_799_999 for time in times):
        raise problems.cursor_invalid()
    return place
