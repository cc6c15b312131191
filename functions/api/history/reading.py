"""The query of a request: its body and its parameters; and how the OpenAPI document shows it."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request

from functions.api.history.models import HistoryPage, QueryCost
from functions.api.resources.answers import problem
from shared import history_query
from shared.errors import ApiError

# Parameters that say which project a request is about: not the query's.
_NOT_OURS = frozenset({"projectId"})
_EXAMPLE = {
    "start": 1792649730000,
    "paths": [
        ["$time", "bucket", {"function": "BUCKET_TIME", "args": [900000]}],
        ["engine/temperature", "average", {"function": "AVG"}],
    ],
    "group": ["bucket"],
    "order": [["bucket", "DESC"]],
}
_TEXT = {"type": "string"}
_PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "start": ("The first instant: epoch ms or ISO 8601 (required, here or in the body)", _TEXT),
    "end": ("The instant before which rows are given; now if left out", _TEXT),
    "paths": ("What is asked for: names joined by commas, or JSON", _TEXT),
    "attributes": ("Another name of paths", _TEXT),
    "where": ('Conditions as JSON: [["a/b", ">", 5]]', _TEXT),
    "group": ("Aliases that groups are made of, joined by commas", _TEXT),
    "order": ("Aliases or columns, joined by commas, with - before one for descending", _TEXT),
    "startIndex": ("How many rows to leave out at the beginning", {"type": "integer", "minimum": 0}),
    "perPage": (
        "How many items a page has at most",
        {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 50},
    ),
    "cursor": ("The 'next' of the page before", _TEXT),
    "total": ("Say how many rows there are in all", {"type": "boolean"}),
    "maxBytes": ("How many bytes the query may read at most", {"type": "integer", "minimum": 1}),
    "dryRun": ("Say what the query would read, and do not run it", {"type": "boolean"}),
    "format": ("json, or all rows as csv or jsonl", {"type": "string", "enum": ["json", "csv", "jsonl"]}),
}


async def body_of(request: Request) -> dict[str, Any]:
    """The query of a request: its parameters and its body together, GET too."""
    given: dict[str, str] = {}
    for key, text in request.query_params.multi_items():
        if key in _NOT_OURS:
            continue
        if key in given:
            raise _twice(key)
        given[key] = text
    body = history_query.from_parameters(given)
    raw = await request.body()
    if not raw.strip():
        return body
    try:
        posted = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(
            400, "query.invalid", f"body: the JSON cannot be read: {error}", "Send an object."
        ) from None
    if not isinstance(posted, dict):
        raise ApiError(400, "query.invalid", "body: an object is expected", 'Send {"start": ...}.')
    for key in posted:
        if key in body:
            raise _twice(key)
    return body | posted


def _twice(key: str) -> ApiError:
    return ApiError(400, "query.invalid", f"{key[:50]}: it is given twice", "Give it once.")


def query_docs(method: str, whose: str, responses: dict[int | str, Any]) -> dict[str, Any]:
    """Summary, description, parameters and answers of an operation that queries."""
    rows = "A page of rows; with dryRun what it would read; with csv or jsonl all rows, as a stream"
    content = {
        "application/json": {
            "schema": {
                "anyOf": [HistoryPage.model_json_schema(), QueryCost.model_json_schema()],
            }
        },
        "text/csv": {"schema": {"type": "string"}},
        "application/x-ndjson": {"schema": {"type": "string"}},
    }
    extra: dict[str, Any] = {
        "parameters": [
            {"name": name, "in": "query", "required": False, "description": text, "schema": schema}
            for name, (text, schema) in _PARAMETERS.items()
        ]
    }
    if method == "POST":
        extra["requestBody"] = {
            "required": True,
            "description": "The query; see the README of history for the language",
            "content": {"application/json": {"schema": {"type": "object"}, "example": _EXAMPLE}},
        }
    return {
        "summary": f"Query the {whose}",
        "description": f"Rows of the {whose} that the caller may read, from start on, before end: whole "
        "rows, or the paths that are named, filtered, grouped and ordered.",
        "responses": {
            **responses,
            200: {"description": rows, "content": content},
            504: problem("The query took too long"),
        },
        "openapi_extra": extra,
        "response_model": None,
    }
