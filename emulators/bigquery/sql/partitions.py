"""Which partitions a query reads: the filter that some tables demand, and the bytes that are billed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from emulators.bigquery.errors import invalid_query
from emulators.bigquery.schema import Column
from emulators.bigquery.tables import Table
from emulators.bigquery.values import TIMESTAMP_MAX, TIMESTAMP_MIN

# Evaluates a constant expression: microseconds since the epoch, None for NULL.
Evaluate = Callable[[exp.Expr], int | None]
_MIRRORED = {exp.LT: exp.GT, exp.LTE: exp.GTE, exp.GT: exp.LT, exp.GTE: exp.LTE, exp.EQ: exp.EQ}
_DAY = 86_400_000_000
# The longest time that a truncated value may lie before its original.
_SPANS = {"HOUR": _DAY // 24, "DAY": _DAY, "WEEK": 7 * _DAY, "ISOWEEK": 7 * _DAY, "MONTH": 31 * _DAY}


@dataclass(frozen=True)
class Range:
    """Values of the partition column, in microseconds, both ends included; ``null``: NULL as well."""

    low: int = TIMESTAMP_MIN
    high: int = TIMESTAMP_MAX
    null: bool = False

    def both(self, other: Range) -> Range:
        """What satisfies both."""
        return Range(max(self.low, other.low), min(self.high, other.high), self.null and other.null)

    def either(self, other: Range) -> Range:
        """What may satisfy one of the two."""
        return Range(min(self.low, other.low), max(self.high, other.high), self.null or other.null)


EVERYTHING = Range(null=True)


@dataclass(frozen=True)
class Scan:
    """One reading of a table: the columns that it needs and the partitions that it touches."""

    table: Table
    columns: tuple[Column, ...]
    range: Range


def scans(tree: exp.Expr, tables: dict[tuple[str, str, str], Table], evaluate: Evaluate) -> list[Scan]:
    """All readings in a resolved tree; a partition filter that a table demands must be in its SELECT."""
    found = []
    for node in tree.find_all(exp.Table):
        if not node.args.get("db"):
            continue
        table = tables[(node.args["catalog"].name, node.args["db"].name, node.name)]
        alias = node.alias_or_name
        used = {column.name for column in tree.find_all(exp.Column) if column.table == alias}
        columns = tuple(column for column in table.columns if column.name in used)
        found.append(Scan(table, columns, _range(node, table, alias, evaluate)))
    return found


def _range(node: exp.Table, table: Table, alias: str, evaluate: Evaluate) -> Range:
    if table.partitioning is None:
        return EVERYTHING
    select = node.find_ancestor(exp.Select)
    result: Range | None = None
    for condition in _conditions(select) if select is not None else ():
        one = _restriction(condition, table.partitioning.column, alias, evaluate)
        if one is not None:
            result = one if result is None else result.both(one)
    if result is None:
        if table.require_filter:
            raise invalid_query(
                f"Cannot query over table '{table.key}' without a filter over column(s) "
                f"'{table.partitioning.column}' that can be used for partition elimination"
            )
        return EVERYTHING
    return result


def _conditions(select: exp.Select) -> Iterator[exp.Expr]:
    where = select.args.get("where")
    if where is not None:
        yield from _conjuncts(where.this)
    for join in select.args.get("joins") or []:
        # A condition of an outer join removes no row of its preserved side: only WHERE counts there.
        if join.args.get("on") is not None and not join.args.get("side"):
            yield from _conjuncts(join.args["on"])


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.Paren):
        yield from _conjuncts(node.this)
    elif isinstance(node, exp.And):
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.expression)
    else:
        yield node


def _restriction(node: exp.Expr, column: str, alias: str, evaluate: Evaluate) -> Range | None:
    """The range that one condition leaves, None if it says nothing that prunes partitions."""
    if isinstance(node, exp.Paren):
        return _restriction(node.this, column, alias, evaluate)
    if isinstance(node, exp.And):
        parts = [_restriction(part, column, alias, evaluate) for part in _conjuncts(node)]
        known = [part for part in parts if part is not None]
        return _folded(known, Range.both)
    if isinstance(node, exp.Or):
        left = _restriction(node.this, column, alias, evaluate)
        right = _restriction(node.expression, column, alias, evaluate)
        return None if left is None or right is None else left.either(right)
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        return Range(1, 0, True) if _span(node.this, column, alias) == 0 else None
    if isinstance(node, exp.Between):
        if (span := _span(node.this, column, alias)) is None or not _all_constant(
            (node.args["low"], node.args["high"])
        ):
            return None
        low = _compared(exp.GTE, evaluate(node.args["low"]), span)
        return low.both(_compared(exp.LTE, evaluate(node.args["high"]), span))
    if isinstance(node, exp.In):
        if (span := _span(node.this, column, alias)) is None or not node.expressions:
            return None
        if not _all_constant(node.expressions):
            return None
        return _folded([_compared(exp.EQ, evaluate(item), span) for item in node.expressions], Range.either)
    operator = type(node)
    if operator not in _MIRRORED:
        return None
    left_side, right_side = node.this, node.expression
    if (span := _span(left_side, column, alias)) is not None and _all_constant((right_side,)):
        return _compared(operator, evaluate(right_side), span)
    if (span := _span(right_side, column, alias)) is not None and _all_constant((left_side,)):
        return _compared(_MIRRORED[operator], evaluate(left_side), span)
    return None


def _folded(ranges: list[Range], how: Callable[[Range, Range], Range]) -> Range | None:
    if not ranges:
        return None
    result = ranges[0]
    for one in ranges[1:]:
        result = how(result, one)
    return result


def _span(node: exp.Expr, column: str, alias: str) -> int | None:
    """0 for the partition column itself, the width of a truncation of it, None for anything else."""
    if isinstance(node, exp.Paren):
        return _span(node.this, column, alias)
    if isinstance(node, exp.Column):
        return 0 if node.name == column and node.table == alias else None
    if isinstance(node, exp.Cast) and node.args["to"].this == exp.DType.DATE:
        return _DAY if _span(node.this, column, alias) == 0 else None
    if (
        isinstance(node, exp.Anonymous)
        and node.expressions
        and _span(node.expressions[0], column, alias) == 0
    ):
        name = node.name.upper()
        if name == "DATE" and len(node.expressions) == 1:
            return _DAY
        if name in ("TIMESTAMP_TRUNC", "DATE_TRUNC") and len(node.expressions) == 2:
            return _SPANS.get(node.expressions[1].name.upper())
    return None


def _all_constant(nodes: Iterable[exp.Expr]) -> bool:
    return all(node.find(exp.Column, exp.Query) is None for node in nodes)


def _compared(operator: type[exp.Expr], value: int | None, span: int) -> Range:
    if value is None:
        return Range(1, 0)
    room = span - 1 if span else 0
    if operator is exp.EQ:
        return Range(value, value + room)
    if operator is exp.GT:
        return Range(value + 1, TIMESTAMP_MAX)
    if operator is exp.GTE:
        return Range(value, TIMESTAMP_MAX)
    return Range(TIMESTAMP_MIN, value + room - (1 if operator is exp.LT and not span else 0))


_SIZES = {
    "INT64": "8",
    "FLOAT64": "8",
    "BOOL": "1",
    "TIMESTAMP": "8",
    "DATE": "8",
    "NUMERIC": "16",
    "STRING": "2 + strlen({0})",
    "JSON": "2 + strlen({0}::VARCHAR)",
    "BYTES": "2 + octet_length({0})",
}


def size_query(scan: Scan) -> str:
    """The DuckDB query for the bytes of a reading: its columns in all partitions that it touches.

    The sizes of values are those of https://cloud.google.com/bigquery/pricing#data.
    """
    terms = ["0"]
    for column in scan.columns:
        name, size = f'"{column.name}"', _SIZES[column.type]
        if column.mode == "REPEATED":
            terms.append(
                f"coalesce(list_sum(list_transform({name}, lambda x: ({size.format('x')})::BIGINT)), 0)"
            )
        else:
            terms.append(f"CASE WHEN {name} IS NULL THEN 0 ELSE {size.format(name)} END")
    query = f'SELECT coalesce(sum({" + ".join(terms)}), 0)::BIGINT FROM "{scan.table.uid}"'  # noqa: S608 own names
    part = scan.table.partitioning
    if part is None or scan.range == EVERYTHING:
        return query
    start = f"date_trunc('{part.granularity.lower()}', \"{part.column}\"::TIMESTAMPTZ)"
    touched = (
        f"epoch_us({start}) BETWEEN epoch_us(date_trunc('{part.granularity.lower()}', "
        f"make_timestamp({scan.range.low})::TIMESTAMPTZ)) AND {scan.range.high}"
    )
    if scan.range.low > scan.range.high:
        touched = "false"
    if scan.range.null:
        touched = f'({touched} OR "{part.column}" IS NULL)'
    return f"{query} WHERE {touched}"
