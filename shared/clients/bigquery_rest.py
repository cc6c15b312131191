"""One call of BigQuery's REST API: in a thread, with a few quick retries; what its errors mean."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import msgspec

from shared.config import settings
from shared.errors import Rejected, Transient

_HOST = "https://bigquery.googleapis.com"
_SCOPES = ("https://www.googleapis.com/auth/bigquery",)
_THREADS = 16
_CONNECT_SECONDS = 5.0
# How much longer than BigQuery may wait for a job its answer may take.
_GRACE_SECONDS = 10.0
_PAUSES = (0.1, 0.4, 1.0)
# Reasons that say: the same call may work later. Access is the deployment's fault, never the caller's.
_RETRYABLE = frozenset(
    {
        *("backendError", "internalError", "rateLimitExceeded", "quotaExceeded", "jobBackendError"),
        *("jobInternalError", "jobRateLimitExceeded", "tableUnavailable", "blocked"),
        *("accessDenied", "billingNotEnabled", "billingTierLimitExceeded"),
    }
)
# Those of them that a try within the same second may mend.
_QUICK = frozenset({"backendError", "internalError", "jobBackendError", "jobInternalError"})
# What a job is ended with that ran longer than it may.
_ENDED = frozenset({"stopped", "timeout"})


class TooSlow(Transient):
    """A query did not end in the time that it was given; it was cancelled."""


class Fault(msgspec.Struct):
    """One error as BigQuery names it."""

    reason: str = ""
    message: str = ""


class _ErrorBody(msgspec.Struct):
    message: str = ""
    errors: list[Fault] = []


class _Error(msgspec.Struct):
    error: _ErrorBody


class Failed(Exception):
    """An answer that is an error. ``reason`` is BigQuery's."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


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


async def call(
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
        except Failed as error:
            if error.reason not in _QUICK or not pause:
                raise error_of(error) from error
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
        raise Failed("backendError", f"no answer: {error!r}") from error
    except Exception as error:
        # Credentials that cannot be had: of another library, and of many kinds.
        if type(error).__module__.startswith("google.auth"):
            raise Failed("accessDenied", repr(error)) from error
        raise
    if answer.status_code >= 400:
        raise failed_with(answer.status_code, answer.content)
    content: bytes = answer.content
    return content


def failed_with(status: int, content: bytes) -> Failed:
    """The error that an answer is."""
    try:
        body = msgspec.json.decode(content, type=_Error).error
    except msgspec.DecodeError:
        body = _ErrorBody(content[:200].decode(errors="replace"))
    reason = body.errors[0].reason if body.errors else ""
    if status >= 500 and reason not in _RETRYABLE:
        reason = "backendError"
    return Failed(reason or f"status{status}", body.message)


def error_of(failed: Failed) -> Rejected | Transient:
    """What an error means: Rejected ``bigquery.<reason>``, or Transient where the call may work later."""
    if failed.reason in _ENDED:
        return TooSlow(f"BigQuery: {failed}")
    if failed.reason in _RETRYABLE:
        return Transient(f"BigQuery: {failed}")
    return Rejected(f"bigquery.{failed.reason}", failed.message)
