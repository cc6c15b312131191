"""Aggregate and window functions."""

from __future__ import annotations

from sqlglot import exp

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.sql.calls import Build, Function, bare, call, cast, constant_int, number, text
from emulators.bigquery.sql.types import comparable, kind, no_signature

_LIST = (exp.Distinct, exp.Order, exp.Limit, exp.IgnoreNulls, exp.RespectNulls)
_VALUE = (exp.IgnoreNulls, exp.RespectNulls)


def _split(argument: exp.Expr) -> tuple[exp.Expr, exp.Order | None, int | None, bool, bool]:
    """An argument's parts: the expression, ORDER BY, LIMIT, whether DISTINCT, whether IGNORE NULLS."""
    limit: int | None = None
    order: exp.Order | None = None
    ignore = distinct = False
    while True:
        if isinstance(argument, exp.Limit):
            limit = constant_int(argument.args["expression"], "LIMIT of an aggregate")
        elif isinstance(argument, exp.Order):
            order = argument
        elif isinstance(argument, exp.IgnoreNulls):
            ignore = True
        elif isinstance(argument, exp.Distinct):
            distinct = True
            argument = argument.expressions[0]
            continue
        elif not isinstance(argument, exp.RespectNulls):
            return argument, order, limit, distinct, ignore
        argument = argument.this


def _ordered(value: exp.Expr, order: exp.Order | None) -> exp.Expr:
    return value if order is None else exp.Order(this=value, expressions=order.expressions)


def _array_agg(arguments: list[exp.Expr]) -> exp.Expr:
    value, order, limit, distinct, ignore = _split(arguments[0])
    inner = exp.Distinct(expressions=[value]) if distinct else value
    made = call("list", _ordered(inner, order))
    if ignore:
        present = exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null()))
        made = exp.Filter(this=made, expression=exp.Where(this=present))
    return made if limit is None else call("list_slice", made, number(1), number(limit))


def _string_agg(arguments: list[exp.Expr]) -> exp.Expr:
    value, order, limit, distinct, _ = _split(arguments[0])
    separator: exp.Expr = text(",")
    if len(arguments) > 1:
        separator, order, limit, _, _ = _split(arguments[1])
    inner = exp.Distinct(expressions=[value]) if distinct else value
    present = exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null()))
    listed: exp.Expr = exp.Filter(
        this=call("list", _ordered(inner, order)), expression=exp.Where(this=present)
    )
    if limit is not None:
        listed = call("list_slice", listed, number(1), number(limit))
    return call("array_to_string", listed, separator)


def _any_value(arguments: list[exp.Expr]) -> exp.Expr:
    chosen = arguments[0]
    if not isinstance(chosen, exp.HavingMax):
        return call("any_value", chosen)
    name = "arg_max_null" if chosen.args.get("max") else "arg_min_null"
    return call(name, chosen.this, chosen.expression)


def _quantiles(arguments: list[exp.Expr]) -> exp.Expr:
    buckets = constant_int(arguments[1], "The second argument of APPROX_QUANTILES")
    if buckets < 1:
        raise invalid_query("The second argument of APPROX_QUANTILES must be positive")
    points = exp.Array(
        expressions=[exp.Literal.number(f"{index / buckets:.12f}") for index in range(buckets + 1)]
    )
    return call("quantile_disc", bare(arguments[0]), points)


def _sum(arguments: list[exp.Expr]) -> exp.Expr:
    found = kind(bare(arguments[0]))
    made = call("sum", arguments[0])
    # DuckDB sums integers in 128 bits: the cast gives BigQuery's INT64, and its overflow error.
    if found in ("INT64", "NULL"):
        return cast(made, "BIGINT")
    if found in ("FLOAT64", "NUMERIC"):
        return call("bq_finite", made) if found == "FLOAT64" else made
    raise unsupported_sql("SUM of a value whose type is not known before the query runs")


def _avg(arguments: list[exp.Expr]) -> exp.Expr:
    if kind(bare(arguments[0])) == "NUMERIC":
        raise unsupported_sql("AVG of NUMERIC")
    return call("bq_finite", call("avg", arguments[0]))


def _count_if(arguments: list[exp.Expr]) -> exp.Expr:
    return call("count", exp.Case(ifs=[exp.If(this=arguments[0], true=number(1))]))


