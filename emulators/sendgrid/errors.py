"""Errors as SendGrid words them: a list of messages, each with the field that it is about."""

from __future__ import annotations

from typing import Any, NamedTuple

_HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html"
# How an injected fault shows on HTTP.
STATUSES = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "OUT_OF_RANGE": 413,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_WORDS = {
    400: "Bad Request",
    401: "The provided authorization grant is invalid, expired, or revoked",
    403: "access forbidden",
    404: "Resource not found",
    413: "The request payload is larger than the server is willing to process",
    429: "too many requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


class Problem(NamedTuple):
    """Something of a request that is wrong."""

    message: str
    field: str | None = None
    topic: str = ""

    def shown(self) -> dict[str, Any]:
        """The problem in an answer."""
        return {
            "message": self.message,
            "field": self.field,
            "help": f"{_HELP}#{self.topic}" if self.topic else None,
        }


class ServiceError(Exception):
    """An answer other than 2xx."""

    def __init__(self, status: int, problems: list[Problem]) -> None:
        super().__init__(problems[0].message)
        self.status = status
        self.problems = problems

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {"errors": [problem.shown() for problem in self.problems]}


def plain(status: int) -> ServiceError:
    """An error that says nothing but its status."""
    return ServiceError(status, [Problem(_WORDS[status])])


def unverified() -> ServiceError:
    """403: nobody has verified the sender."""
    return ServiceError(
        403,
        [
            Problem(
                "The from address does not match a verified Sender Identity. Mail cannot be sent until this "
                "error is resolved.",
                "from",
            )
        ],
    )


def unsupported(what: str) -> ServiceError:
    """Something that the service knows and this stand-in does not: never ignored, never guessed."""
    return ServiceError(501, [Problem(f"{what} is not implemented by Fulcrum's stand-in of SendGrid")])
