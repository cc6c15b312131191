"""From a statement to what DuckDB is to do: the steps of preparing and rewriting, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlglot import ErrorLevel, exp
from sqlglot.errors import UnsupportedError
from sqlglot.optimizer.annotate_types import annotate_types

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.schema import SQL_NAMES
from emulators.bigquery.sql.calls import constant
from emulators.bigquery.sql.dialect import METADATA, GoogleSql
from emulators.bigquery.sql.parameters import Parameters, constant_of
from emulators.bigquery.sql.partitions import Scan, scans
from emulators.bigquery.sql.prepare import parsed, resolved, table_name, with_full_names, written_names
from emulators.bigquery.sql.translate import Translation
from emulators.bigquery.sql.types import kind
from emulators.bigquery.state import Catalog, TableFunction
from emulators.bigquery.tables import Table

# Runs a DuckDB query of one row and one column.
Scalar = Callable[[str], Any]


@dataclass(frozen=True)
class Context:
    """What a statement may refer to, and when it runs."""

    catalog: Catalog
    project: str
    dataset: str | None
    now_us: int
    scalar: Scalar
    parameters: Parameters


@dataclass(frozen=True)
class Planned:
    """A rewritten query: the DuckDB tree and the readings that it makes."""

    tree: exp.Expr
    scans: list[Scan]
    kinds: list[str | None] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def sql(self) -> str:
        """The text for DuckDB."""
        return duckdb_sql(self.tree)


def duckdb_sql(tree: exp.Expr) -> str:
    """A rewritten tree as DuckDB's text."""
    try:
        return tree.sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE, identify=True)
    except UnsupportedError as error:
        raise unsupported_sql(f"A part of this statement ({error})") from None


def plan_query(tree: exp.Expr, context: Context) -> Planned:
    """Plan a SELECT (or a set operation of them), parameters and all."""
    tree = context.parameters.put_into(tree)
    return plan_prepared(tree, context)


def plan_prepared(tree: exp.Expr, context: Context) -> Planned:
    """The same for a tree whose parameters are in it already."""
    tree = _with_functions(tree, context, 0)
    tree = with_full_names(tree, context.project, context.dataset)
    tables = _tables(tree, context.catalog)
    tree = resolved(tree, {name: table.columns for name, table in tables.items()})
    if isinstance(tree, exp.Query):
        _check_names(tree)
    found = scans(tree, tables, lambda node: _evaluated(node, tables, context))
    kinds = [kind(item) for item in tree.selects] if isinstance(tree, exp.Query) else []
    names = written_names(tree) if isinstance(tree, exp.Query) else []
    return Planned(Translation(tables, context.now_us).rewrite(tree), found, kinds, names)


def _tables(tree: exp.Expr, catalog: Catalog) -> dict[tuple[str, str, str], Table]:
    names = {
        (node.catalog, node.db, node.name)
        for node in tree.find_all(exp.Table)
        if node.args.get("db") is not None
    }
    return {name: catalog.table(*name) for name in names}


def _check_names(tree: exp.Query) -> None:
    seen: set[str] = set()
    for name in tree.named_selects:
        if name.lower() in seen:
            raise invalid_query(
                f"Duplicate column names in the result are not supported. Found duplicate(s): {name}"
            )
        seen.add(name.lower())


def _evaluated(node: exp.Expr, tables: Mapping[tuple[str, str, str], Table], context: Context) -> int | None:
    """A constant of a partition filter in microseconds; a string is taken as a timestamp."""
    made = Translation(tables, context.now_us).rewrite(node.copy())
    cast = f"({duckdb_sql(made)})::TIMESTAMPTZ"
    value = context.scalar(f"SELECT epoch_us({cast})")
    return None if value is None else int(value)


def _with_functions(tree: exp.Expr, context: Context, depth: int) -> exp.Expr:
    """Put the body of each table function in the place of its call."""
    for node in list(tree.find_all(exp.Table)):
        if not isinstance(node.this, exp.Anonymous):
            continue
        if depth > 8:
            raise invalid_query("Table functions are nested too deeply")
        function = context.catalog.function(*table_name(node, context.project, context.dataset))
        body = function_body(function, node.this.expressions)
        body = _with_functions(body, context, depth + 1)
        body = with_full_names(body, function.project, None)
        alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(function.name, quoted=True))
        node.replace(exp.Subquery(this=body, alias=alias, joins=node.args.get("joins")))
    return tree


def function_body(function: TableFunction, arguments: list[exp.Expr]) -> exp.Expr:
    """The body of a table function with its arguments in it."""
    if len(arguments) != len(function.arguments):
        raise invalid_query(
            f"No matching signature for table function {function.name}: "
            f"{len(function.arguments)} arguments are expected, {len(arguments)} given"
        )
    values = {}
    for (name, declared), argument in zip(function.arguments, arguments, strict=True):
        if argument.find(exp.Column, exp.Query) is not None:
            raise unsupported_sql(f"An argument of table function {function.name} that is not constant")
        target = exp.DataType.build(declared, dialect="bigquery")
        _check_argument(function, name, declared, argument)
        values[name.lower()] = exp.Cast(this=argument.copy(), to=target)
    body = parsed(function.body)
    for column in list(body.find_all(exp.Column)):
        if not column.table and column.name.lower() in values:
            column.replace(values[column.name.lower()].copy())
    return body


def _check_argument(function: TableFunction, name: str, declared: str, argument: exp.Expr) -> None:
    typed = annotate_types(argument.copy(), dialect=GoogleSql, expression_metadata=METADATA)
    found = kind(typed)
    literal = found == "STRING" and constant(argument) is not None and declared in ("TIMESTAMP", "DATE")
    widened = found == "INT64" and declared in ("FLOAT64", "NUMERIC")
    if found not in (declared, "NULL") and not literal and not widened:
        raise invalid_query(
            f"No matching signature for table function {function.name}: "
            f"argument {name} must be a {declared}, not {found or 'a value of unknown type'}"
        )


def check_function(function: TableFunction, context: Context) -> None:
    """Refuse a table function whose body is no valid query, or whose arguments hide columns."""
    nulls = [constant_of(SQL_NAMES[declared], None) for _, declared in function.arguments]
    names = {name.lower() for name, _ in function.arguments}
    body = with_full_names(parsed(function.body), function.project, function.dataset)
    if not isinstance(body, exp.Query):
        raise invalid_query("The body of a table function must be a query")
    for table in _tables(body, context.catalog).values():
        hidden = [column.name for column in table.columns if column.name.lower() in names]
        if hidden:
            raise unsupported_sql(
                f"An argument that is named like a column of {table.name} ({', '.join(hidden)})"
            )
    plan_prepared(with_full_names(function_body(function, nulls), function.project, None), context)
