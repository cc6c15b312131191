"""Clauses: SELECT, JOIN, GROUP BY, windows, set operations, LIMIT. What they must not hold is refused."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.sql import operators
from emulators.bigquery.sql.calls import constant_int, number
from emulators.bigquery.sql.types import comparable, kind, named, typed

# Marks a UNION that stands for VALUES.
ROWS_OF_VALUES = "fulcrum_values"
_SELECT_ARGS = {
    *("with_", "expressions", "distinct", "limit", "offset", "from_", "joins", "where", "group"),
    *("having", "qualify", "windows", "order"),
}
_JOIN_ARGS = {"this", "on", "side", "kind", "using", "method"}


def _select(node: exp.Expr) -> exp.Expr:
    for key, value in node.args.items():
        if value and key not in _SELECT_ARGS:
            raise unsupported_sql(f"{key.upper().strip('_')} in SELECT")
    if not node.expressions:
        raise invalid_query("Syntax error: SELECT without expressions")
    if node.args.get("distinct"):
        for item in node.expressions:
            _groupable(item, "SELECT DISTINCT")
    return node


def _groupable(node: exp.Expr, what: str) -> None:
    if kind(node) in ("JSON", "ARRAY", "STRUCT"):
        raise invalid_query(f"{what} by expressions of type {kind(node)} is not allowed")


def _column(node: exp.Expr) -> exp.Expr:
    if kind(node) == "STRUCT":
        raise unsupported_sql(f"A whole row as a value (STRUCT): {node.name}")
    return node


def _window(node: exp.Expr) -> exp.Expr:
    for item in node.args.get("partition_by") or []:
        _groupable(item, "Partitioning")
        if kind(item) == "FLOAT64":
            raise invalid_query("Partitioning by expressions of type FLOAT64 is not allowed")
    inner = node.this
    if isinstance(inner, exp.Cast):
        # The cast belongs around the window, not between the function and OVER.
        target = inner.args["to"]
        node.set("this", inner.this)
        return typed(exp.Cast(this=node.copy(), to=target), inner)
    return node


def _window_spec(node: exp.Expr) -> exp.Expr:
    if node.find(exp.Interval) is not None:
        raise invalid_query("A window frame bound must be an integer: INTERVAL is not allowed")
    return node


def _set_operation(node: exp.Expr) -> exp.Expr:
    if node.meta.get(ROWS_OF_VALUES):
        return node
    left, right = node.this.unnest().selects, node.expression.unnest().selects
    name = type(node).__name__.upper()
    if len(left) != len(right):
        raise invalid_query(f"Queries in {name} have mismatched column count; {len(left)} and {len(right)}")
    for place, (one, other) in enumerate(zip(left, right, strict=True), 1):
        if not comparable(kind(one), kind(other)):
            raise invalid_query(
                f"Column {place} in {name} has incompatible types: {named(one)}, {named(other)}"
            )
    return node


def _group(node: exp.Expr) -> exp.Expr:
    for key in ("cube", "rollup", "grouping_sets", "totals"):
        if node.args.get(key):
            raise unsupported_sql(f"GROUP BY {key.upper()}")
    for item in node.expressions:
        _groupable(item, "Grouping")
    return node


def _ordered(node: exp.Expr) -> exp.Expr:
    if kind(node.this) in ("JSON", "ARRAY", "STRUCT"):
        raise invalid_query(f"ORDER BY does not support expressions of type {kind(node.this)}")
    return node


def _distinct(node: exp.Expr) -> exp.Expr:
    if len(node.expressions) > 1:
        raise invalid_query("DISTINCT takes one expression")
    for item in node.expressions:
        _groupable(item, "Aggregation with DISTINCT")
    return node


def _join(node: exp.Expr) -> exp.Expr:
    for key, value in node.args.items():
        if value and key not in _JOIN_ARGS:
            raise unsupported_sql(f"{key.upper()} in JOIN")
    return operators.condition(node, "on", "JOIN ON clause")


def _limit(node: exp.Expr) -> exp.Expr:
    count = constant_int(node.expression, "LIMIT and OFFSET")
    if count < 0:
        raise invalid_query("LIMIT and OFFSET must not be negative")
    node.set("expression", number(count))
    return node


RULES: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Select: _select,
    exp.Column: _column,
    exp.Window: _window,
    exp.WindowSpec: _window_spec,
    **dict.fromkeys((exp.Union, exp.Except, exp.Intersect), _set_operation),
    exp.Group: _group,
    exp.Ordered: _ordered,
    exp.Distinct: _distinct,
    exp.Join: _join,
    **dict.fromkeys((exp.Limit, exp.Offset), _limit),
}
