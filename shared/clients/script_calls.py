"""Calling scripts' functions over HTTP, asynchronously, over kept-open connections.

In the cloud every call carries an identity token of the metadata server for the function's URL, kept until
shortly before it ends; a function on this machine is called without one. ``httpx`` is imported at the first
call: some 50 ms of CPU, where aiohttp takes 140.
"""

from __future__ import annotations

import asyncio
import base64
import time
from typing import Any
from urllib.parse import urlsplit

import msgspec

from shared.errors import Rejected, Transient

_METADATA = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/identity"
_CONNECT_SECONDS = 10.0
_TOKEN_SECONDS = 5.0
# A token lives for an hour; it is not used in its last minutes.
_TOKEN_MARGIN_SECONDS = 300
_IDLE_SECONDS = 60.0
_MAX_CONNECTIONS = 100
# What Cloud Run takes and gives over HTTP/1.
MAX_BYTES = 32_000_000
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TRIES = 3
_PAUSE = 0.05


class TooSlow(Transient):
    """No answer in the time that the call had."""


class TooLarge(Rejected):
    """The call, or its answer, is larger than HTTP takes there."""


class Refused(Rejected):
    """The function says that this is no call (``script.refused``)."""


class Gone(Transient):
    """Nothing is served at the URL, or not for us: it was deployed anew, or is gone."""


class _Claims(msgspec.Struct):
    exp: int


class _Client:
    """Connections of one event loop, and the tokens of the functions that it calls."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._https: dict[bool, Any] = {}
        self._tokens: dict[str, asyncio.Task[tuple[str, float]]] = {}

    def http(self, url: str) -> Any:
        """The connections for a URL. Certificates are loaded where they are needed alone."""
        secure = url.startswith("https:")
        if secure not in self._https:
            import httpx

            self._https[secure] = httpx.AsyncClient(
                verify=secure,
                trust_env=False,
                limits=httpx.Limits(
                    max_connections=_MAX_CONNECTIONS,
                    max_keepalive_connections=_MAX_CONNECTIONS,
                    keepalive_expiry=_IDLE_SECONDS,
                ),
            )
        return self._https[secure]

    async def headers(self, url: str) -> dict[str, str]:
        """What a call of a function needs beside its body."""
        parts = urlsplit(url)
        if parts.hostname in _LOOPBACK:
            return {}
        audience = f"{parts.scheme}://{parts.netloc}"
        return {"Authorization": f"Bearer {await self._token(audience)}"}

    async def _token(self, audience: str) -> str:
        kept = self._tokens.get(audience)
        if kept is not None and kept.done():
            failed = kept.cancelled() or kept.exception() is not None
            if failed or kept.result()[1] - _TOKEN_MARGIN_SECONDS < time.time():
                kept = None
        if kept is None:
            kept = self._tokens[audience] = asyncio.ensure_future(self._fetch(audience))
        return (await asyncio.shield(kept))[0]

    async def _fetch(self, audience: str) -> tuple[str, float]:
        import httpx

        try:
            answer = await self.http(_METADATA).get(
                _METADATA,
                params={"audience": audience, "format": "full"},
                headers={"Metadata-Flavor": "Google"},
                timeout=_TOKEN_SECONDS,
            )
        except httpx.HTTPError as error:
            raise Transient(f"the metadata server gave no token: {error!r}") from error
        if answer.status_code != 200:
            raise Transient(f"the metadata server gave no token: {answer.status_code}")
        return answer.text, _expiry(answer.text)

    def forget_token(self, url: str) -> None:
        """Fetch one anew at the next call."""
        parts = urlsplit(url)
        self._tokens.pop(f"{parts.scheme}://{parts.netloc}", None)

    async def close(self) -> None:
        """Close all connections."""
        for client in self._https.values():
            await client.aclose()


def _expiry(token: str) -> float:
    """When a token ends, in epoch seconds; now, for one that does not say it."""
    try:
        payload = token.split(".")[1]
        padded = payload + "=" * (-len(payload) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Claims).exp
    except (IndexError, ValueError, msgspec.DecodeError):
        return 0.0


_client: _Client | None = None


def _connected() -> _Client:
    global _client
    if _client is None or _client.loop is not asyncio.get_running_loop():
        _client = _Client()
    return _client


async def close() -> None:
    """Close the connections of the running loop."""
    global _client
    client, _client = _client, None
    if client is not None and client.loop is asyncio.get_running_loop():
        await client.close()


async def call(url: str, body: bytes, within: float) -> bytes:
    """Post a call's JSON to a script's function; the JSON that it answers.

    A connection that breaks, a 429 and a 503 are tried again at once, as running a script changes nothing.
    TooSlow after ``within`` seconds, Transient where the same call may work later, Gone, TooLarge, Refused.
    """
    import httpx

    if len(body) > MAX_BYTES:
        raise TooLarge("script.tooLarge", f"the call has {len(body)} bytes; at most {MAX_BYTES}")
    client = _connected()
    tries = 0
    try:
        async with asyncio.timeout(within):
            while True:
                tries += 1
                try:
                    status, answer = await _post(client, url, body, within)
                    text = answer[:300].decode(errors="replace")
                    failure = f"{status}: {text}" if status != 200 else ""
                except httpx.TimeoutException as error:
                    raise TimeoutError(repr(error)) from error
                except httpx.RequestError as error:
                    failure, status = repr(error), 0
                if not failure:
                    return answer
                if status == 401:
                    client.forget_token(url)
                if tries >= _TRIES or status not in (0, 401, 429, 503):
                    raise _error(url, status, failure)
                await asyncio.sleep(_PAUSE * 4**tries)
    except TimeoutError:
        raise TooSlow(f"{url} did not answer within {within:g} s") from None


async def _post(client: _Client, url: str, body: bytes, within: float) -> tuple[int, bytes]:
    """Status and body of an answer; TooLarge for one without end, of which no more is read."""
    import httpx

    async with client.http(url).stream(
        "POST",
        url,
        content=body,
        headers={"Content-Type": "application/json", **await client.headers(url)},
        timeout=httpx.Timeout(within, connect=_CONNECT_SECONDS),
    ) as answer:
        parts: list[bytes] = []
        size = 0
        async for part in answer.aiter_bytes():
            size += len(part)
            if size > MAX_BYTES:
                raise TooLarge("script.tooLarge", f"{url} answers more than {MAX_BYTES} bytes")
            parts.append(part)
        return int(answer.status_code), b"".join(parts)


def _error(url: str, status: int, text: str) -> Transient | Rejected:
    if status == 413:
        return TooLarge("script.tooLarge", f"{url}: {text}")
    if status in (400, 422):
        return Refused("script.refused", f"{url}: {text}")
    if status in (401, 403, 404, 405):
        return Gone(f"{url}: {text}")
    return Transient(f"{url}: {text}")
