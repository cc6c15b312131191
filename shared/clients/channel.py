"""gRPC channels of the running event loop: to an emulator, or to Google with default credentials.

Everything heavy is imported at the first call, so that a function listens before it pays for it, and
the channel is made after the server has forked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from shared.errors import Transient

T = TypeVar("T")

_OPEN_SECONDS = 10.0
_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A service that comes back is tried again soon, not after gRPC's own two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # Also how long one attempt to connect may take.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


async def open_channel(emulator: str, host: str, scopes: Sequence[str]) -> Any:
    """A ``grpc.aio`` channel to ``emulator`` (host:port, plain), or to Google's ``host`` if that is empty.

    Google's gets the default credentials by google-api-core, the base of all of Google's clients.
    """
    if emulator:
        import grpc.aio

        return grpc.aio.insecure_channel(emulator, options=_OPTIONS)
    # Finding credentials reads files and asks the metadata server: nobody else waits for that.
    credentials = await asyncio.to_thread(_default_credentials)
    from google.api_core import grpc_helpers_async

    return grpc_helpers_async.create_channel(
        f"{host}:443", credentials=credentials, default_scopes=scopes, default_host=host, options=_OPTIONS
    )


def _default_credentials() -> Any:
    import google.auth

    credentials, _ = google.auth.default()
    return credentials


class Opened(Generic[T]):
    """What is opened once for each event loop and endpoint, by one attempt that all callers wait for.

    ``open`` gets the emulator's address, empty for Google's own service.
    """

    def __init__(self, open: Callable[[str], Awaitable[T]]) -> None:
        self._open = open
        self._loop: asyncio.AbstractEventLoop | None = None
        self._emulator = ""
        self._attempt: asyncio.Future[T] | None = None

    async def get(self, emulator: str, within: float = _OPEN_SECONDS) -> T:
        """What is open, or will be within so many seconds; Transient if it cannot be opened."""
        loop = asyncio.get_running_loop()
        attempt = self._attempt
        if attempt is None or self._loop is not loop or self._emulator != emulator or _failed(attempt):
            attempt = asyncio.ensure_future(self._open(emulator))
            self._loop, self._emulator, self._attempt = loop, emulator, attempt
        elif attempt.done():
            return attempt.result()
        try:
            async with asyncio.timeout(within):
                # One caller that gives up must not end the attempt for the others.
                return await asyncio.shield(attempt)
        except Exception as error:  # no credentials, no metadata server: whatever it is, it may pass
            raise Transient(f"no connection: {error!r}") from error

    def forget(self, opened: T) -> None:
        """Open anew at the next need, unless that has happened already."""
        attempt = self._attempt
        if attempt is not None and attempt.done() and not _failed(attempt) and attempt.result() is opened:
            self._attempt = None

    async def take(self) -> T | None:
        """What the running loop has open, if anything, to be closed by the caller: it is forgotten here."""
        attempt, self._attempt = self._attempt, None
        if attempt is None or self._loop is not asyncio.get_running_loop() or _failed(attempt):
            return None
        return await attempt


def _failed(attempt: asyncio.Future[T]) -> bool:
    return attempt.done() and (attempt.cancelled() or attempt.exception() is not None)
