"""Rows as CSV and as JSON Lines. Pure.

CSV is RFC 4180: commas, CRLF, quotation marks where they are needed, a line of names first. A cell of text
that a spreadsheet would take for a formula (it begins with = + - @, a tab or a return) gets an apostrophe
before it; numbers keep their sign.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import msgspec

from shared.history_query import Output, item, values

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_json = msgspec.json.Encoder().encode


def head(outputs: Sequence[Output], format_: str) -> bytes:
    """What comes before the first row."""
    if format_ == "jsonl":
        return b""
    return _lines([[_text(".".join(output.path)) for output in outputs]])


def rows(outputs: Sequence[Output], page: Sequence[Sequence[str | None]], format_: str) -> bytes:
    """The rows of a page."""
    if format_ == "jsonl":
        return b"".join(_json(item(outputs, cells)) + b"\n" for cells in page)
    return _lines([[_cell(value) for value in values(outputs, cells)] for cells in page])


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    return "" if value is None else _json(value).decode()


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value


def wanted(format_: str, accept: str) -> str:
    """The format of an answer: the one that is named, else the first of ``Accept`` that there is."""
    if format_:
        return format_
    for part in accept.split(","):
        media = part.split(";")[0].strip().lower()
        if media == "text/csv":
            return "csv"
        if media in ("application/x-ndjson", "application/jsonl", "application/json-lines"):
            return "jsonl"
        if media in ("application/json", "*/*"):
            return "json"
    return "json"
