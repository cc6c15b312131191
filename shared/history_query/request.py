"""A query as it is asked: its keys, from a JSON body or from the parameters of a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from shared.history_query.instants import instant
from shared.history_query.refusal import listed, refusal, shown

DEFAULT_PER_PAGE = 50
MAX_PER_PAGE = 10_000
_LAST_INDEX = 2**31
_STRUCTURES = frozenset({"paths", "attributes", "where", "group", "order"})
_NUMBERS = frozenset({"perPage", "startIndex", "maxBytes"})
_TRUTHS = frozenset({"dryRun", "total"})
KEYS = frozenset({"start", "end", "cursor", "format", *_STRUCTURES, *_NUMBERS, *_TRUTHS})
FORMATS = ("json", "csv", "jsonl")


@dataclass(frozen=True)
class Query:
    """What is asked, times in epoch ms: ``start`` <= time < ``end``. Paths and the rest are not read yet.

    ``max_bytes`` of 0 means the server's own limit.
    """

    start: int
    end: int
    paths: Any = None
    where: Any = None
    group: Any = None
    order: Any = None
    per_page: int = DEFAULT_PER_PAGE
    start_index: int = 0
    max_bytes: int = 0
    dry_run: bool = False
    total: bool = False
    cursor: str = ""
    format: str = ""


def from_parameters(given: Mapping[str, str]) -> dict[str, Any]:
    """The body that the parameters of a URL stand for.

    What begins with a bracket is JSON; ``paths``, ``group`` and ``order`` may be names joined by commas, an
    order with ``-`` before it for DESC.
    """
    body: dict[str, Any] = {}
    for key, text in given.items():
        if key in _STRUCTURES:
            body[key] = _structure(key, text)
        elif key in _NUMBERS:
            if not (text.isascii() and text.isdigit() and len(text) <= 18):
                raise refusal(key, f"{shown(text)} is no whole number", "Write digits alone.")
            body[key] = int(text)
        elif key in _TRUTHS:
            if text not in ("true", "false"):
                raise refusal(key, f"{shown(text)} is neither true nor false", "Write true or false.")
            body[key] = text == "true"
        else:
            body[key] = text
    return body


def _structure(key: str, text: str) -> Any:
    if text.lstrip()[:1] in ("[", "{"):
        try:
            return msgspec.json.decode(text.encode())
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
            raise refusal(
                key, f"the JSON cannot be read: {error}", "Send the query by POST instead."
            ) from None
    if key == "where":
        raise refusal(key, f"{shown(text)} is no condition", 'Write [["a/b", ">", 5]].')
    names = [name.strip() for name in text.split(",")]
    if key == "order":
        return [[name[1:], "DESC"] if name.startswith("-") else name for name in names]
    return names


def checked(body: Any, now_ms: int) -> Query:
    """The query that a body asks; refused by name where it is none."""
    if not isinstance(body, dict):
        raise refusal("body", "an object is expected", 'Write {"start": 1792649730000}.')
    if unknown := body.keys() - KEYS:
        raise refusal("body", f"there is no key {listed(map(str, unknown))}", f"Keys are {listed(KEYS)}.")
    if "paths" in body and "attributes" in body:
        raise refusal("attributes", "it is another name of paths, which is given too", "Give one of them.")
    if body.get("start") is None:
        raise refusal("start", "it is missing", "Name the first instant that is asked for, in epoch ms.")
    start = instant(body["start"], "start")
    # A row may have been stored within this very millisecond.
    end = now_ms + 1 if body.get("end") is None else instant(body["end"], "end")
    if start >= end:
        raise refusal("start", "it is not before the end", "Rows are given from start on, before end.")
    return Query(
        start,
        end,
        body.get("paths", body.get("attributes")),
        body.get("where"),
        body.get("group"),
        body.get("order"),
        _number(body, "perPage", 1, MAX_PER_PAGE, DEFAULT_PER_PAGE),
        _number(body, "startIndex", 0, _LAST_INDEX, 0),
        _number(body, "maxBytes", 1, 2**62, 0),
        _truth(body, "dryRun"),
        _truth(body, "total"),
        _text(body, "cursor"),
        _format(body),
    )


def _number(body: Mapping[str, Any], key: str, least: int, most: int, default: int) -> int:
    value = body.get(key)
    if value is None:
        return default
    if type(value) is not int or not least <= value <= most:
        raise refusal(key, f"{shown(value)} cannot be taken", f"Write a whole number from {least} to {most}.")
    return value


def _truth(body: Mapping[str, Any], key: str) -> bool:
    value = body.get(key)
    if value is None:
        return False
    if type(value) is not bool:
        raise refusal(key, f"{shown(value)} is neither true nor false", "Write true or false.")
    return value


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise refusal(key, f"{shown(value)} is no text", "Write a text.")
    return value


def _format(body: Mapping[str, Any]) -> str:
    value = _text(body, "format")
    if value and value not in FORMATS:
        raise refusal("format", f"{shown(value)} is no format", f"Formats are {listed(FORMATS)}.")
    return value
