"""What a function is: its argument kinds, its type, and the DuckDB expression that means the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.sql.types import data_type, element_kind, kind, no_signature
from emulators.bigquery.values import BadValue, parse_date, parse_timestamp

Build = Callable[[list[exp.Expr]], exp.Expr]
_MODIFIERS = (exp.Distinct, exp.Order, exp.Limit, exp.IgnoreNulls, exp.RespectNulls, exp.HavingMax)
# Which kinds an argument of a declared kind takes, without a cast being written.
_TAKES = {
    "NUMBER": ("INT64", "FLOAT64", "NUMERIC"),
    "REAL": ("INT64", "FLOAT64"),
    "FLOAT64": ("INT64", "FLOAT64", "NUMERIC"),
    "TEXT": ("STRING", "BYTES"),
    "TIME": ("TIMESTAMP", "DATE"),
    "JSON_TEXT": ("JSON", "STRING"),
    "GROUPABLE": ("INT64", "FLOAT64", "NUMERIC", "STRING", "BOOL", "TIMESTAMP", "DATE", "BYTES"),
}


@dataclass(frozen=True)
class Function:
    """One function of the allow-list.

    ``kinds`` name the arguments; ``?`` ends an optional one, ``*`` the last, repeated one.
    ``returns`` is a type, or ``=N`` for the type of argument N, or ``[N]`` for an array of it.
    ``build`` is DuckDB's name for it, or makes the expression from the rewritten arguments.
    ``aggregate`` and ``window`` say where it may stand; only these take DISTINCT, ORDER BY and so on.
    """

    returns: str
    kinds: tuple[str, ...]
    build: str | Build
    aggregate: bool = False
    window: bool = False
    takes: tuple[type[exp.Expr], ...] = ()

    def type_of(self, call: exp.Expr) -> exp.DataType | None:
        """The type of a call whose arguments are annotated."""
        if self.returns[0] not in "=[":
            return data_type(self.returns)
        index = int(self.returns.strip("=[]"))
        if index >= len(call.expressions):
            return None
        candidates = call.expressions[index:] if self.kinds[-1].endswith("*") else [call.expressions[index]]
        types = [bare(argument).type for argument in candidates]
        known = [
            found for found in types if found is not None and found.this.value not in ("UNKNOWN", "NULL")
        ]
        if not known:
            return None
        widest = next((found for found in known if found.this.value == "DOUBLE"), known[0])
        if self.returns[0] == "=":
            return widest
        return exp.DataType(this=exp.DType.ARRAY, expressions=[widest.copy()], nested=True)

    def check(self, call: exp.Expr) -> None:
        """Refuse a wrong number or type of arguments, and modifiers that the function does not take."""
        name, arguments = call.name.upper(), call.expressions
        least = sum(not declared.endswith(("?", "*")) for declared in self.kinds)
        most = None if self.kinds and self.kinds[-1].endswith("*") else len(self.kinds)
        if len(arguments) < least or (most is not None and len(arguments) > most):
            raise invalid_query(
                f"Number of arguments does not match for function {name}: {len(arguments)} given"
            )
        for index, argument in enumerate(arguments):
            declared = self.kinds[min(index, len(self.kinds) - 1)].rstrip("?*")
            node = argument
            while isinstance(node, _MODIFIERS):
                if not isinstance(node, self.takes):
                    raise unsupported_sql(f"{type(node).__name__.upper()} in {name}")
                node = node.this if node.this is not None else node.expressions[0]
            _check_kind(name, call, declared, node)


def _check_kind(name: str, call: exp.Expr, declared: str, node: exp.Expr) -> None:
    if declared == "PART":
        if not isinstance(node, exp.Var):
            raise invalid_query(f"A valid date part name is required in {name}")
        return
    if declared == "INTERVAL":
        if not isinstance(node, exp.Interval):
            raise no_signature(f"function {name}", *[bare(item) for item in call.expressions])
        return
    if isinstance(node, (exp.Interval, exp.Var)):
        raise no_signature(f"function {name}", *[bare(item) for item in call.expressions])
    found = kind(node)
    if declared == "ANY" or found in (None, "NULL"):
        return
    if found not in _TAKES.get(declared, (declared,)):
        if found == "STRING" and declared in ("TIMESTAMP", "DATE", "TIME") and constant(node) is not None:
            return
        raise no_signature(f"function {name}", *[bare(item) for item in call.expressions])


def bare(argument: exp.Expr) -> exp.Expr:
    """An argument without DISTINCT, ORDER BY, LIMIT and so on."""
    while isinstance(argument, _MODIFIERS):
        argument = argument.this if argument.this is not None else argument.expressions[0]
    return argument


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A call of a DuckDB function or macro."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def number(value: int) -> exp.Expr:
    """An integer for DuckDB."""
    literal: exp.Expr = exp.Literal.number(abs(value))
    return exp.Neg(this=literal) if value < 0 else literal


def text(value: str) -> exp.Expr:
    """A string for DuckDB."""
    return exp.Literal.string(value)


def cast(node: exp.Expr, to: str) -> exp.Expr:
    """A cast to a type that is named as DuckDB names it."""
    return exp.Cast(this=node, to=exp.DataType.build(to, dialect="duckdb"))


def constant(node: exp.Expr) -> Any:
    """The value of a literal (a parameter is one by now), None where it is none."""
    while isinstance(node, (exp.Cast, exp.Paren)):
        node = node.this
    if isinstance(node, exp.Neg):
        inner = constant(node.this)
        return -inner if isinstance(inner, (int, float)) else None
    if isinstance(node, exp.Literal):
        if node.is_string:
            return node.this
        return int(node.this) if node.this.isdigit() else float(node.this)
    return node.this if isinstance(node, exp.Boolean) else None


def constant_text(node: exp.Expr, what: str) -> str:
    """A string that must be known before the query runs."""
    value = constant(node)
    if not isinstance(value, str):
        raise invalid_query(f"{what} must be a string literal or query parameter")
    return value


def constant_int(node: exp.Expr, what: str) -> int:
    """An integer that must be known before the query runs."""
    value = constant(node)
    if not isinstance(value, int):
        raise invalid_query(f"{what} must be an integer literal or query parameter")
    return value


def timestamp_literal(micros: int) -> exp.Expr:
    """A constant TIMESTAMP."""
    return call("bq_micros", cast(number(micros), "BIGINT"))


def date_literal(days: int) -> exp.Expr:
    """A constant DATE."""
    return call("bq_days", number(days))


def coerced(node: exp.Expr, to: str) -> exp.Expr:
    """A string literal as the TIMESTAMP or DATE that its place wants; other nodes as they are."""
    if kind(node) != "STRING" or to not in ("TIMESTAMP", "DATE"):
        return node
    value = constant(node)
    if not isinstance(value, str):
        return node
    try:
        made = (
            timestamp_literal(parse_timestamp(value))
            if to == "TIMESTAMP"
            else date_literal(parse_date(value))
        )
    except BadValue as error:
        raise invalid_query(f"Could not cast literal {value!r} to type {to}: {error}") from None
    made.type = data_type(to)
    return made


__all__ = [
    "Build",
    "Function",
    "bare",
    "call",
    "cast",
    "coerced",
    "constant",
    "constant_int",
    "constant_text",
    "date_literal",
    "element_kind",
    "number",
    "text",
    "timestamp_literal",
]
