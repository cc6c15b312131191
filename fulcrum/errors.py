"""What a call may raise.

ClientError
├── ApiError       the API answered with an error: status, error, message, description, request_id
│   ├── NotSignedIn   401: no valid token
│   ├── Denied        403: the permission is missing
│   ├── NotFound      404 and 410: there is none such, or no longer
│   └── Conflict      409 and 412: a name is taken, or somebody was faster
└── Unreachable    no answer came: the network, a time-out, or an answer that is none of the API's
"""

from __future__ import annotations

from typing import Any


class ClientError(Exception):
    """Root of the tree; never raised itself."""


class ApiError(ClientError):
    """The API's own error. ``error`` is a stable name such as ``device.notFound``; ``body`` is all of it."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status, self.body = status, body
        self.error = str(body.get("error", "unknown"))
        self.message = str(body.get("message", ""))
        self.description = str(body.get("description", ""))
        self.request_id = str(body.get("requestId", ""))
        super().__init__(f"{self.message} ({status} {self.error})")


class NotSignedIn(ApiError):
    """401: sign in, or refresh the token."""


class Denied(ApiError):
    """403: the caller lacks a permission."""


class NotFound(ApiError):
    """404 or 410: there is none such, or no longer."""


class Conflict(ApiError):
    """409 or 412: a unique name is taken, or the resource changed meanwhile."""


class Unreachable(ClientError):
    """No answer of the API came; the message says what was tried."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: NotSignedIn,
    403: Denied,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: Conflict,
}


def from_answer(status: int, body: dict[str, Any]) -> ApiError:
    """The error of an answer, as the class that fits its status."""
    return _BY_STATUS.get(status, ApiError)(status, body)