def _navigated(function: type[exp.Expr]) -> Build:
    """FIRST_VALUE and its kin, which SQLGlot must know as such to write IGNORE NULLS."""

    def build(arguments: list[exp.Expr]) -> exp.Expr:
        value = arguments[0].this if isinstance(arguments[0], _VALUE) else arguments[0]
        made = function(this=value)
        if len(arguments) > 1:
            made.set("offset", arguments[1])
        return exp.IgnoreNulls(this=made) if isinstance(arguments[0], exp.IgnoreNulls) else made

    return build


def _shifted(name: str) -> Build:
    """LAG and LEAD: the default must be of the value's type."""

    def build(arguments: list[exp.Expr]) -> exp.Expr:
        if len(arguments) > 2 and not comparable(kind(arguments[0]), kind(arguments[2])):
            raise no_signature(f"function {name}", *arguments)
        return call(name.lower(), *arguments)

    return build


AGGREGATES = {
    "COUNT": Function("INT64", ("ANY",), "count", True, True, (exp.Distinct,)),
    "COUNTIF": Function("INT64", ("BOOL",), _count_if, True, True),
    "SUM": Function("=0", ("NUMBER",), _sum, True, True, (exp.Distinct,)),
    "AVG": Function("FLOAT64", ("NUMBER",), _avg, True, True, (exp.Distinct,)),
    "MIN": Function("=0", ("GROUPABLE",), "min", True, True, (exp.Distinct,)),
    "MAX": Function("=0", ("GROUPABLE",), "max", True, True, (exp.Distinct,)),
    "MAX_BY": Function("=0", ("ANY", "GROUPABLE"), "arg_max_null", True),
    "MIN_BY": Function("=0", ("ANY", "GROUPABLE"), "arg_min_null", True),
    "LOGICAL_AND": Function("BOOL", ("BOOL",), "bool_and", True, True),
    "LOGICAL_OR": Function("BOOL", ("BOOL",), "bool_or", True, True),
    "ANY_VALUE": Function("=0", ("ANY",), _any_value, True, False, (exp.HavingMax,)),
    "ARRAY_AGG": Function("[0]", ("ANY",), _array_agg, True, False, _LIST),
    "ARRAY_CONCAT_AGG": Function("=0", ("ARRAY",), lambda a: call("flatten", call("list", *a)), True),
    "STRING_AGG": Function(
        "STRING", ("STRING", "STRING?"), _string_agg, True, False, (exp.Distinct, exp.Order, exp.Limit)
    ),
    "APPROX_QUANTILES": Function("[0]", ("GROUPABLE", "INT64"), _quantiles, True),
    "APPROX_COUNT_DISTINCT": Function(
        "INT64", ("GROUPABLE",), lambda a: call("count", exp.Distinct(expressions=a)), True
    ),
    "STDDEV": Function("FLOAT64", ("REAL",), "stddev_samp", True, True),
    "STDDEV_SAMP": Function("FLOAT64", ("REAL",), "stddev_samp", True, True),
    "STDDEV_POP": Function("FLOAT64", ("REAL",), "stddev_pop", True, True),
    "VARIANCE": Function("FLOAT64", ("REAL",), "var_samp", True, True),
    "VAR_SAMP": Function("FLOAT64", ("REAL",), "var_samp", True, True),
    "VAR_POP": Function("FLOAT64", ("REAL",), "var_pop", True, True),
    "ROW_NUMBER": Function("INT64", (), "row_number", False, True),
    "RANK": Function("INT64", (), "rank", False, True),
    "DENSE_RANK": Function("INT64", (), "dense_rank", False, True),
    "PERCENT_RANK": Function("FLOAT64", (), "percent_rank", False, True),
    "CUME_DIST": Function("FLOAT64", (), "cume_dist", False, True),
    "NTILE": Function("INT64", ("INT64",), "ntile", False, True),
    "LAG": Function("=0", ("ANY", "INT64?", "ANY?"), _shifted("LAG"), False, True),
    "LEAD": Function("=0", ("ANY", "INT64?", "ANY?"), _shifted("LEAD"), False, True),
    "FIRST_VALUE": Function("=0", ("ANY",), _navigated(exp.FirstValue), False, True, _VALUE),
    "LAST_VALUE": Function("=0", ("ANY",), _navigated(exp.LastValue), False, True, _VALUE),
    "NTH_VALUE": Function("=0", ("ANY", "INT64"), _navigated(exp.NthValue), False, True, _VALUE),
}
