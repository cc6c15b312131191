"""A request's body to its events, in order; what cannot be decoded is named by its place."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from functions.ingest import split
from functions.ingest.split import Fault
from shared import json_text
from shared.errors import ApiError
from shared.messages import MAX_BATCH_EVENTS

_decoder = msgspec.json.Decoder()
# UnicodeDecodeError is none of msgspec's own errors; RecursionError comes from very deep nesting.
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NEWLINE = re.compile(rb"\r\n|\n|\r")


def parse(body: bytes, lines: bool) -> list[Any]:
    """The decoded events of a body, or a Fault in place of each that is not one.

    ``lines``: the sender says that it is one JSON object a line. Raises ApiError 400 for a body that is
    not JSON, 413 for too many events.
    """
    if lines:
        return _limited(_parse_lines(body))
    try:
        value = _decoder.decode(body)
        doubtful = _repeats_keys(value, body)
    except _UNDECODABLE:
        doubtful = True
    if doubtful:
        return _limited(_parse_slowly(body))
    if type(value) is not dict and type(value) is not list:
        raise _no_events("the body is neither an object nor an array of objects")
    return _limited(value if type(value) is list else [value])


def _repeats_keys(value: Any, text: bytes) -> bool:
    """Whether a key stands twice in an object of the text; RecursionError for very deep nesting."""
    if type(value) is not dict and type(value) is not list:
        return False
    return split.members(value) != split.members_in_text(text)


def _limited(events: list[Any]) -> list[Any]:
    if not events:
        raise _no_events("the body holds no event")
    if len(events) > MAX_BATCH_EVENTS:
        raise ApiError(
            413,
            "request.tooManyEvents",
            f"the request holds {len(events)} events",
            f"send at most {MAX_BATCH_EVENTS} events a request",
        )
    return events


def _no_events(message: str) -> ApiError:
    return ApiError(
        400,
        "request.undecodable",
        message,
        "send one event as a JSON object, an array of them, or one a line (application/x-ndjson)",
    )


def _parse_lines(body: bytes) -> list[Any]:
    try:
        values: list[Any] = _decoder.decode_lines(body)
        if values and not _repeats_keys(values, body):
            return values
    except _UNDECODABLE:
        pass  # line by line, then
    lines = [line for line in _NEWLINE.split(body) if line.strip()]
    return [_element(line) or split.NOT_JSON for line in lines[: MAX_BATCH_EVENTS + 1]] + [
        split.NOT_JSON
    ] * max(0, len(lines) - MAX_BATCH_EVENTS - 1)


def _parse_slowly(body: bytes) -> list[Any]:
    text = body.strip()
    if text[:1] == b"[":
        texts = json_text.elements(text)
        if texts is not None and len(texts) <= MAX_BATCH_EVENTS:
            events = [_element(element) for element in texts]
            if None not in events:
                return events
        elif texts is not None:
            return list(texts)
    elif text[:1] == b"{":
        event = _element(text)
        if event is not None:
            return [event]
        if _looks_like_lines(text):
            return _parse_lines(text)
    raise _no_events("the body is not JSON")


def _looks_like_lines(text: bytes) -> bool:
    """Several lines that begin an object each: sent without the content type that says so."""
    lines = [line for line in _NEWLINE.split(text) if line.strip()]
    return len(lines) > 1 and all(line.lstrip()[:1] == b"{" for line in lines)


def _element(text: bytes) -> Any:
    """One event decoded, or its Fault, or None if it is no JSON."""
    try:
        value = _decoder.decode(text)
        doubtful = _repeats_keys(value, text)
    except _UNDECODABLE:
        doubtful = True
    if doubtful:
        return split.diagnose(text)
    return Fault("event.notAnObject", "the event is null", "send an object") if value is None else value
