"""REST: jobs and rows. Parse and serialise only."""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from typing import Any

from aiohttp import web

from emulators.bigquery.engine import Engine
from emulators.bigquery.errors import ServiceError, duplicate, invalid, not_found, unsupported
from emulators.bigquery.jobs import Job, query_statistics
from emulators.bigquery.routing import PREFIX, add, body_of, not_implemented, number, page
from emulators.bigquery.streaming import InsertIds, insert_all, list_rows
from emulators.kit.faults import Faults
from shared import clock

_ROWS = "/datasets/{dataset}/tables/{table}"
_KEPT_REQUESTS = 1000
# What a query's configuration may hold here; the rest must be absent, empty or at its default.
_QUERY_KEYS = {
    *("query", "useLegacySql", "parameterMode", "queryParameters", "defaultDataset", "maximumBytesBilled"),
    *("useQueryCache", "priority", "labels", "dryRun"),
}
_REQUEST_KEYS = {
    *("kind", "requestId", "formatOptions", "timeoutMs", "maxResults", "location", "preserveNulls"),
    *("jobCreationMode", "jobTimeoutMs"),
}
_JOB_KEYS = {"query", "dryRun", "labels", "jobType", "jobTimeoutMs"}
_DEFAULTS = {
    "flattenResults": True,
    "createDisposition": "CREATE_IF_NEEDED",
    "writeDisposition": "WRITE_EMPTY",
}


