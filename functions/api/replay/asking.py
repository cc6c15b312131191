"""Asking BigQuery for a replay's input, a page in memory at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fulcrum.core import ids
from functions.api.history import costs, problems
from functions.api.replay.queries import Sql
from shared.clients import bigquery
from shared.errors import ApiError, Rejected

PAGE_ROWS = 5_000
_ADVICE = "Ask for less time, for fewer devices or for one blueprint."


async def start(sql: Sql) -> bigquery.Job:
    """Start a query; ApiError 400 ``history.tooExpensive``, 503, 504."""
    text, parameters = sql
    limit = costs.max_bytes()
    try:
        with problems.told():
            job_id = f"fulcrum_{ids.new_id()}"
            return await bigquery.start(text, parameters, job_id, limit, costs.SECONDS)
    except Rejected as error:
        raise await _expensive(sql, limit) from error


async def pages(sql: Sql, job: bigquery.Job) -> AsyncIterator[bigquery.Page]:
    """The pages of a query that was started."""
    try:
        with problems.told():
            async for page in bigquery.pages(job, PAGE_ROWS, costs.SECONDS):
                yield page
    except Rejected as error:
        raise await _expensive(sql, costs.max_bytes()) from error


async def rows(sql: Sql) -> AsyncIterator[list[str | None]]:
    """All rows of a query."""
    job = await start(sql)
    async for page in pages(sql, job):
        for row in page.rows:
            yield row


async def _expensive(sql: Sql, limit: int) -> ApiError:
    text, parameters = sql
    with problems.told():
        would_read = await bigquery.estimate(text, parameters)
    return problems.too_expensive(would_read, limit, _ADVICE)
