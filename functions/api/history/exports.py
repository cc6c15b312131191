"""Rows as CSV and as JSON Lines. Pure.

CSV is RFC 4180: commas, CRLF, quotation marks where they are needed, a line of names first. A cell of text
that a spreadsheet would take for a formula (it begins with = + - @, wide ones too, a tab or a new line) gets
an apostrophe before it; numbers keep their sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from functions.api import csv_text
from shared.history_query import Output, item, values

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
# The last four are what some spreadsheets take for the first four.
_FORMULA = (*"=+-@", "\t", "\r", "\n", *"\uff1d\uff0b\uff0d\uff20")
_json = msgspec.json.Encoder().encode
_canonical = msgspec.json.Encoder(order="deterministic").encode


def head(outputs: Sequence[Output], format_: str) -> bytes:
    """What comes before the first row."""
    if format_ == "jsonl":
        return b""
    return csv_text.write([[cell(".".join(output.path)) for output in outputs]])


def rows(outputs: Sequence[Output], page: Sequence[Sequence[str | None]], format_: str) -> bytes:
    """The rows of a page."""
    if format_ == "jsonl":
        return b"".join(_json(item(outputs, cells)) + b"\n" for cells in page)
    return csv_text.write([[cell(value) for value in values(outputs, cells)] for cells in page])


def cell(value: Any) -> str:
    """A cell for any JSON value; empty for None."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return "" if value is None else _canonical(value).decode()


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
