"""gRPC channels of the running event loop: to an emulator, or to Google with default credentials.

Everything heavy is imported at the first call, so that a function listens before it pays for it, and
the channel is made after the server has forked.
"""

from __future__ import annotations

import asyncio
from typing import Any

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# A service that comes back is tried again at once rather than after gRPC's own two minutes.
_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    # Also how long one attempt to connect may take.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.max_receive_message_length", 24 * 1024 * 1024),
    ("grpc.max_send_message_length", 24 * 1024 * 1024),
)


async def open_channel(emulator: str, host: str) -> Any:
    """A ``grpc.aio`` channel to ``emulator`` (host:port, insecure), or to ``host`` if that is empty."""
    if emulator:
        import grpc.aio

        return grpc.aio.insecure_channel(emulator, options=_OPTIONS)
    import google.auth
    from google.api_core import grpc_helpers_async

    # Finding credentials may ask the metadata server, which blocks.
    credentials, _ = await asyncio.to_thread(google.auth.default, scopes=[_SCOPE])
    return grpc_helpers_async.create_channel(host, credentials=credentials, options=_OPTIONS)
