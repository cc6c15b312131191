"""The answers of ingest: prebuilt JSON, one shape for every error."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from functions.ingest.split import Fault
from shared.errors import ApiError

_encode = msgspec.json.Encoder().encode


def _json(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(_encode(body), status, headers, "application/json")


def error(problem: ApiError, allowed: str = "POST") -> Response:
    """An error that concerns the whole request. ``allowed``: the method that the path has."""
    headers: dict[str, str] = {}
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="fulcrum"'
    if problem.status == 405:
        headers["Allow"] = allowed
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    return _json(problem.status, problem.body(), headers)


def outcome(ids: list[str], refused: list[tuple[int, Fault]]) -> Response:
    """202 if every event was taken, 207 if some were, 400 if none was.

    ``ids`` are those of the events taken, in order; ``refused`` has the others by their place.
    """
    if not refused:
        return _json(202, {"accepted": len(ids), "ids": ids})
    counts = {
        "accepted": len(ids),
        "refused": len(refused),
        "ids": ids,
        "errors": [
            {"index": index, "error": f.error, "message": f.message, "description": f.description}
            for index, f in refused
        ],
    }
    if ids:
        return _json(207, counts)
    if len(refused) == 1:
        first = refused[0][1]
        summary = ApiError(400, first.error, first.message, first.description)
    else:
        summary = ApiError(
            400, "events.refused", f"all {len(refused)} events are refused", "see errors, by index"
        )
    return _json(400, summary.body() | counts)
