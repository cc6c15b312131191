"""The action ``queryUrl``: a request to a user's URL."""

from __future__ import annotations

import msgspec

from functions.scheduler.actions import QueryUrl
from shared.clients import outside
from shared.errors import Rejected, Transient
from shared.url_rules import Network

# After so many tries nobody waits any longer; Cloud Tasks waits 10, 20 s... between them.
MAX_TRIES = 4
# Answers after which the same request may work later.
_LATER = frozenset({408, 425, 429})


async def call(action: QueryUrl, firing: str, due: int, networks: tuple[Network, ...], tries: int) -> None:
    """Send the request. Transient: it is to be tried again; Rejected (``timer.url``): never, or no more."""
    try:
        await _send(action, firing, due, networks)
    except Transient as error:
        if tries + 1 < MAX_TRIES:
            raise
        raise Rejected("timer.url", f"tried {MAX_TRIES} times; {error}") from error


async def _send(action: QueryUrl, firing: str, due: int, networks: tuple[Network, ...]) -> None:
    body = action.body
    headers = {"User-Agent": "Fulcrum", **action.header}
    # Whoever is called may tell by it that a request is a repeat.
    headers |= {"Idempotency-Key": firing, "X-Fulcrum-Due": str(due)}
    data: bytes | None = None
    if isinstance(body, str):
        data = body.encode()
    elif body is not None:
        data = msgspec.json.encode(body)
        if not any(key.lower() == "content-type" for key in headers):
            headers["Content-Type"] = "application/json"
    answer = await outside.request(action.method, action.url, headers, data, allowed=networks)
    if answer.status >= 500 or answer.status in _LATER:
        raise Transient(f"the URL answered {answer.status}")
    if answer.status >= 400:
        raise Rejected("timer.url", f"the URL answered {answer.status}")
