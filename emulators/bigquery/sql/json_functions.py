"""Functions of JSON. A path is a constant; it is parsed here and written for DuckDB, key by key."""

from __future__ import annotations

import re

from sqlglot import exp

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.sql.calls import Build, Function, call, constant_int, constant_text, text
from emulators.bigquery.sql.types import kind, no_signature, typed
from emulators.bigquery.values import BadValue, canonical_json

_STEP = re.compile(r"""\.("(?P<quoted>[^"]*)"|(?P<key>[^.\["]+))|\[(?P<index>\d+)\]|\['(?P<old>[^']*)'\]""")


def path(source: str) -> str:
    """A BigQuery JSONPath, which is a constant, as DuckDB's."""
    if not source.startswith("$"):
        raise invalid_query(f"JSONPath must start with '$': {source!r}")
    position, steps = 1, []
    while position < len(source):
        found = _STEP.match(source, position)
        if not found:
            raise invalid_query(f"Invalid token in JSONPath at: {source[position:]}")
        position = found.end()
        index = found.group("index")
        if index is not None:
            steps.append(f"[{int(index)}]")
            continue
        key = next(part for part in found.group("quoted", "key", "old") if part is not None)
        if key == "*":
            raise unsupported_sql("The wildcard * in a JSONPath")
        steps.append(key_step(key))
    return "$" + "".join(steps)


def key_step(key: str) -> str:
    """One member of an object in DuckDB's path."""
    if '"' in key or "\\" in key:
        raise unsupported_sql(f"A JSON key with a quotation mark or a backslash: {key!r}")
    return f'."{key}"'


def literal(source: str) -> exp.Expr:
    """A constant JSON value."""
    try:
        value = canonical_json(source)
    except BadValue as error:
        raise invalid_query(f"Invalid input: Invalid JSON literal: {error}") from None
    return typed(exp.Cast(this=text(value), to=exp.DataType.build("JSON")), "JSON")


def _path(arguments: list[exp.Expr], what: str) -> exp.Expr:
    return text(path(constant_text(arguments[1], f"{what}'s JSONPath") if len(arguments) > 1 else "$"))


def _json_value(arguments: list[exp.Expr]) -> exp.Expr:
    source = arguments[0]
    if kind(source) == "STRING":
        return call("bq_json_value_text", source, _path(arguments, "JSON_VALUE"))
    return call("bq_json_value", source, _path(arguments, "JSON_VALUE"))


def _json_query(arguments: list[exp.Expr]) -> exp.Expr:
    if kind(arguments[0]) == "STRING":
        return call("bq_json_query_text", arguments[0], _path(arguments, "JSON_QUERY"))
    return call("json_extract", arguments[0], _path(arguments, "JSON_QUERY"))


def _array_of(name: str, macro: str) -> Build:
    """JSON_QUERY_ARRAY and its kin: of a JSON value, at a constant path."""

    def build(arguments: list[exp.Expr]) -> exp.Expr:
        if kind(arguments[0]) == "STRING":
            raise unsupported_sql(f"{name} of JSON that is a STRING")
        return call(macro, call("json_extract", arguments[0], _path(arguments, name)))

    return build


def _parse_json(arguments: list[exp.Expr]) -> exp.Expr:
    return literal(constant_text(arguments[0], "The argument of PARSE_JSON, in this emulator,"))


def _to_json_string(arguments: list[exp.Expr]) -> exp.Expr:
    found = kind(arguments[0])
    if found in ("JSON", "NULL"):
        return call("bq_json_text", arguments[0])
    if found in ("STRING", "BOOL"):
        return call("bq_json_text", call("to_json", arguments[0]))
    raise unsupported_sql(f"TO_JSON_STRING of {found or 'a value of unknown type'}")


def _string(arguments: list[exp.Expr]) -> exp.Expr:
    found = kind(arguments[0])
    if found == "JSON":
        return call("bq_json_string", arguments[0])
    if found == "TIMESTAMP":
        return call("bq_timestamp_to_string", arguments[0])
    raise no_signature("function STRING", *arguments)


def subscript(base: exp.Expr, key: exp.Expr) -> exp.Expr:
    """``data['a']`` and ``data[0]``."""
    if kind(key) == "STRING":
        step = key_step(constant_text(key, "A JSON subscript, in this emulator,"))
    else:
        place = constant_int(key, "A JSON subscript, in this emulator,")
        if place < 0:
            # DuckDB would count from the end.
            raise unsupported_sql("A negative JSON subscript")
        step = f"[{place}]"
    return typed(call("json_extract", base, text("$" + step)), "JSON")


JSON_FUNCTIONS = {
    "JSON_VALUE": Function("STRING", ("JSON_TEXT", "STRING?"), _json_value),
    "JSON_QUERY": Function("=0", ("JSON_TEXT", "STRING?"), _json_query),
    "JSON_QUERY_ARRAY": Function(
        "ARRAY<JSON>", ("JSON_TEXT", "STRING?"), _array_of("JSON_QUERY_ARRAY", "bq_json_array")
    ),
    "JSON_VALUE_ARRAY": Function(
        "ARRAY<STRING>", ("JSON_TEXT", "STRING?"), _array_of("JSON_VALUE_ARRAY", "bq_json_value_array")
    ),
    "JSON_KEYS": Function("ARRAY<STRING>", ("JSON",), "bq_json_keys"),
    "PARSE_JSON": Function("JSON", ("STRING",), _parse_json),
    "TO_JSON_STRING": Function("STRING", ("ANY",), _to_json_string),
    "JSON_TYPE": Function("STRING", ("JSON",), "bq_json_type"),
    "STRING": Function("STRING", ("ANY",), _string),
    "BOOL": Function("BOOL", ("JSON",), "bq_json_bool"),
    "INT64": Function("INT64", ("JSON",), "bq_json_int64"),
    "FLOAT64": Function("FLOAT64", ("JSON",), "bq_json_float64"),
    "DOUBLE": Function("FLOAT64", ("JSON",), "bq_json_float64"),
    "LAX_STRING": Function("STRING", ("JSON",), "bq_lax_string"),
    "LAX_BOOL": Function("BOOL", ("JSON",), "bq_lax_bool"),
    "LAX_INT64": Function("INT64", ("JSON",), "bq_lax_int64"),
    "LAX_FLOAT64": Function("FLOAT64", ("JSON",), "bq_lax_float64"),
}
