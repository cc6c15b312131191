"""Running a query: its cost, a page of its result, or all of it as a stream."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.responses import Response, StreamingResponse

from functions.api.history import costs, cursors, exports, problems
from functions.api.history.reading import body_of
from functions.api.needs import Call
from shared import clock, history_query
from shared.clients import bigquery
from shared.config import settings
from shared.errors import Rejected
from shared.history_query.columns import Model
from shared.history_query.instants import LATEST_MS

# Rows of a page of an export: about 2 MB.
_EXPORT_ROWS = 5_000


def max_bytes(query: history_query.Query) -> int:
    """How many bytes a query may read: the server's limit, or less if the query says so."""
    limit = costs.max_bytes()
    return min(limit, query.max_bytes or limit)


async def answer(call: Call, model: Model, scope: history_query.Scope) -> Response:
    """The answer to a request that queries the rows of a scope, which the caller may read."""
    body = await body_of(call.request)
    return await answered(body, model, scope, call.request.headers.get("accept", ""))


async def answered(body: Any, model: Model, scope: history_query.Scope, accept: str) -> Response:
    """The answer to a query's body: its cost, a page, or an export."""
    query = history_query.checked(body, clock.now_ms())
    cursor = None
    if query.cursor:
        cursor = cursors.decode(query.cursor)
        query = _within(query, cursor, body)
    compiled = history_query.compiled(query, model, scope, settings().bigquery_dataset)
    if query.dry_run:
        return await _cost(query, compiled)
    format_ = exports.wanted(query.format, accept)
    if format_ != "json":
        return await _export(query, compiled, format_, model)
    return await _page(query, compiled, cursor)


async def items(body: Any, model: Model, scope: history_query.Scope) -> AsyncIterator[dict[str, Any]]:
    """All rows of a query's body, one after another."""
    query = history_query.checked(body, clock.now_ms())
    compiled = history_query.compiled(query, model, scope, settings().bigquery_dataset)
    job = await _start(query, compiled, cursors.new_nonce())
    page = await _first(query, compiled, job, _EXPORT_ROWS)
    while True:
        for row in page.rows:
            yield history_query.item(compiled.outputs, row)
        if not page.token:
            return
        page = await _next(job, _EXPORT_ROWS, page.token)


def _within(query: history_query.Query, cursor: cursors.Cursor, body: Any) -> history_query.Query:
    """The query with the window of its first page, which must be the one that it names itself."""
    named = body.get("end") is not None
    if query.start != cursor.start or (named and query.end != cursor.end):
        raise problems.cursor_invalid()
    if not query.start < cursor.end <= LATEST_MS:
        raise problems.cursor_invalid()
    return dataclasses.replace(query, end=cursor.end)


async def _cost(query: history_query.Query, compiled: history_query.Compiled) -> Response:
    with problems.told():
        would_read = await bigquery.estimate(compiled.sql, compiled.parameters)
    limit = max_bytes(query)
    return _json({"bytes": would_read, "maxBytes": limit, "allowed": would_read <= limit})


async def _start(query: history_query.Query, compiled: history_query.Compiled, nonce: str) -> bigquery.Job:
    limit = max_bytes(query)
    job_id = cursors.job_id(compiled, nonce)
    try:
        with problems.told():
            return await bigquery.start(compiled.sql, compiled.parameters, job_id, limit, costs.SECONDS)
    except Rejected as error:
        raise await _expensive(compiled, limit) from error


async def _expensive(compiled: history_query.Compiled, limit: int) -> Exception:
    with problems.told():
        return problems.too_expensive(await bigquery.estimate(compiled.sql, compiled.parameters), limit)


async def _first(
    query: history_query.Query, compiled: history_query.Compiled, job: bigquery.Job, size: int
) -> bigquery.Page:
    """The first page of a job; here too a limit may turn out to be too low."""
    try:
        with problems.told():
            return await bigquery.page(job, size, costs.SECONDS, first=query.start_index)
    except Rejected as error:
        raise await _expensive(compiled, max_bytes(query)) from error


async def _page(
    query: history_query.Query, compiled: history_query.Compiled, cursor: cursors.Cursor | None
) -> Response:
    if cursor is None:
        nonce = cursors.new_nonce()
        job = await _start(query, compiled, nonce)
        page = await _first(query, compiled, job, query.per_page)
    else:
        nonce = cursor.nonce
        job = bigquery.Job(cursors.job_id(compiled, nonce), cursor.location)
        page = await _next(job, query.per_page, cursor.token)
    items = [history_query.item(compiled.outputs, row) for row in page.rows]
    answer: dict[str, Any] = {"count": len(items), "perPage": query.per_page, "items": items}
    if query.total:
        answer["total"] = page.total
    if page.token:
        following = cursors.Cursor(nonce, query.start, query.end, page.token, job.location)
        answer["next"] = cursors.encode(following)
    return _json(answer)


async def _next(job: bigquery.Job, size: int, token: str) -> bigquery.Page:
    with problems.read_on():
        return await bigquery.page(job, size, costs.SECONDS, token)


async def _export(
    query: history_query.Query, compiled: history_query.Compiled, format_: str, model: Model
) -> Response:
    """All of a result. Whatever can be wrong with the query is known before the answer begins."""
    job = await _start(query, compiled, cursors.new_nonce())
    first = await _first(query, compiled, job, _EXPORT_ROWS)
    return StreamingResponse(
        _stream(compiled, job, first, format_),
        media_type=exports.MEDIA_TYPES[format_],
        headers={"Content-Disposition": f'attachment; filename="{model}.{format_}"'},
    )


async def _stream(
    compiled: history_query.Compiled, job: bigquery.Job, page: bigquery.Page, format_: str
) -> AsyncIterator[bytes]:
    """The bytes of an export, a page in memory at a time.

    An error raises: the connection breaks before the last chunk, which every client of HTTP notices.
    """
    yield exports.head(compiled.outputs, format_)
    while True:
        if page.rows:
            yield await asyncio.to_thread(exports.rows, compiled.outputs, page.rows, format_)
        if not page.token:
            return
        page = await bigquery.page(job, _EXPORT_ROWS, costs.SECONDS, page.token)


def _json(answer: Any) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")
