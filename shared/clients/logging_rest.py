"""Reading Cloud Logging over its REST API: ``entries:list``, with filters whose texts are quoted safely.

https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list. ``FULCRUM_LOGGING_ENDPOINT`` (with
the scheme) names another server than Google's; there no credentials are sent. Calls run in threads of their
own. A project of Google's has 60 of these calls a minute: whoever reads asks for much at once.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec

from shared.config import settings
from shared.errors import Rejected, Transient

_HOST = "https://logging.googleapis.com"
_SCOPES = ("https://www.googleapis.com/auth/logging.read",)
_THREADS = 4
_TIMEOUT = (5.0, 20.0)
_PAGE_ENTRIES = 200
# What a filter may have; Google's limit is 20,000 characters.
MAX_FILTER = 18_000
# Those tell that a later try may help; so does every 5xx.
_RETRYABLE = frozenset({408, 429})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Entry(msgspec.Struct, frozen=True):
    """A structured line of a service: when it was written (epoch µs), and what it says."""

    time_us: int
    severity: str
    payload: dict[str, Any]


class _Listed(msgspec.Struct, rename="camel"):
    timestamp: datetime
    severity: str = "DEFAULT"
    json_payload: dict[str, Any] = {}


class _Answer(msgspec.Struct, rename="camel"):
    entries: list[_Listed] = []
    next_page_token: str = ""


class _ErrorBody(msgspec.Struct):
    message: str = ""
    status: str = ""


class _Error(msgspec.Struct):
    error: _ErrorBody


def quoted(text: str) -> str:
    """A text as a filter has it. Rejected ``logging.text`` for one that no filter can hold."""
    if not text.isprintable():
        raise Rejected("logging.text", "a text with control characters cannot be looked for in logs")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def one_of(field: str, texts: Iterable[str]) -> str:
    """The filter that a field, or an element of it, is one of some texts, whatever their case.

    ``field`` is our own text.
    """
    return f"{field}=({' OR '.join(map(quoted, texts))})"


async def entries(condition: str, since_ms: int, until_ms: int, limit: int) -> list[Entry]:
    """At most ``limit`` lines of the platform's functions that meet a condition, the oldest first.

    Transient where the log may answer later; Rejected ``logging.<status>`` where it will not, such as
    ``logging.PERMISSION_DENIED``.
    """
    window = f'timestamp>="{_rfc3339(since_ms)}" AND timestamp<="{_rfc3339(until_ms)}"'
    text = f'resource.type="cloud_run_revision" AND {window} AND ({condition})'
    if len(text) > MAX_FILTER:
        raise Rejected("logging.tooLong", f"the filter has {len(text)} characters")
    body = {
        "resourceNames": [f"projects/{settings().cloud_project}"],
        "filter": text,
        "orderBy": "timestamp asc",
        "pageSize": min(limit, _PAGE_ENTRIES),
    }
    found: list[Entry] = []
    while True:
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(_threads(), _request, msgspec.json.encode(body))
        found += [
            Entry((one.timestamp - _EPOCH) // timedelta(microseconds=1), one.severity, one.json_payload)
            for one in answer.entries
        ]
        if not answer.next_page_token or len(found) >= limit:
            return found[:limit]
        body["pageToken"] = answer.next_page_token


def _rfc3339(ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="logging")


_local = threading.local()


def _session() -> Any:
    """A session of this thread: they are not made for several at once."""
    endpoint = settings().logging_endpoint
    if getattr(_local, "endpoint", None) != endpoint:
        import requests

        if endpoint:
            _local.session = requests.Session()
            # A company's proxy has no business between processes of one machine.
            _local.session.trust_env = False
        else:
            from google.auth.transport.requests import AuthorizedSession

            _local.session = AuthorizedSession(_credentials())
        _local.endpoint = endpoint
    return _local.session


@cache
def _credentials() -> Any:
    import google.auth

    credentials, _ = google.auth.default(scopes=_SCOPES)
    return credentials


def _request(body: bytes) -> _Answer:
    import requests

    url = f"{settings().logging_endpoint or _HOST}/v2/entries:list"
    try:
        answer = _session().post(
            url, data=body, headers={"Content-Type": "application/json"}, timeout=_TIMEOUT
        )
    except requests.RequestException as error:
        raise Transient(f"Cloud Logging: no answer: {error!r}") from error
    except Exception as error:
        # Credentials that cannot be had: of another library, and of many kinds.
        if type(error).__module__.startswith("google.auth"):
            raise Rejected("logging.UNAUTHENTICATED", repr(error)) from error
        raise
    if answer.status_code >= 400:
        raise _error_of(answer.status_code, answer.content)
    try:
        return msgspec.json.decode(answer.content, type=_Answer)
    except msgspec.DecodeError as error:
        raise Transient(f"Cloud Logging: an answer that cannot be read: {error}") from error


def _error_of(status: int, content: bytes) -> Rejected | Transient:
    try:
        body = msgspec.json.decode(content, type=_Error).error
    except msgspec.DecodeError:
        body = _ErrorBody(content[:200].decode(errors="replace"))
    if status >= 500 or status in _RETRYABLE:
        return Transient(f"Cloud Logging: {body.status or status}: {body.message}")
    return Rejected(f"logging.{body.status or f'status{status}'}", body.message)
