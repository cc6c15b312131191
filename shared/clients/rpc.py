"""What an error of gRPC means, in Fulcrum's own terms."""

from __future__ import annotations

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


def failure(error: Any, what: str, error_type: str) -> FulcrumError:
    """A ``grpc.aio.AioRpcError`` as Transient, or as Rejected of type ``error_type``."""
    name: str = error.code().name
    text = f"{what}: {name}: {error.details()}"
    return Transient(text) if name in RETRYABLE else Rejected(error_type, text)
