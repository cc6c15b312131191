"""What an error of BigQuery means to who asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.clients.bigquery import TooSlow
from shared.errors import ApiError, Rejected, Transient
from shared.log import log

_LIMIT = "bigquery.bytesBilledLimitExceeded"
_TOO_BIG = frozenset({"bigquery.resourcesExceeded", "bigquery.responseTooLarge"})


@contextmanager
def told() -> Iterator[None]:
    """Turn an error of the client into the answer that its caller reads."""
    try:
        yield
    except TooSlow as error:
        log("WARNING", "a query was too slow", error=str(error))
        raise ApiError(
            504,
            "history.timeout",
            "the query took too long and was ended",
            "Ask for less time, fewer devices or fewer paths.",
        ) from error
    except Transient as error:
        log("WARNING", "BigQuery did not answer", error=str(error))
        raise ApiError(
            503,
            "history.unavailable",
            "the history did not answer just now",
            "Send the same request again in a few seconds.",
            retry_after=5,
        ) from error
    except Rejected as error:
        if error.error_type == _LIMIT:
            raise
        # What BigQuery says may quote values: it is for the log alone.
        log("ERROR", "BigQuery refused a query", errorType=error.error_type, error=error.message)
        if error.error_type in _TOO_BIG:
            raise ApiError(
                400,
                "history.tooLarge",
                "the query needs more memory than one query has",
                "Ask for less time, drop order, or group more coarsely.",
            ) from error
        raise ApiError(
            400,
            "history.refused",
            "BigQuery could not carry out this query on the data that is there",
            "Leave out functions one by one to find the cause; the log of the server has the details.",
        ) from error


def too_expensive(
    would_read: int,
    limit: int,
    advice: str = "Ask for less time or fewer paths; dryRun=true says what a query would read, at no cost.",
) -> ApiError:
    """400: the query would read more than it may."""
    return ApiError(
        400,
        "history.tooExpensive",
        f"the query would read {would_read} bytes, and may read {limit}",
        advice,
    )


_GONE = frozenset({"bigquery.notFound", "bigquery.status404"})
_NO_PLACE = frozenset({"bigquery.invalid", "bigquery.status400"})


@contextmanager
def read_on() -> Iterator[None]:
    """Turn an error of the client into its answer, where a cursor said from where a result is read on."""
    try:
        with told():
            try:
                yield
            except Rejected as error:
                if error.error_type in _GONE:
                    raise cursor_expired() from error
                if error.error_type in _NO_PLACE:
                    raise cursor_invalid() from error
                raise
    except Rejected as error:
        raise cursor_expired() from error


def cursor_invalid() -> ApiError:
    """400 for a cursor that is none, or of another query."""
    return ApiError(
        400,
        "cursor.invalid",
        "the cursor does not belong to this query",
        "Send the 'next' of the page before, with the same query; leave it out to start again.",
    )


def cursor_expired() -> ApiError:
    """400 for a cursor whose result is no longer kept."""
    return ApiError(
        400,
        "cursor.expired",
        "the result that the cursor leads through is no longer kept: that is a day at most",
        "Leave the cursor out to start again.",
    )
