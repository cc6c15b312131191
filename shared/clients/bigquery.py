"""Queries of BigQuery over its REST API: jobs with named parameters, a limit of bytes, and results by pages.

Google's own client would load a second time what ``requests`` and google-auth, which gRPC's credentials need
anyway, do in two calls; see the README beside this file. Calls run in threads of their own, so that no event
loop waits for them. ``BIGQUERY_EMULATOR_HOST`` (with the scheme) is honoured as Google's client does.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote

import msgspec

from shared.config import settings
from shared.errors import Rejected, Transient

# (name, GoogleSQL type or ARRAY<type>, value); a TIMESTAMP is in epoch ms.
Parameter = tuple[str, str, Any]

_HOST = "https://bigquery.googleapis.com"
_SCOPES = ("https://www.googleapis.com/auth/bigquery",)
_THREADS = 16
_CONNECT_SECONDS = 5.0
# How long one call may wait for a job, and how much longer for its answer.
_POLL_SECONDS = 10.0
_GRACE_SECONDS = 10.0
_PAUSES = (0.1, 0.4, 1.0)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Reasons that say: the same call may work later. Access is the deployment's fault, never the caller's.
_RETRYABLE = frozenset(
    {
        *("backendError", "internalError", "rateLimitExceeded", "quotaExceeded", "jobBackendError"),
        *(
            "jobInternalError",
            "jobRateLimitExceeded",
            "tableUnavailable",
            "accessDenied",
            "billingNotEnabled",
        ),
        *("blocked", "billingTierLimitExceeded"),
    }
)
# Those of them that a try within the same second may mend.
_QUICK = frozenset({"backendError", "internalError", "jobBackendError", "jobInternalError"})


class TooSlow(Transient):
    """A query did not end in the time that it was given; it was cancelled."""


class Job(msgspec.Struct, frozen=True, rename="camel"):
    """A query that was started: its id, and where it runs."""

    job_id: str
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


class _Fault(msgspec.Struct):
    reason: str = ""
    message: str = ""


class _ErrorBody(msgspec.Struct):
    message: str = ""
    errors: list[_Fault] = []


class _Error(msgspec.Struct):
    error: _ErrorBody


class _Status(msgspec.Struct, rename="camel"):
    error_result: _Fault | None = None


class _Statistics(msgspec.Struct, rename="camel"):
    total_bytes_processed: str = "0"


class _Inserted(msgspec.Struct, rename="camel"):
    job_reference: Job
    status: _Status = msgspec.field(default_factory=_Status)
    statistics: _Statistics = msgspec.field(default_factory=_Statistics)


class _Failed(Exception):
    """An answer that is an error. ``reason`` is BigQuery's."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


async def estimate(sql: str, parameters: Sequence[Parameter]) -> int:
    """How many bytes a query would read, by a dry run, which costs nothing."""
    body = _job(sql, parameters)
    body["configuration"]["dryRun"] = True
    answer = await _call("POST", "/jobs", body=body)
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
        answer = msgspec.json.decode(await _call("POST", "/jobs", body=body), type=_Inserted)
    except Rejected as error:
        if error.error_type != "bigquery.duplicate":
            raise
        answer = msgspec.json.decode(await _call("GET", f"/jobs/{quote(job_id)}"), type=_Inserted)
    if (fault := answer.status.error_result) is not None:
        raise _error(_Failed(fault.reason, fault.message))
    return answer.job_reference


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
        answer = await _call("GET", f"/queries/{quote(job.job_id)}", given, patience=wait)
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
        await _call("POST", f"/jobs/{quote(job.job_id)}/cancel", given)
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


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="bigquery")


_local = threading.local()


def _session() -> Any:
    """A session of this thread: they are not made for several at once."""
    emulator = settings().bigquery_emulator
    if getattr(_local, "emulator", None) != emulator:
        import requests

        if emulator:
            _local.session = requests.Session()
            # A company's proxy has no business between processes of one machine.
            _local.session.trust_env = False
        else:
            from google.auth.transport.requests import AuthorizedSession

            _local.session = AuthorizedSession(_credentials())
        _local.emulator = emulator
    return _local.session


@cache
def _credentials() -> Any:
    import google.auth

    credentials, _ = google.auth.default(scopes=_SCOPES)
    return credentials


async def _call(
    method: str,
    path: str,
    given: dict[str, str] | None = None,
    body: dict[str, Any] | None = None,
    patience: float = 0.0,
) -> bytes:
    """One call, tried again where that may help at once. All calls may be repeated."""
    loop = asyncio.get_running_loop()
    for pause in (*_PAUSES, 0.0):
        try:
            return await loop.run_in_executor(_threads(), _request, method, path, given, body, patience)
        except _Failed as error:
            if error.reason not in _QUICK or not pause:
                raise _error(error) from error
        await asyncio.sleep(pause * random.uniform(0.5, 1.5))
    raise Transient(f"BigQuery: {method} {path} was not answered")


def _request(
    method: str, path: str, given: dict[str, str] | None, body: dict[str, Any] | None, patience: float
) -> bytes:
    import requests

    config = settings()
    url = f"{config.bigquery_emulator or _HOST}/bigquery/v2/projects/{config.cloud_project}{path}"
    try:
        answer = _session().request(
            method,
            url,
            params=given,
            data=None if body is None else msgspec.json.encode(body),
            headers={"Content-Type": "application/json"},
            timeout=(_CONNECT_SECONDS, patience + _GRACE_SECONDS),
        )
    except requests.RequestException as error:
        raise _Failed("backendError", f"no answer: {error!r}") from error
    except Exception as error:
        # Credentials that cannot be had: of another library, and of many kinds.
        if type(error).__module__.startswith("google.auth"):
            raise _Failed("accessDenied", repr(error)) from error
        raise
    if answer.status_code >= 400:
        raise _failed(answer.status_code, answer.content)
    content: bytes = answer.content
    return content


def _failed(status: int, content: bytes) -> _Failed:
    try:
        body = msgspec.json.decode(content, type=_Error).error
    except msgspec.DecodeError:
        body = _ErrorBody(content[:200].decode(errors="replace"))
    reason = body.errors[0].reason if body.errors else ""
    if status >= 500 and reason not in _RETRYABLE:
        reason = "backendError"
    return _Failed(reason or f"status{status}", body.message)


def _error(failed: _Failed) -> Rejected | Transient:
    if failed.reason in _RETRYABLE:
        return Transient(f"BigQuery: {failed}")
    return Rejected(f"bigquery.{failed.reason}", failed.message)
