"""Every error that Fulcrum raises on purpose.

FulcrumError
├── Rejected     permanent: the message is set aside in quarantine, the rest of its batch goes on
├── Transient    temporary: raised for the whole batch, so that Pub/Sub delivers it again
└── ApiError     an answer to a caller: status, code, message and what to do about it
"""

from __future__ import annotations

from typing import Any

from fulcrum.core.errors import FulcrumError, Rejected

__all__ = ["ApiError", "FulcrumError", "Rejected", "Transient"]


class Transient(FulcrumError):
    """A store or topic did not answer as it should; the same call may work later."""


class ApiError(FulcrumError):
    """An error that a caller reads.

    ``status`` is the HTTP status, ``error`` a stable name (``network.wrongKey``), ``message`` what is
    wrong and ``description`` what to do about it. ``retry_after`` is in whole seconds.
    """

    def __init__(
        self,
        status: int,
        error: str,
        message: str,
        description: str,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message
        self.description = description
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {
            "status": self.status,
            "error": self.error,
            "message": self.message,
            "description": self.description,
        }
