"""CAST and SAFE_CAST, one entry for each pair of types that BigQuery converts."""

from __future__ import annotations

from sqlglot import exp

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.schema import DUCKDB_TYPES
from emulators.bigquery.sql.calls import Build, call, cast, coerced, constant, number
from emulators.bigquery.sql.macros import SAFE_FORMS, UNTRIED
from emulators.bigquery.sql.types import kind, kind_of_type, typed


def _to(name: str) -> Build:
    return lambda arguments: cast(arguments[0], name)


def _with(name: str) -> Build:
    return lambda arguments: call(name, *arguments)


def _rounded(arguments: list[exp.Expr]) -> exp.Expr:
    return cast(call("round", arguments[0]), "BIGINT")


# What is an error here and may be a value in BigQuery, or cannot stand in a TRY.
_NEVER_SAFE = {"error": "ERROR", "strptime": "a function that parses"}
_PAIRS: dict[tuple[str, str], Build] = {
    ("INT64", "FLOAT64"): _to("DOUBLE"),
    ("INT64", "NUMERIC"): _to("DECIMAL(38,9)"),
    ("INT64", "STRING"): _to("VARCHAR"),
    ("INT64", "BOOL"): lambda a: exp.Paren(this=exp.NEQ(this=a[0], expression=number(0))),
    ("FLOAT64", "INT64"): _rounded,
    ("FLOAT64", "NUMERIC"): _to("DECIMAL(38,9)"),
    ("FLOAT64", "STRING"): _with("bq_float64_to_string"),
    ("NUMERIC", "FLOAT64"): _to("DOUBLE"),
    ("NUMERIC", "INT64"): _rounded,
    ("BOOL", "INT64"): _to("BIGINT"),
    ("BOOL", "STRING"): _to("VARCHAR"),
    ("STRING", "INT64"): _with("bq_string_to_int64"),
    ("STRING", "FLOAT64"): _with("bq_string_to_float64"),
    ("STRING", "NUMERIC"): _with("bq_string_to_numeric"),
    ("STRING", "BOOL"): _with("bq_string_to_bool"),
    ("STRING", "BYTES"): _with("encode"),
    ("STRING", "TIMESTAMP"): _with("bq_string_to_timestamp"),
    ("STRING", "DATE"): _with("bq_string_to_date"),
    ("BYTES", "STRING"): _with("decode"),
    ("TIMESTAMP", "STRING"): _with("bq_timestamp_to_string"),
    ("TIMESTAMP", "DATE"): _to("DATE"),
    ("DATE", "STRING"): _to("VARCHAR"),
    ("DATE", "TIMESTAMP"): _to("TIMESTAMPTZ"),
}


def converted(node: exp.Expr, to: str, safe: bool = False) -> exp.Expr:
    """``node`` as a value of the GoogleSQL type ``to``."""
    source = kind(node)
    if source == to:
        return node
    if source is None:
        raise unsupported_sql("CAST of a value whose type is not known before the query runs")
    if to not in DUCKDB_TYPES:
        raise unsupported_sql(f"CAST to {to}")
    if source == "NULL":
        return typed(cast(node, DUCKDB_TYPES[to]), to)
    build = _PAIRS.get((source, to))
    if build is None:
        raise invalid_query(f"Invalid cast from {source} to {to}")
    if not safe and isinstance(constant(node), str) and to in ("TIMESTAMP", "DATE"):
        return coerced(node, to)
    made = build([node])
    return typed(safe_form(made) if safe else made, to)


def safe_form(made: exp.Expr) -> exp.Expr:
    """An expression that is NULL where ``made`` raises an error."""
    for node in made.find_all(exp.Anonymous):
        if node.name in _NEVER_SAFE:
            raise unsupported_sql(f"SAFE around {_NEVER_SAFE[node.name]}")
    if isinstance(made, exp.Anonymous) and made.name in UNTRIED:
        # Its safe form raises no error of its own and stands in no TRY, so those of its arguments stay.
        made.set("this", SAFE_FORMS[made.name])
        return made
    outer = made
    while isinstance(outer, (exp.Cast, exp.Paren)):
        outer = outer.this
    for argument in outer.expressions if isinstance(outer, exp.Anonymous) else (outer,):
        # SAFE covers the function alone: an error of an argument stays one.
        for inner in argument.find_all(exp.Anonymous, exp.Add, exp.Sub, exp.Mul):
            if not isinstance(inner, exp.Anonymous) or inner.name in SAFE_FORMS:
                raise unsupported_sql("SAFE around an argument that may fail itself")
    for node in made.find_all(exp.Anonymous):
        node.set("this", SAFE_FORMS.get(node.name, node.name))
    return call("TRY", made)


def cast_node(node: exp.Cast) -> exp.Expr:
    """A CAST or SAFE_CAST whose operand is rewritten already."""
    if node.args.get("format"):
        raise unsupported_sql("CAST with FORMAT")
    target = node.args["to"]
    to = kind_of_type(target)
    if to == "ARRAY" and isinstance(node.this, exp.Array):
        inner = kind_of_type(target.expressions[0])
        if inner not in DUCKDB_TYPES:
            raise unsupported_sql(f"ARRAY<{inner}>")
        items = [converted(item, inner) for item in node.this.expressions]
        made = cast(exp.Array(expressions=items), DUCKDB_TYPES[inner] + "[]")
        return typed(made, target)
    if to is None or to not in DUCKDB_TYPES:
        raise unsupported_sql(f"CAST to {to or target.sql('bigquery')}")
    return converted(node.this, to, isinstance(node, exp.TryCast))
