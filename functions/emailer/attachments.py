"""The files of a mail, fetched where it says a URL: never more of them than a mail may hold."""

from __future__ import annotations

import asyncio
import base64
import mimetypes
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from functions.emailer.mails import Attachment, content
from shared import url_rules
from shared.clients import outside
from shared.config import settings
from shared.errors import Rejected, Transient
from shared.loops import PerLoop
from shared.sending import Busy

MAX_FILE_BYTES = 5_000_000
# In base64 as JSON, encoded, they stand three times in memory.
MAX_BYTES = 10_000_000
# All of a mail together: a mail that is claimed has a minute.
SECONDS = 20.0
_FILE_SECONDS = 10.0
# Mails of one instance whose files are in memory at a time.
_AT_ONCE = 3
TURN_SECONDS = 5.0
_UNKNOWN = "application/octet-stream"
# Whoever answers so may answer otherwise later.
_LATER = frozenset({408, 425, 429})
_turns = PerLoop(lambda: asyncio.Semaphore(_AT_ONCE))


class File(NamedTuple):
    """A file as it goes out: ``data`` in base64."""

    name: str
    content_type: str
    data: str


def is_full() -> bool:
    """Whether as many mails with files are under way as may be."""
    return _turns().locked()


@asynccontextmanager
async def turn() -> AsyncIterator[None]:
    """To be held as long as a mail's files are in memory. Busy where others hold it too long."""
    turns = _turns()
    try:
        async with asyncio.timeout(TURN_SECONDS):
            await turns.acquire()
    except TimeoutError:
        raise Busy("email.attachments", "many mails with attachments are under way") from None
    try:
        yield
    finally:
        turns.release()


async def gather(given: Sequence[Attachment]) -> list[File]:
    """The files of a mail. Rejected (``email.attachments``, ``url.*``) for one that cannot go with it, Busy
    where it may be there later."""
    found: list[File] = []
    left = MAX_BYTES
    try:
        async with asyncio.timeout(SECONDS):
            for place, each in enumerate(given):
                data, said = await _data(place, each, min(left, MAX_FILE_BYTES))
                left -= len(data)
                kind = _content_type(each, said)
                found.append(File(each.filename, kind, base64.b64encode(data).decode()))
    except TimeoutError:
        raise Busy("email.attachments", f"the attachments were not there within {SECONDS:g} s") from None
    return found


async def _data(place: int, each: Attachment, most: int) -> tuple[bytes, str]:
    """The bytes of a file, and the content type that its server says."""
    data, said = content(each), ""
    if data is None:
        data, said = await _fetched(place, each.url or "", most)
    if len(data) > most:
        raise _refused(place, f"is too large: a file has {MAX_FILE_BYTES} bytes at most, a mail {MAX_BYTES}")
    if not data:
        raise _refused(place, "is empty")
    if each.known_length not in (None, len(data)):
        raise _refused(place, f"has {len(data)} bytes, and a knownLength of {each.known_length}")
    return data, said


async def _fetched(place: int, url: str, most: int) -> tuple[bytes, str]:
    allowed = url_rules.networks(settings().text("URL_NETWORKS", ""))
    headers = {"Accept-Encoding": "identity", "User-Agent": "Fulcrum"}
    try:
        answer = await outside.request(
            "GET", url, headers, allowed=allowed, seconds=_FILE_SECONDS, most=most + 1
        )
    except Transient as error:
        raise Busy("email.attachments", f"attachments[{place}]: {error}") from error
    if answer.status in _LATER or answer.status >= 500:
        raise Busy("email.attachments", f"attachments[{place}]: its URL answers {answer.status}")
    if answer.status != 200:
        raise _refused(place, f"is not there: its URL answers {answer.status}")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise _refused(place, "comes packed, though nobody has asked for that")
    _check_whole(place, answer.headers, answer.body, most)
    return answer.body, answer.headers.get("content-type", "")


def _check_whole(place: int, headers: Mapping[str, str], body: bytes, most: int) -> None:
    said = headers.get("content-length", "")
    if said.isdigit() and int(said) > len(body) and len(body) <= most:
        raise Busy("email.attachments", f"attachments[{place}]: {len(body)} of {said} bytes came")


def _content_type(each: Attachment, said: str) -> str:
    """The type alone: what stands behind a semicolon a provider refuses."""
    guessed, _ = mimetypes.guess_type(each.filename)
    chosen = each.content_type or guessed or said or _UNKNOWN
    kind = chosen.partition(";")[0].strip()
    return kind if kind.isascii() and kind.isprintable() and "/" in kind else _UNKNOWN


def _refused(place: int, why: str) -> Rejected:
    return Rejected("email.attachments", f"attachments[{place}] {why}")
