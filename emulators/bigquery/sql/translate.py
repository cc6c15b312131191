"""The rewriting: from an annotated GoogleSQL tree to a DuckDB tree, node by node from the leaves up.

Each class of node is either known to mean the same, or has a rule here, or is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlglot import exp

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.sql import clauses, operators
from emulators.bigquery.sql.calls import (
    call,
    cast,
    date_literal,
    number,
    text,
    timestamp_literal,
)
from emulators.bigquery.sql.casts import cast_node, safe_form
from emulators.bigquery.sql.functions import FUNCTIONS
from emulators.bigquery.sql.json_functions import key_step, literal, subscript
from emulators.bigquery.sql.parameters import DONE
from emulators.bigquery.sql.time_functions import extracted
from emulators.bigquery.sql.types import kind, typed
from emulators.bigquery.tables import Table
from emulators.bigquery.values import INT64_MAX

_DAY_MICROS = 86_400_000_000
# Nodes that mean the same in both, whose children are all that matters.
_SAME = (
    *(exp.Identifier, exp.TableAlias, exp.Alias, exp.Subquery, exp.Paren, exp.Null, exp.Boolean, exp.Star),
    *(exp.From, exp.With, exp.CTE, exp.Order),
    *(exp.Var, exp.DataType, exp.DataTypeParam, exp.Exists, exp.NullSafeEQ),
    *(exp.NullSafeNEQ, exp.IgnoreNulls, exp.RespectNulls, exp.HavingMax, exp.Interval, exp.Star),
    *(exp.Values, exp.Schema, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.When, exp.Whens),
)
_OPERATORS = (exp.Binary, exp.Unary, exp.Between, exp.In)
_TABLE_ARGS = {"this", "db", "catalog", "alias"}


class Translation:
    """One statement's rewriting. ``tables`` are the stored tables by (project, dataset, name)."""

    def __init__(self, tables: Mapping[tuple[str, str, str], Table], now_us: int) -> None:
        self._tables = tables
        self._now_us = now_us
        self._unnests = 0
        self._rules: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
            exp.Literal: self._literal,
            exp.Anonymous: self._call,
            exp.Table: self._table,
            exp.Unnest: self._unnest,
            exp.CurrentTimestamp: lambda _: typed(timestamp_literal(now_us), "TIMESTAMP"),
            exp.CurrentDate: lambda _: typed(date_literal(now_us // _DAY_MICROS), "DATE"),
            **clauses.RULES,
            exp.Cast: lambda node: cast_node(node),  # type: ignore[arg-type]  # the key is its class
            exp.TryCast: lambda node: cast_node(node),  # type: ignore[arg-type]  # the key is its class
            exp.Extract: _extract,
            exp.SafeFunc: lambda node: typed(safe_form(node.this), node.this),
            exp.ParseJSON: lambda node: literal(node.this.name),
            exp.ByteString: _bytes,
            exp.RawString: lambda node: typed(text(node.name), "STRING"),
            exp.Coalesce: lambda node: typed(call("coalesce", node.this, *node.expressions), node),
            exp.Dot: _dot,
            exp.Bracket: _bracket,
            exp.Array: _array,
            **operators.RULES,
        }

    def rewrite(self, tree: exp.Expr) -> exp.Expr:
        """The DuckDB tree of an annotated tree, which is used up."""
        for node in reversed(list(tree.walk())):
            if node.meta.get(DONE) or (node is not tree and _inside_done(node)):
                continue
            made = self._rule(node)
            if made is node:
                continue
            if made.type is None and node.type is not None:
                made.type = node.type
            if node is tree:
                tree = made
            else:
                node.replace(made)
        return tree

    def _rule(self, node: exp.Expr) -> exp.Expr:
        rule = self._rules.get(type(node))
        if rule is not None:
            return rule(node)
        if isinstance(node, _SAME):
            return node
        raise unsupported_sql(f"{type(node).__name__.upper()} ({node.sql('bigquery')[:80]})")

    def _literal(self, node: exp.Expr) -> exp.Expr:
        # A number in GROUP BY is a place in the list, for DuckDB as well.
        if node.is_string or isinstance(
            node.parent, (exp.Limit, exp.Offset, exp.DataTypeParam, exp.Interval, exp.Group)
        ):
            return node
        if node.this.isdigit():
            if int(node.this) > INT64_MAX:
                raise invalid_query(f"Invalid integer literal: {node.this}")
            return typed(cast(node.copy(), "BIGINT"), "INT64")
        return typed(cast(node.copy(), "DOUBLE"), "FLOAT64")

    def _call(self, node: exp.Expr) -> exp.Expr:
        name = node.name.upper()
        if isinstance(node.parent, exp.Table):
            return node
        function = FUNCTIONS.get(name)
        if function is None:
            raise unsupported_sql(f"Function {name}")
        function.check(node)
        windowed = isinstance(node.parent, exp.Window) and node.arg_key == "this"
        if windowed and not function.window:
            raise unsupported_sql(f"{name} with OVER")
        if not windowed and function.window and not function.aggregate:
            raise invalid_query(f"Analytic function {name} cannot be called without an OVER clause")
        arguments = [_whole(argument) for argument in node.expressions]
        made = (
            call(function.build, *arguments) if isinstance(function.build, str) else function.build(arguments)
        )
        return typed(made, function.type_of(node))

    def _table(self, node: exp.Expr) -> exp.Expr:
        for key, value in node.args.items():
            if value and key not in _TABLE_ARGS:
                raise unsupported_sql(f"{key.upper()} of a table in FROM")
        if not node.args.get("db"):
            return node
        table = self._tables[(node.args["catalog"].name, node.args["db"].name, node.name)]
        stored = exp.Table(this=exp.to_identifier(table.uid, quoted=True))
        if (
            isinstance(node.parent, (exp.Insert, exp.Update, exp.Delete, exp.Merge))
            and node.arg_key == "this"
        ):
            if node.args.get("alias"):
                stored.set("alias", node.args["alias"])
            return stored
        select = exp.Select(
            expressions=[exp.column(exp.to_identifier(column.name, quoted=True)) for column in table.columns]
        ).from_(stored)
        return exp.Subquery(this=select, alias=node.args["alias"])

    def _unnest(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node.parent, exp.In):
            return node
        array = node.expressions[0]
        alias = node.args.get("alias")
        names = [column.name for column in alias.columns] if alias else []
        self._unnests += 1
        source = alias.name if alias is not None and alias.name else f"_unnest_{self._unnests}"
        item = exp.alias_(call("unnest", array), names[0] if names else source, quoted=True)
        select = exp.Select(expressions=[item])
        offset = node.args.get("offset")
        if offset is not None and offset is not False:
            name = offset.name if isinstance(offset, exp.Identifier) else "offset"
            place = exp.Sub(this=call("generate_subscripts", array.copy(), number(1)), expression=number(1))
            select = select.select(exp.alias_(cast(exp.Paren(this=place), "BIGINT"), name, quoted=True))
        made = exp.Subquery(this=select, alias=exp.TableAlias(this=exp.to_identifier(source, quoted=True)))
        made.meta[clauses.UNNESTED] = True
        return made


def _whole(argument: exp.Expr) -> exp.Expr:
    """An argument that may be put beside an operator: one that is made of operators, in parentheses."""
    if isinstance(argument, _OPERATORS) and not isinstance(argument, exp.Paren):
        return typed(exp.Paren(this=argument.copy()), argument)
    return argument


def _inside_done(node: exp.Expr) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.meta.get(DONE):
            return True
        if isinstance(parent, (exp.Select, exp.Subquery, exp.Where)):
            return False
        parent = parent.parent
    return False


def _extract(node: exp.Expr) -> exp.Expr:
    part = (
        node.this.name.upper()
        if not isinstance(node.this, exp.Anonymous)
        else node.this.sql("bigquery").upper()
    )
    return extracted(part, node.expression)


def _bytes(node: exp.Expr) -> exp.Expr:
    # The parser has undone escapes: \xff and the letter of that code cannot be told apart any more.
    if not node.name.isascii():
        raise unsupported_sql("A BYTES literal of other than ASCII (FROM_HEX does it)")
    return typed(call("from_hex", text(node.name.encode().hex())), "BYTES")


def _dot(node: exp.Expr) -> exp.Expr:
    if kind(node.this) != "JSON" or not isinstance(node.expression, exp.Identifier):
        raise unsupported_sql(f"The path {node.sql('bigquery')}")
    return typed(call("json_extract", node.this, text("$" + key_step(node.expression.name))), "JSON")


def _bracket(node: exp.Expr) -> exp.Expr:
    index = node.expressions[0]
    if kind(node.this) == "JSON":
        return subscript(node.this, index)
    if kind(node.this) != "ARRAY":
        raise invalid_query(f"Subscript access using [] is not supported on values of type {kind(node.this)}")
    if node.args.get("offset") == 1:
        index = exp.Paren(this=exp.Sub(this=index, expression=number(1)))
    name = "bq_safe_item" if node.args.get("safe") else "bq_item"
    return typed(call(name, node.this, index), node)


def _array(node: exp.Expr) -> exp.Expr:
    inner = node.expressions
    if len(inner) == 1 and isinstance(inner[0], (exp.Select, exp.SetOperation)):
        # ARRAY(SELECT ...) is empty, not NULL, where there is no row.
        return typed(call("ARRAY", inner[0]), node)
    if any(kind(item) == "NULL" for item in inner):
        raise unsupported_sql("NULL in an array literal")
    operators.same_kinds(inner, "ARRAY")
    return node
