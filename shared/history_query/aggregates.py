"""Aggregates and window functions that a query may name."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.history_query.casts import converted
from shared.history_query.expr import Expr, built
from shared.history_query.functions import Build, Call, Function

_MAX_OFFSET = 10_000
# The columns that FIRST and LAST go by.
OUTERMOST_BY = ("time", "event_id")
OUTERMOST = frozenset({"FIRST", "LAST"})
# All rows of the partition; up to the present row.
WHOLE = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
RUNNING = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"


def ordered(value: Expr) -> Expr:
    """A value that has an order: of data, its number."""
    return converted(value, "FLOAT64", "") if value.type == "JSON" else value


def _folded(made: Expr) -> Expr:
    return replace(made, aggregate=True, bare=False)


def _number(name: str) -> Build:
    def build(call: Call) -> Expr:
        (value,) = call.numbers()
        return _folded(built(f"{name}({value.sql})", "FLOAT64", value))

    return build


def _extreme(name: str) -> Build:
    def build(call: Call) -> Expr:
        value = ordered(call.args[0])
        if value.type == "BOOL":
            value = converted(value, "INT64", call.at(0))
        return _folded(built(f"{name}({value.sql})", value.type, value))

    return build


def _count(call: Call) -> Expr:
    if not call.args:
        return Expr("COUNT(*)", "INT64", aggregate=True)
    value = call.args[0]
    sql = f"NULLIF(JSON_TYPE({value.sql}), 'null')" if value.type == "JSON" else value.sql
    return _folded(built(f"COUNT({sql})", "INT64", value))


def _count_distinct(call: Call) -> Expr:
    value = call.args[0]
    sql = f"NULLIF(TO_JSON_STRING({value.sql}), 'null')" if value.type == "JSON" else value.sql
    return _folded(built(f"COUNT(DISTINCT {sql})", "INT64", value))


def _outermost(direction: str) -> Build:
    """The first or last value that is there at all: by time, of one time by the id, as states settle."""

    def build(call: Call) -> Expr:
        value = call.args[0]
        if value.type == "JSON":
            value = replace(value, sql=f"IF(JSON_TYPE({value.sql}) = 'null', NULL, {value.sql})")
        by = ", ".join(f"{column} {direction}" for column in OUTERMOST_BY)
        sql = f"ARRAY_AGG({value.sql} IGNORE NULLS ORDER BY {by} LIMIT 1)[SAFE_OFFSET(0)]"
        return _folded(built(sql, value.type, value))

    return build


def _percentile(call: Call) -> Expr:
    place = call.whole(1, 0, 100)
    value = converted(call.args[0], "FLOAT64", call.at(0))
    return _folded(built(f"APPROX_QUANTILES({value.sql}, 100)[SAFE_OFFSET({place})]", "FLOAT64", value))


AGGREGATES = {
    "AVG": Function(1, 1, _number("AVG")),
    "SUM": Function(1, 1, _number("SUM")),
    "MIN": Function(1, 1, _extreme("MIN")),
    "MAX": Function(1, 1, _extreme("MAX")),
    "COUNT": Function(0, 1, _count),
    "COUNT_DISTINCT": Function(1, 1, _count_distinct),
    "STDDEV": Function(1, 1, _number("STDDEV")),
    "VARIANCE": Function(1, 1, _number("VARIANCE")),
    "FIRST": Function(1, 1, _outermost("ASC")),
    "LAST": Function(1, 1, _outermost("DESC")),
    "PERCENTILE": Function(2, 2, _percentile),
}


def _shifted(name: str) -> Build:
    def build(call: Call) -> Expr:
        value = call.args[0]
        if len(call.args) == 1:
            return built(f"{name}({value.sql})", value.type, value)
        return built(f"{name}({value.sql}, {call.whole(1, 0, _MAX_OFFSET)})", value.type, value)

    return build


def _outer(name: str) -> Build:
    def build(call: Call) -> Expr:
        value = call.args[0]
        return built(f"{name}({value.sql})", value.type, value)

    return build


def _rank(name: str) -> Build:
    return lambda call: Expr(f"{name}()", "INT64")


def _tile(call: Call) -> Expr:
    return Expr(f"NTILE({call.whole(0, 1, _MAX_OFFSET)})", "INT64")


@dataclass(frozen=True)
class Window:
    """A window function. ``frame`` says which rows it looks at, where that is to be said."""

    function: Function
    frame: str = ""
    takes_column: bool = True


def _of_aggregate(name: str) -> Window:
    return Window(AGGREGATES[name], RUNNING)


WINDOWS = {
    "LAG": Window(Function(1, 2, _shifted("LAG"))),
    "LEAD": Window(Function(1, 2, _shifted("LEAD"))),
    "FIRST_VALUE": Window(Function(1, 1, _outer("FIRST_VALUE")), WHOLE),
    "LAST_VALUE": Window(Function(1, 1, _outer("LAST_VALUE")), WHOLE),
    "ROW_NUMBER": Window(Function(0, 0, _rank("ROW_NUMBER")), takes_column=False),
    "RANK": Window(Function(0, 0, _rank("RANK")), takes_column=False),
    "DENSE_RANK": Window(Function(0, 0, _rank("DENSE_RANK")), takes_column=False),
    "NTILE": Window(Function(1, 1, _tile), takes_column=False),
    **{name: _of_aggregate(name) for name in ("AVG", "SUM", "MIN", "MAX", "COUNT")},
}
