"""Twilio's errors, as its API words them: https://www.twilio.com/docs/api/errors."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """An answer other than 2xx. ``retry_after``: in whole seconds."""

    def __init__(self, status: int, code: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }

    def headers(self) -> dict[str, str]:
        """The headers that belong to it."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


def authenticate() -> ApiError:
    """The account or its token is wrong."""
    return ApiError(401, 20003, "Authenticate")


def not_found(path: str) -> ApiError:
    """Nothing is there, or nothing of this account."""
    return ApiError(404, 20404, f"The requested resource {path} was not found")


def too_many() -> ApiError:
    """More requests a second than the account may make."""
    return ApiError(429, 20429, "Too Many Requests", 1)


def invalid(code: int, message: str) -> ApiError:
    """Something of a request is wrong."""
    return ApiError(400, code, message)


def unsupported(what: str) -> ApiError:
    """Something that Twilio knows and this stand-in does not: never ignored, never guessed."""
    return ApiError(400, 20001, f"{what} is not implemented by Fulcrum's stand-in of Twilio")


# How an injected status shows on HTTP: status, code and message.
_INJECTED: dict[str, tuple[int, int, str]] = {
    "UNAUTHENTICATED": (401, 20003, "Authenticate"),
    "PERMISSION_DENIED": (403, 20403, "Forbidden"),
    "RESOURCE_EXHAUSTED": (429, 20429, "Too Many Requests"),
    "UNAVAILABLE": (503, 20503, "Service Unavailable"),
}


def injected(code: str) -> ApiError:
    """What a fault rule asks for; 500 where Twilio has no such error."""
    status, number, message = _INJECTED.get(code, (500, 20500, "An internal server error has occurred"))
    return ApiError(status, number, message, 1 if status == 429 else None)
