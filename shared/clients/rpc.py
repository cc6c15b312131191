"""What the gRPC clients have in common: how a channel is opened, and errors in Fulcrum's own terms.

Nothing of grpc or google is imported before the first call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.errors import FulcrumError, Rejected, Transient

# Codes that say: the same call may work later. PERMISSION_DENIED and UNAUTHENTICATED are the deployment's
# fault, never the event's; setting events aside for them would empty a topic into quarantine.
RETRYABLE = frozenset(
    {
        "CANCELLED",
        "UNKNOWN",
        "DEADLINE_EXCEEDED",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "ABORTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    }
)
# The same as numbers, as they stand in the ``status`` of one write of a batch.
RETRYABLE_NUMBERS = frozenset({1, 2, 4, 7, 8, 10, 13, 14, 15, 16})

_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A service that comes back is tried again soon, not after gRPC's own two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # Also how long one attempt to connect may take.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


def open_channel(emulator: str, host: str, scopes: Sequence[str]) -> Any:
    """A ``grpc.aio`` channel on the running loop: to an emulator (host:port, plain) or to Google.

    Google's gets the default credentials by google-api-core, the base of all of Google's clients; finding
    them asks the metadata server once, at the first call of a cold start.
    """
    if emulator:
        import grpc.aio

        return grpc.aio.insecure_channel(emulator, options=_OPTIONS)
    from google.api_core import grpc_helpers_async

    return grpc_helpers_async.create_channel(
        f"{host}:443", default_scopes=scopes, default_host=host, options=_OPTIONS
    )


def failure(error: Any, what: str, error_type: str) -> FulcrumError:
    """A ``grpc.aio.AioRpcError`` as Transient, or as Rejected of type ``error_type``."""
    name: str = error.code().name
    text = f"{what}: {name}: {error.details()}"
    return Transient(text) if name in RETRYABLE else Rejected(error_type, text)
