"""Errors as the BigQuery REST API words them: an HTTP status, a reason and a message.

https://cloud.google.com/bigquery/docs/error-messages lists the reasons with their statuses.
"""

from __future__ import annotations

from typing import Any

_STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}


class ServiceError(Exception):
    """An answer other than 2xx. ``reason`` is BigQuery's stable name of the error."""

    def __init__(self, status: int, reason: str, message: str, location: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.location = location

    def proto(self) -> dict[str, Any]:
        """The ErrorProto, as it stands in a job's status and in the answer's ``errors``."""
        proto = {"reason": self.reason, "message": self.message}
        if self.location:
            proto["location"] = self.location
        return proto

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        return {
            "error": {
                "code": self.status,
                "message": self.message,
                "status": _STATUS_NAMES.get(self.status, "UNKNOWN"),
                "errors": [{"domain": "global", **self.proto()}],
            }
        }


def invalid(message: str) -> ServiceError:
    """A field of a request is wrong."""
    return ServiceError(400, "invalid", message)


def invalid_query(message: str) -> ServiceError:
    """A statement is wrong, or fails while it runs."""
    return ServiceError(400, "invalidQuery", message, "query")


def unsupported(what: str) -> ServiceError:
    """Something that the service knows and this emulator does not: never ignored, never guessed."""
    return ServiceError(501, "notImplemented", f"{what} is not implemented by Fulcrum's emulator")


def unsupported_sql(what: str) -> ServiceError:
    """The same inside a statement, where a client expects a failed query."""
    return ServiceError(400, "invalidQuery", f"{what} is not supported by Fulcrum's emulator", "query")


def not_found(kind: str, name: str) -> ServiceError:
    """No such dataset, table, routine or job."""
    return ServiceError(404, "notFound", f"Not found: {kind} {name}")


def duplicate(kind: str, name: str) -> ServiceError:
    """The name is taken."""
    return ServiceError(409, "duplicate", f"Already Exists: {kind} {name}")
