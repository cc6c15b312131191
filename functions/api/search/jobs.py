"""Running a search's queries in BigQuery, and reading on in a result that is there already."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import msgspec

from fulcrum.core import ids
from functions.api.history import costs, problems
from functions.api.history.cursors import new_nonce
from shared import clock, device_rows
from shared.clients import bigquery
from shared.config import settings
from shared.errors import ApiError, Rejected
from shared.search.body import Search
from shared.search.fleet_sql import Window
from shared.search.queries import Sql

# How long the newest snapshot that was found is used for live searches: rows since an older one are more.
_KNOWN_SECONDS = 300.0
_KNOWN_PROJECTS = 1_000

# Project → (when it was asked, the newest snapshot).
_snapshots: dict[tuple[str, str], tuple[float, int | None]] = {}


class Place(msgspec.Struct, array_like=True, frozen=True):
    """Where a next page begins in the result of a query.

    The rest of the query's window, so that the same query comes out again; ``nonce`` is in its job's id.
    """

    nonce: str
    now: int
    snapshot: int | None
    first: int
    location: str = ""


async def window(project_id: str, at: int | None) -> tuple[int, int | None]:
    """The instant of a search and the snapshot that it rests on."""
    now = clock.now_ms()
    key = (settings().bigquery_emulator, project_id)
    known = _snapshots.get(key)
    if at is None and known is not None and time.monotonic() - known[0] < _KNOWN_SECONDS:
        return now, known[1]
    sql, parameters = device_rows.newest_snapshot(settings().bigquery_dataset, project_id, at, now)
    job = await start(Sql(sql, tuple(parameters)), new_nonce())
    page = await read(job, 1)
    cell = page.rows[0][0] if page.rows else None
    found = None if cell is None else int(cell)
    if at is None:
        while len(_snapshots) >= _KNOWN_PROJECTS:
            del _snapshots[next(iter(_snapshots))]
        _snapshots[key] = (time.monotonic(), found)
    return now, found


def span(search: Search, now: int, snapshot: int | None) -> Window:
    """The rows that a search is made of."""
    return Window.of(snapshot, search.at, now)


def job_id(sql: Sql, nonce: str) -> str:
    """The id of the job that runs a query.

    It is a digest of all of the query, the project among it, so that a cursor leads to the result of its own
    query and of no other, whatever is put into it.
    """
    parts = [part for name, kind, value in sql.parameters for part in (name, kind, repr(value))]
    return f"fulcrum_{ids.digest('search', nonce, sql.text, *parts)}"


async def start(sql: Sql, nonce: str) -> bigquery.Job:
    """Start a query; ApiError 400 ``search.tooExpensive`` for one that would read too much."""
    limit = costs.max_bytes()
    try:
        with problems.told():
            return await bigquery.start(sql.text, sql.parameters, job_id(sql, nonce), limit, costs.SECONDS)
    except Rejected as error:
        raise _too_expensive(limit) from error


async def read(job: bigquery.Job, size: int, first: int = 0) -> bigquery.Page:
    """A page of a result, from row ``first`` on."""
    try:
        with problems.told():
            return await bigquery.page(job, size, costs.SECONDS, first=first)
    except Rejected as error:
        # A job that is not done within the call that started it says only now what it would read.
        raise _too_expensive(costs.max_bytes()) from error


async def read_on(job: bigquery.Job, size: int, first: int) -> bigquery.Page:
    """A later page; ApiError 400 ``cursor.expired`` where the result is gone, ``cursor.invalid``."""
    with problems.read_on():
        return await bigquery.page(job, size, costs.SECONDS, first=first)


async def all_rows(job: bigquery.Job, size: int) -> AsyncIterator[list[list[str | None]]]:
    """All rows of a result, a page at a time."""
    try:
        with problems.told():
            async for page in bigquery.pages(job, size, costs.SECONDS):
                yield page.rows
    except Rejected as error:
        raise _too_expensive(costs.max_bytes()) from error


def _too_expensive(limit: int) -> ApiError:
    return ApiError(
        400,
        "search.tooExpensive",
        f"the search would read more than {limit} bytes of history",
        "Search for what Firestore answers (see the description), or wait for the next daily snapshot.",
    )
