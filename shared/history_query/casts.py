"""Casts between types. One that cannot be carried out on a value gives NULL, never an error of the query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.history_query.columns import text_of
from shared.history_query.expr import Expr, Type, built
from shared.history_query.refusal import listed, refusal, shown

# The instants of the years 1 to 9999 in epoch ms, and what an INT64 takes of a FLOAT64.
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_999
_WHOLE = "9.2e18"

CASTS: dict[str, Type] = {
    "boolean": "BOOL",
    "integer": "INT64",
    "float": "FLOAT64",
    "string": "STRING",
    "time": "TIMESTAMP",
    "msTime": "INT64",
    "object": "JSON",
}


def cast(value: Expr, name: object, place: str) -> Expr:
    """A value by one of the casts that a query may name."""
    if not isinstance(name, str) or name not in CASTS:
        raise refusal(place, f"{shown(name)} is no cast", f"Casts are {listed(CASTS)}.")
    if name == "msTime":
        return milliseconds(converted(value, "TIMESTAMP", place))
    made = converted(value, CASTS[name], place)
    return replace(made, show="iso") if name == "time" else made


def milliseconds(time: Expr) -> Expr:
    """A TIMESTAMP in epoch ms."""
    return built(f"UNIX_MILLIS({time.sql})", "INT64", time)


def converted(value: Expr, to: Type, place: str) -> Expr:
    """A value as one of another type."""
    if value.type == to:
        return value
    make = _PAIRS.get((value.type, to))
    if make is None:
        raise refusal(place, f"a value of type {value.type} cannot become {to}", "Choose another cast.")
    made = make(value.sql)
    return text_of(value) if made is None else built(made, to, value)


def iso(sql: str) -> str:
    """A time as ISO 8601 text with milliseconds."""
    return f"FORMAT_TIMESTAMP('%Y-%m-%dT%H:%M:%E3SZ', {sql})"


def _whole(sql: str) -> str:
    return f"IF({sql} BETWEEN -{_WHOLE} AND {_WHOLE}, CAST({sql} AS INT64), NULL)"


def _instant(sql: str) -> str:
    return f"IF({sql} BETWEEN {_FIRST_MS} AND {_LAST_MS}, TIMESTAMP_MILLIS({sql}), NULL)"


def _instant_of_json(sql: str) -> str:
    # A number is epoch ms; a text that is no number is read as a time.
    number = _instant(f"LAX_INT64({sql})")
    return f"COALESCE({number}, SAFE_CAST(LAX_STRING({sql}) AS TIMESTAMP))"


_PAIRS: dict[tuple[Type, Type], Callable[[str], str | None]] = {
    ("JSON", "STRING"): lambda sql: None,
    ("JSON", "FLOAT64"): "LAX_FLOAT64({})".format,
    ("JSON", "INT64"): "LAX_INT64({})".format,
    ("JSON", "BOOL"): "LAX_BOOL({})".format,
    ("JSON", "TIMESTAMP"): _instant_of_json,
    ("STRING", "FLOAT64"): "SAFE_CAST({} AS FLOAT64)".format,
    ("STRING", "INT64"): "SAFE_CAST({} AS INT64)".format,
    ("STRING", "BOOL"): "SAFE_CAST({} AS BOOL)".format,
    ("STRING", "TIMESTAMP"): "SAFE_CAST({} AS TIMESTAMP)".format,
    ("INT64", "FLOAT64"): "CAST({} AS FLOAT64)".format,
    ("INT64", "STRING"): "CAST({} AS STRING)".format,
    ("INT64", "BOOL"): "({} != 0)".format,
    ("INT64", "TIMESTAMP"): _instant,
    ("FLOAT64", "INT64"): _whole,
    ("FLOAT64", "STRING"): "CAST({} AS STRING)".format,
    ("FLOAT64", "BOOL"): "({} != 0)".format,
    ("FLOAT64", "TIMESTAMP"): lambda sql: _instant(_whole(sql)),
    ("BOOL", "INT64"): "CAST({} AS INT64)".format,
    ("BOOL", "FLOAT64"): "CAST(CAST({} AS INT64) AS FLOAT64)".format,
    ("BOOL", "STRING"): "CAST({} AS STRING)".format,
    ("TIMESTAMP", "INT64"): "UNIX_MILLIS({})".format,
    ("TIMESTAMP", "FLOAT64"): "CAST(UNIX_MILLIS({}) AS FLOAT64)".format,
    ("TIMESTAMP", "STRING"): iso,
}
