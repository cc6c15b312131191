"""Errors as Google's REST APIs word them: a code, a message and a status."""

from __future__ import annotations

from typing import Any

_STATUSES = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}
# How an injected status shows on HTTP.
CODES = {status: code for code, status in _STATUSES.items()}


class ServiceError(Exception):
    """An answer other than 200."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        status = _STATUSES.get(self.code, "UNKNOWN")
        return {"error": {"code": self.code, "message": self.message, "status": status}}


def invalid(message: str) -> ServiceError:
    """Something of a request is wrong."""
    return ServiceError(400, message)


def unsupported(what: str) -> ServiceError:
    """Something that the service knows and this stand-in does not: never ignored, never guessed."""
    return ServiceError(501, f"{what} is not implemented by Fulcrum's stand-in of Cloud Logging")
