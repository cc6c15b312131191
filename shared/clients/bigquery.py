"""Queries of BigQuery over its REST API: jobs with named parameters, a limit of bytes, and results by pages.

Google's own client would load a second time what ``requests`` and google-auth, which gRPC's credentials need
anyway, do in two calls; see the README beside this file. Calls run in threads of their own, so that no event
loop waits for them. ``BIGQUERY_EMULATOR_HOST`` (with the scheme) is honoured as Google's client does.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from shared.clients import bigquery_rest as rest
from shared.clients.bigquery_rest import TooSlow
from shared.config import settings
from shared.errors import Rejected, Transient

__all__ = ["Job", "Page", "Parameter", "TooSlow", "change", "estimate", "page", "pages", "start"]

# (name, GoogleSQL type or ARRAY<type>, value); a TIMESTAMP is in epoch ms.
Parameter = tuple[str, str, Any]

# How long one call may wait for a job.
_POLL_SECONDS = 10.0
# A statement that changes rows reads what it must: nobody asked for less.
_ANY_BYTES = 2**62
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Job(msgspec.Struct, frozen=True, rename="camel"):
    """A query that was started: its id, and where it runs."""

    # A dry run has none.
    job_id: str = ""
    location: str = ""


class Page(msgspec.Struct, frozen=True):
    """Some rows of a result, each a list of cells as text; ``token`` leads to the next, empty for none."""

    rows: list[list[str | None]]
    token: str
    total: int


class _Cell(msgspec.Struct):
    v: str | None = None


class _Row(msgspec.Struct):
    f: list[_Cell] = []


class _Results(msgspec.Struct, rename="camel"):
    job_complete: bool
    rows: list[_Row] = []
    page_token: str = ""
    total_rows: str = "0"
    # Of one statement that changes rows; a script has none.
    num_dml_affected_rows: str = "0"


class _Status(msgspec.Struct, rename="camel"):
    error_result: rest.Fault | None = None


class _Statistics(msgspec.Struct, rename="camel"):
    total_bytes_processed: str = "0"


class _Inserted(msgspec.Struct, rename="camel"):
    job_reference: Job
    status: _Status = msgspec.field(default_factory=_Status)
    statistics: _Statistics = msgspec.field(default_factory=_Statistics)


async def estimate(sql: str, parameters: Sequence[Parameter]) -> int:
    """How many bytes a query would read, by a dry run, which costs nothing."""
    body = _job(sql, parameters)
    body["configuration"]["dryRun"] = True
    answer = await rest.call("POST", "/jobs", body=body)
    return int(msgspec.json.decode(answer, type=_Inserted).statistics.total_bytes_processed)


async def start(sql: str, parameters: Sequence[Parameter], job_id: str, max_bytes: int, within: float) -> Job:
    """Start a query; the same id again is the same job, so that a repeated call starts nothing new.

    ``within``: seconds after which BigQuery ends it. Rejected ``bigquery.<reason>`` for what can never be
    carried out, ``bigquery.bytesBilledLimitExceeded`` for what would read more than ``max_bytes``; Transient
    else.
    """
    body = _job(sql, parameters)
    body["configuration"]["query"]["maximumBytesBilled"] = str(max_bytes)
    body["configuration"]["jobTimeoutMs"] = str(int(within * 1000))
    body["jobReference"] = {"projectId": settings().cloud_project, "jobId": job_id}
    try:
        answer = msgspec.json.decode(await rest.call("POST", "/jobs", body=body), type=_Inserted)
    except Rejected as error:
        if error.error_type != "bigquery.duplicate":
            raise
        given = _location_in(error.message, job_id)
        answer = msgspec.json.decode(await rest.call("GET", f"/jobs/{quote(job_id)}", given), type=_Inserted)
    if (fault := answer.status.error_result) is not None:
        raise rest.error_of(rest.Failed(fault.reason, fault.message))
    return answer.job_reference


def _location_in(message: str, job_id: str) -> dict[str, str]:
    """Where a job runs, as the error says that names it: ``Already Exists: Job project:EU.job_id``.

    Outside of the US a job is not found without it.
    """
    found = re.search(rf":([A-Za-z0-9-]+)\.{re.escape(job_id)}", message)
    return {"location": found[1]} if found else {}


async def change(sql: str, parameters: Sequence[Parameter], job_id: str, within: float) -> int:
    """Run a statement that changes rows, or a transaction of several, to its end; how many rows it changed.

    0 for a transaction, which does not say. Errors as of :func:`start` and :func:`page`: after TooSlow or
    Transient it may have been done, so a caller's statements must be ones that can be repeated.
    """
    job = await start(sql, parameters, job_id, _ANY_BYTES, within)
    given = {"location": job.location} if job.location else {}
    deadline = time.monotonic() + within
    while (left := deadline - time.monotonic()) > 0:
        wait = min(left, _POLL_SECONDS)
        given |= {"maxResults": "0", "timeoutMs": str(max(1, int(wait * 1000)))}
        answer = await rest.call("GET", f"/queries/{quote(job.job_id)}", given, patience=wait)
        results = msgspec.json.decode(answer, type=_Results)
        if results.job_complete:
            return int(results.num_dml_affected_rows)
    await _cancel(job)
    raise TooSlow(f"a statement took longer than {within:g} s")


async def page(job: Job, size: int, within: float, token: str = "", first: int = 0) -> Page:
    """A page of a job's result, once it is done; TooSlow, and the job cancelled, if that takes too long.

    ``token`` is the page before's; without one the page begins at row ``first``.
    """
    given: dict[str, str] = {"maxResults": str(size)}
    if job.location:
        given["location"] = job.location
    if token:
        given["pageToken"] = token
    elif first:
        given["startIndex"] = str(first)
    deadline = time.monotonic() + within
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            await _cancel(job)
            raise TooSlow(f"a query took longer than {within:g} s")
        wait = min(left, _POLL_SECONDS)
        given["timeoutMs"] = str(max(1, int(wait * 1000)))
        answer = await rest.call("GET", f"/queries/{quote(job.job_id)}", given, patience=wait)
        results = await asyncio.to_thread(msgspec.json.decode, answer, type=_Results)
        if results.job_complete:
            rows = [[cell.v for cell in row.f] for row in results.rows]
            return Page(rows, results.page_token, int(results.total_rows))


async def pages(job: Job, size: int, within: float) -> AsyncIterator[Page]:
    """All pages of a job's result, one in memory at a time; ``within`` is each one's time."""
    token = ""
    while True:
        one = await page(job, size, within, token)
        yield one
        if not one.token:
            return
        token = one.token


async def _cancel(job: Job) -> None:
    try:
        given = {"location": job.location} if job.location else {}
        await rest.call("POST", f"/jobs/{quote(job.job_id)}/cancel", given)
    except (Rejected, Transient):
        # It ends by its own timeout then.
        return


def _job(sql: str, parameters: Sequence[Parameter]) -> dict[str, Any]:
    return {
        "configuration": {
            "query": {
                "query": sql,
                "useLegacySql": False,
                "parameterMode": "NAMED",
                "queryParameters": [_parameter(*one) for one in parameters],
            }
        }
    }


def _parameter(name: str, kind: str, value: Any) -> dict[str, Any]:
    if not kind.startswith("ARRAY<"):
        return {
            "name": name,
            "parameterType": {"type": kind},
            "parameterValue": {"value": _text(kind, value)},
        }
    inner = kind[len("ARRAY<") : -1]
    return {
        "name": name,
        "parameterType": {"type": "ARRAY", "arrayType": {"type": inner}},
        "parameterValue": {"arrayValues": [{"value": _text(inner, item)} for item in value]},
    }


def _text(kind: str, value: Any) -> str:
    if kind == "TIMESTAMP":
        return (_EPOCH + timedelta(milliseconds=value)).isoformat()
    if kind == "BOOL":
        return "true" if value else "false"
    return repr(value) if kind == "FLOAT64" else str(value)
