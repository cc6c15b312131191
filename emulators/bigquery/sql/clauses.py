"""Clauses: SELECT, JOIN, GROUP BY, windows, set operations, LIMIT. What they must not hold is refused."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.sql import operators
from emulators.bigquery.sql.calls import call, constant_int, number
from emulators.bigquery.sql.types import comparable, kind, named, typed

# Marks a UNION that stands for VALUES.
ROWS_OF_VALUES = "fulcrum_values"
# Marks a source that stands for UNNEST: its joins need no condition.
UNNESTED = "fulcrum_unnested"
_SELECT_ARGS = {
    *("with_", "expressions", "distinct", "limit", "offset", "from_", "joins", "where", "group"),
    *("having", "qualify", "windows", "order"),
}
_JOIN_ARGS = {"this", "on", "side", "kind", "using"}


def _select(node: exp.Expr) -> exp.Expr:
    for key, value in node.args.items():
        if value and key not in _SELECT_ARGS:
            raise unsupported_sql(f"{key.upper().strip('_')} in SELECT")
    if not node.expressions:
        raise invalid_query("Syntax error: SELECT without expressions")
    distinct = node.args.get("distinct")
    if distinct is not None and distinct.args.get("on") is not None:
        raise unsupported_sql("DISTINCT ON")
    if distinct is not None:
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
    # What is made of an aggregate belongs around the window, not between the function and OVER.
    if isinstance(inner, exp.Cast):
        target = inner.args["to"]
        node.set("this", inner.this)
        return typed(exp.Cast(this=node.copy(), to=target), inner)
    if isinstance(inner, exp.Anonymous) and inner.name == "bq_finite":
        node.set("this", inner.expressions[0])
        return typed(call("bq_finite", node.copy()), inner)
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
    listed = node.parent.expressions if isinstance(node.parent, exp.Select) else []
    for item in node.expressions:
        ordinal = isinstance(item, exp.Literal) and not item.is_string
        _groupable(listed[int(item.this) - 1] if ordinal else item, "Grouping")
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
    if node.args.get("kind") not in (None, "", "INNER", "OUTER", "CROSS"):
        raise unsupported_sql(f"{node.args['kind']} JOIN")
    if node.args.get("on") is None and not node.args.get("using") and node.args.get("side"):
        if not node.this.meta.get(UNNESTED) or node.args["side"] != "LEFT":
            raise invalid_query(f"{node.args['side']} JOIN must have an immediately following ON or USING")
        node.set("on", exp.true())
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
