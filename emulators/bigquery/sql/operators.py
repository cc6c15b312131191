"""Operators and conditions, with the checks of types that DuckDB would not make."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.sql.calls import call, coerced
from emulators.bigquery.sql.time_functions import shifted
from emulators.bigquery.sql.types import NUMBERS, comparable, element_kind, kind, no_signature, typed

_SYMBOLS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
}


def _meet(left: exp.Expr, right: exp.Expr, what: str) -> tuple[exp.Expr, exp.Expr]:
    """Two operands of a comparison, a string literal turned into the time that it is compared with."""
    left = coerced(left, kind(right) or "")
    right = coerced(right, kind(left) or "")
    if not comparable(kind(left), kind(right)):
        raise no_signature(what, left, right)
    for side in (left, right):
        if kind(side) in ("JSON", "STRUCT", "ARRAY"):
            raise invalid_query(f"Comparison is not defined for arguments of type {kind(side)}")
    return left, right


def _comparison(node: exp.Expr) -> exp.Expr:
    symbol = _SYMBOLS[type(node)]
    left, right = _meet(node.this, node.expression, f"operator {symbol}")
    if left is not node.this:
        node.set("this", left)
    if right is not node.expression:
        node.set("expression", right)
    return node


def _arithmetic(node: exp.Expr) -> exp.Expr:
    left, right = node.this, node.expression
    kinds = kind(left), kind(right)
    symbol = f"operator {_SYMBOLS[type(node)]}"
    if isinstance(right, exp.Interval) and kinds[0] == "TIMESTAMP" and not isinstance(node, exp.Mul):
        return shifted(left, right, 1 if isinstance(node, exp.Add) else -1)
    if any(found is not None and found not in (*NUMBERS, "NULL") for found in kinds):
        raise no_signature(symbol, left, right)
    if isinstance(node, exp.Mul) and "NUMERIC" in kinds and "FLOAT64" not in kinds:
        raise unsupported_sql("Multiplication of NUMERIC")
    if None in kinds:
        raise unsupported_sql(f"{symbol} on a value whose type is not known before the query runs")
    return call("bq_finite", node.copy()) if "FLOAT64" in kinds else node


def _divide(node: exp.Expr) -> exp.Expr:
    left, right = node.this, node.expression
    for side in (left, right):
        if kind(side) == "NUMERIC":
            raise unsupported_sql("Division of NUMERIC")
        if kind(side) not in ("INT64", "FLOAT64", "NULL", None):
            raise no_signature("operator /", left, right)
    return typed(call("bq_divide", left, right), "FLOAT64")


def _negative(node: exp.Expr) -> exp.Expr:
    if kind(node.this) not in (*NUMBERS, "NULL", None):
        raise no_signature("operator -", node.this)
    return node


def _pipe(node: exp.Expr) -> exp.Expr:
    left, right = node.this, node.expression
    kinds = {kind(left), kind(right)} - {"NULL"}
    if len(kinds) > 1 or not kinds <= {"STRING", "BYTES", "ARRAY"}:
        raise no_signature("operator ||", left, right)
    return node


def is_bool(node: exp.Expr) -> bool:
    """Whether a condition may stand there: a BOOL, or something whose type could not be told."""
    return kind(node) in ("BOOL", "NULL", None)


def _logical(node: exp.Expr) -> exp.Expr:
    name = type(node).__name__.upper()
    for side in (node.this, node.args.get("expression")):
        if side is not None and not is_bool(side):
            raise no_signature(f"operator {name}", side)
    return node


def condition(node: exp.Expr, key: str, what: str) -> exp.Expr:
    """Check that a clause's condition is a BOOL."""
    inner = node.args.get(key)
    if isinstance(inner, exp.Expr) and not is_bool(inner):
        raise invalid_query(f"{what} should return type BOOL, but returns {kind(inner)}")
    return node


def _like(node: exp.Expr) -> exp.Expr:
    if {kind(node.this), kind(node.expression)} - {"STRING", "NULL", None}:
        raise no_signature("operator LIKE", node.this, node.expression)
    return exp.Escape(this=node.copy(), expression=exp.Literal.string("\\"))


def _between(node: exp.Expr) -> exp.Expr:
    for key in ("low", "high"):
        _, bound = _meet(node.this, node.args[key], "operator BETWEEN")
        if bound is not node.args[key]:
            node.set(key, bound)
    return node


def _in(node: exp.Expr) -> exp.Expr:
    unnest = node.args.get("unnest")
    if unnest is not None:
        array = unnest.expressions[0]
        if kind(array) not in ("ARRAY", None) or not comparable(kind(node.this), element_kind(array)):
            raise no_signature("operator IN UNNEST", node.this, array)
        return typed(call("bq_in_array", node.this, array), "BOOL")
    items = []
    for item in node.expressions:
        _, made = _meet(node.this, item, "operator IN")
        items.append(made)
    query = node.args.get("query")
    if query is not None:
        selects = query.this.selects if isinstance(query, exp.Subquery) else query.selects
        if len(selects) != 1:
            raise invalid_query("Subquery of type IN must have only one output column")
        if not comparable(kind(node.this), kind(selects[0])):
            raise no_signature("operator IN", node.this, selects[0])
        return node
    node.set("expressions", items)
    return node


def same_kinds(nodes: Sequence[exp.Expr], what: str) -> None:
    """Refuse alternatives of types that have no common one."""
    known = [node for node in nodes if kind(node) not in (None, "NULL")]
    for node in known[1:]:
        if not comparable(kind(known[0]), kind(node)):
            raise no_signature(f"operator {what}", *nodes)


def _is(node: exp.Expr) -> exp.Expr:
    if isinstance(node.expression, exp.Boolean) and not is_bool(node.this):
        raise no_signature(f"operator IS {node.expression.sql('bigquery')}", node.this)
    return node


def _if(node: exp.Expr) -> exp.Expr:
    condition_ = node.this
    if isinstance(node.parent, exp.Case):
        return node
    if not is_bool(condition_):
        raise no_signature("function IF", condition_)
    false = node.args.get("false")
    if false is None:
        raise invalid_query("Number of arguments does not match for function IF")
    same_kinds([node.args["true"], false], "IF")
    branch = exp.If(this=condition_, true=node.args["true"])
    return typed(exp.Case(ifs=[branch], default=false), node)


def _case(node: exp.Expr) -> exp.Expr:
    ifs = node.args["ifs"]
    for branch in ifs:
        if node.this is not None:
            _meet(node.this, branch.this, "operator CASE")
        elif not is_bool(branch.this):
            raise invalid_query(f"CASE condition should return type BOOL, but returns {kind(branch.this)}")
    default = node.args.get("default")
    same_kinds([branch.args["true"] for branch in ifs] + ([default] if default is not None else []), "CASE")
    return node


def _clause(what: str) -> Callable[[exp.Expr], exp.Expr]:
    return lambda node: condition(node, "this", what)


RULES: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), _comparison),
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul), _arithmetic),
    **dict.fromkeys((exp.And, exp.Or, exp.Not), _logical),
    exp.Div: _divide,
    exp.Neg: _negative,
    exp.DPipe: _pipe,
    exp.Like: _like,
    exp.Between: _between,
    exp.In: _in,
    exp.If: _if,
    exp.Case: _case,
    exp.Is: _is,
    exp.Where: _clause("WHERE clause"),
    exp.Having: _clause("HAVING clause"),
    exp.Qualify: _clause("QUALIFY clause"),
}
