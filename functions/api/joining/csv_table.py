"""CSV as text: reading a table strictly, and cells that a spreadsheet cannot take for formulas. Pure.

A cell of text that begins with ``= + - @``, a tab, a return or an apostrophe is written with an apostrophe
before it, and read without it: so what is written is read back as it was. Values that are no text are written
as JSON; text that would be read as JSON is written as a JSON string.
"""

from __future__ import annotations

import csv
import io
from typing import Any

import msgspec

from functions.api.csv_text import write as write
from shared.errors import ApiError

MAX_ROWS = 10_000
MAX_COLUMNS = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
_json = msgspec.json.Encoder(order="deterministic").encode


class Row(msgspec.Struct, frozen=True):
    """One row: its number as spreadsheets count (the first one below the header is 2), and what it says.

    ``cells`` has the columns that are not empty. ``problem``: why it cannot be read, if it cannot.
    """

    number: int
    cells: dict[str, str]
    problem: str = ""


class Table(msgspec.Struct, frozen=True):
    """A table with its columns in their order."""

    columns: list[str]
    rows: list[Row]


def read(body: bytes) -> Table:
    """A table from UTF-8 text, with commas or semicolons between the cells. ApiError 400 if it is none."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused("csv.encoding", f"byte {error.start} is no UTF-8", "save it as CSV UTF-8") from None
    records = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    columns: list[str] = []
    rows: list[Row] = []
    try:
        columns = [name.strip() for name in next(records, [])]
        _check_columns(columns)
        for number, record in enumerate(records, 2):
            if any(record):
                rows.append(_row(number, columns, record))
            if len(rows) > MAX_ROWS:
                raise _refused(
                    "csv.tooManyRows", f"there are more than {MAX_ROWS} rows", "import it in several parts"
                )
    except csv.Error as error:
        raise _refused(
            "csv.syntax",
            f"line {records.line_num}: {error}",
            "close the quotation marks, double those inside; a cell has at most "
            f"{csv.field_size_limit()} characters",
        ) from None
    return Table(columns, rows)


def guarded(text: str) -> str:
    """A cell of text for a spreadsheet."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def unguarded(cell: str) -> str:
    """The text of a cell that :func:`guarded` wrote."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell


def value_cell(value: Any) -> str:
    """A cell for any JSON value; empty for None."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return _json(value).decode()
    return guarded(value if _json_value(value) is msgspec.UNSET and value else _json(value).decode())


def value_of(text: str) -> Any:
    """The value in a cell (already :func:`unguarded`): JSON if it reads as such, else its text."""
    found = _json_value(text)
    return text if found is msgspec.UNSET else found


def _json_value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return msgspec.UNSET


def _row(number: int, columns: list[str], record: list[str]) -> Row:
    if len(record) > len(columns):
        return Row(number, {}, f"it has {len(record)} cells, and there are {len(columns)} columns")
    cells = {name: unguarded(cell) for name, cell in zip(columns, record, strict=False) if cell != ""}
    return Row(number, cells)


def _check_columns(columns: list[str]) -> None:
    if not any(columns):
        raise _refused("csv.noHeader", "the first line names no columns", "name the columns there")
    if len(columns) > MAX_COLUMNS:
        raise _refused(
            "csv.tooManyColumns", f"there are {len(columns)} columns", f"use at most {MAX_COLUMNS}"
        )
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise _refused("csv.column", f"columns stand twice: {', '.join(twice)}"[:500], "name each once")


def _delimiter(text: str) -> str:
    head = text.partition("\n")[0]
    return ";" if ";" in head and "," not in head else ","


def _refused(error: str, message: str, description: str) -> ApiError:
    return ApiError(400, error, message, description)