class QueryRest:
    """The handlers of queries and rows."""

    def __init__(self, engine: Engine, faults: Faults) -> None:
        self._engine = engine
        self._faults = faults
        self._requests: OrderedDict[tuple[str, str], asyncio.Future[Job]] = OrderedDict()
        self._insert_ids = InsertIds()

    def add_routes(self, app: web.Application) -> None:
        """Add the routes, and the answer to all others last."""
        for verb, path, name, handler in (
            ("POST", "/queries", "jobs.query", self._query),
            ("GET", "/queries/{job}", "jobs.getQueryResults", self._results),
            ("POST", "/jobs", "jobs.insert", self._insert),
            ("GET", "/jobs", "jobs.list", self._list),
            ("GET", "/jobs/{job}", "jobs.get", self._get),
            ("POST", "/jobs/{job}/cancel", "jobs.cancel", self._cancel),
            ("POST", _ROWS + "/insertAll", "tabledata.insertAll", self._insert_rows),
            ("GET", _ROWS + "/data", "tabledata.list", self._list_rows),
        ):
            add(app, self._faults, verb, path, name, handler)
        app.router.add_route("*", PREFIX + "/{tail:.*}", not_implemented)

    async def _query(self, request: web.Request) -> dict[str, Any]:
        project, body = request.match_info["project"], await body_of(request)
        _only(body, _QUERY_KEYS | _REQUEST_KEYS)
        known = (project, body.get("requestId") or "")
        running = self._requests.get(known)
        if running is None:
            configuration = {
                "query": {key: body[key] for key in _QUERY_KEYS & body.keys() if key != "dryRun"}
            }
            running = asyncio.ensure_future(
                self._run(project, str(uuid.uuid4()), configuration, bool(body.get("dryRun")))
            )
            if known[1]:
                self._requests[known] = running
                while len(self._requests) > _KEPT_REQUESTS:
                    self._requests.popitem(last=False)
        # A caller that gives up must not end what its next try will ask for.
        job = await asyncio.shield(running)
        if job.error is not None:
            raise job.error
        return _page_of(job, request, body.get("maxResults"), bool(body.get("dryRun")))

    async def _insert(self, request: web.Request) -> dict[str, Any]:
        project, body = request.match_info["project"], await body_of(request)
        configuration = body.get("configuration") or {}
        for kind in ("load", "copy", "extract"):
            if configuration.get(kind):
                raise unsupported(f"A {kind} job")
        for key, value in configuration.items():
            if key not in _JOB_KEYS and value not in (None, "", [], {}, False):
                raise unsupported(f"Property {key!r} of a job's configuration")
        query = configuration.get("query")
        if not query:
            raise invalid("A job needs a query configuration")
        _only(query, _QUERY_KEYS)
        job_id = (body.get("jobReference") or {}).get("jobId") or str(uuid.uuid4())
        if self._engine.jobs.get(project, job_id) is not None:
            raise duplicate("Job", f"{project}:US.{job_id}")
        dry_run = bool(configuration.get("dryRun"))
        job = await self._run(project, job_id, configuration, dry_run)
        if dry_run and job.error is not None:
            raise job.error
        return job.resource()

    async def _run(self, project: str, job_id: str, configuration: dict[str, Any], dry_run: bool) -> Job:
        query = configuration["query"]
        if query.get("useLegacySql"):
            raise unsupported("Legacy SQL")
        if not isinstance(query.get("query"), str) or not query["query"].strip():
            raise ServiceError(400, "required", "Required parameter is missing: query")
        configuration = {
            "jobType": "QUERY",
            **configuration,
            "query": {"useLegacySql": False, "priority": "INTERACTIVE", **query},
        }
        job = Job(project, job_id, configuration, clock.now_ms(), 0)
        if not dry_run:
            self._engine.jobs.add(job)
        try:
            job.result = await self._engine.run_sql(project, query, query["query"], dry_run)
        except ServiceError as error:
            job.error = error
        job.ended_ms = clock.now_ms()
        self._engine.jobs.finished(job)
        return job

    def _job(self, request: web.Request) -> Job:
        project, name = request.match_info["project"], request.match_info["job"]
        job = self._engine.jobs.get(project, name)
        if job is None:
            raise not_found("Job", f"{project}:US.{name}")
        return job

    async def _results(self, request: web.Request) -> dict[str, Any]:
        job = self._job(request)
        if not job.ended_ms:
            return {
                "kind": "bigquery#getQueryResultsResponse",
                "jobReference": job.reference(),
                "jobComplete": False,
            }
        if job.error is not None:
            raise job.error
        return _page_of(job, request, number(request, "maxResults"), False)

    async def _get(self, request: web.Request) -> dict[str, Any]:
        return self._job(request).resource()

    async def _list(self, request: web.Request) -> dict[str, Any]:
        part, token = page(
            [job.resource() for job in self._engine.jobs.of(request.match_info["project"])], request
        )
        return {"jobs": part, **({"nextPageToken": token} if token else {})}

    async def _cancel(self, request: web.Request) -> dict[str, Any]:
        return {"kind": "bigquery#jobCancelResponse", "job": self._job(request).resource()}

    async def _insert_rows(self, request: web.Request) -> dict[str, Any]:
        info, body = request.match_info, await body_of(request)
        table = self._engine.catalog.table(info["project"], info["dataset"], info["table"])
        errors = insert_all(self._engine.store, self._insert_ids, table, body, clock.now_ns() // 1000)
        await self._engine.store.relieve()
        answer: dict[str, Any] = {"kind": "bigquery#tableDataInsertAllResponse"}
        if errors:
            answer["insertErrors"] = errors
        return answer

    async def _list_rows(self, request: web.Request) -> dict[str, Any]:
        info = request.match_info
        table = self._engine.catalog.table(info["project"], info["dataset"], info["table"])
        start = number(request, "pageToken")
        if start is None:
            start = number(request, "startIndex", 0) or 0
        selected = request.query.get("selectedFields")
        size = number(request, "maxResults", 10_000) or 10_000
        rows, total = await list_rows(
            self._engine.store, table, start, size, selected.split(",") if selected else None
        )
        answer: dict[str, Any] = {"kind": "bigquery#tableDataList", "totalRows": str(total), "rows": rows}
        if start + len(rows) < total:
            answer["pageToken"] = str(start + len(rows))
        return answer


def _only(query: dict[str, Any], keys: set[str]) -> None:
    for key, value in query.items():
        if key not in keys and value not in (None, "", [], {}, False) and _DEFAULTS.get(key) != value:
            raise unsupported(f"Property {key!r} of a query")


def _page_of(job: Job, request: web.Request, size: int | None, dry_run: bool) -> dict[str, Any]:
    result = job.result
    if result is None:
        raise ServiceError(500, "internalError", "A finished job has no result")
    if job.forgotten:
        raise not_found("Result of job", f"{job.project}:US.{job.id} (newer results took its place)")
    start = number(request, "startIndex", 0) or 0
    start = number(request, "pageToken", start) or start
    end = len(result.rows) if size is None else start + int(size)
    body: dict[str, Any] = {
        "kind": "bigquery#queryResponse",
        "jobReference": job.reference(),
        "jobComplete": True,
        "schema": {"fields": result.schema},
        "totalRows": str(len(result.rows)),
        "rows": result.rows[start:end],
        "totalBytesProcessed": str(result.bytes_processed),
        "cacheHit": False,
    }
    if dry_run:
        body.pop("rows")
        body["statistics"] = query_statistics(result)
    if end < len(result.rows):
        body["pageToken"] = str(end)
    if result.affected is not None:
        body["numDmlAffectedRows"] = str(result.affected)
        body["dmlStats"] = result.dml_stats
    return body
