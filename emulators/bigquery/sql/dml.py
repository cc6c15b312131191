"""INSERT, UPDATE, DELETE and MERGE.

The expressions of a statement are put into a SELECT over its target first: so they are resolved,
checked and rewritten as those of a query, the demanded partition filter included. The statement for
DuckDB is then made of the parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
from sqlglot import exp

from emulators.bigquery.errors import ServiceError, invalid_query, unsupported_sql
from emulators.bigquery.schema import Column
from emulators.bigquery.sql.calls import cast, coerced
from emulators.bigquery.sql.clauses import ROWS_OF_VALUES
from emulators.bigquery.sql.partitions import Scan
from emulators.bigquery.sql.plan import Context, Planned, duckdb_sql, plan_prepared
from emulators.bigquery.sql.prepare import table_name
from emulators.bigquery.sql.types import kind
from emulators.bigquery.store import STREAMED
from emulators.bigquery.tables import Table

STREAMING_BUFFER_US = 30 * 60 * 1_000_000


@dataclass(frozen=True)
class PlannedDml:
    """A statement for DuckDB, and the queries that count the rows that it must not touch.

    ``buffered`` are rows of the streaming buffer, ``doubled`` those that several source rows would change.
    """

    statement: str
    sql: str
    scans: list[Scan]
    table: Table
    buffered: str | None = None
    doubled: str | None = None


def plan(tree: exp.Expr, context: Context) -> PlannedDml:
    """Plan any of the four."""
    tree = context.parameters.put_into(tree)
    if tree.args.get("with_") or tree.args.get("returning"):
        raise unsupported_sql("WITH or THEN RETURN in DML")
    if isinstance(tree, exp.Insert):
        return _insert(tree, context)
    if isinstance(tree, exp.Update):
        return _update(tree, context)
    if isinstance(tree, exp.Delete):
        return _delete(tree, context)
    if isinstance(tree, exp.Merge):
        return _merge(tree, context)
    raise unsupported_sql(f"The statement {tree.key.upper()}")


def _target(node: exp.Expr | None, context: Context) -> tuple[Table, exp.Table, str]:
    """The target table, a copy of its node, and the name that the statement calls it by."""
    if not isinstance(node, exp.Table):
        raise invalid_query("The target of a DML statement must be a table")
    table = context.catalog.table(*table_name(node, context.project, context.dataset))
    return table, node.copy(), node.alias or table.name


def _value(made: exp.Expr, column: Column) -> exp.Expr:
    """A rewritten value as one of its column, or the service's refusal."""
    made = coerced(made, column.type) if column.mode != "REPEATED" else made
    found = kind(made)
    wanted = "ARRAY" if column.mode == "REPEATED" else column.type
    fits = (
        found in ("NULL", None) or found == wanted or (found == "INT64" and wanted in ("FLOAT64", "NUMERIC"))
    )
    if not fits:
        raise invalid_query(
            f"Value of type {found} cannot be assigned to {column.name}, which has type {column.sql_type}"
        )
    if found is None:
        raise unsupported_sql(f"A value for {column.name} whose type is not known before the statement runs")
    if found == "NULL" and column.mode == "REQUIRED":
        raise invalid_query(f"Required field {column.name} cannot be null")
    return cast(made, column.duckdb_type)


def _name(column: Column) -> str:
    return f'"{column.name}"'


def _column(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None:
        raise invalid_query(f"Column {name} is not present in table {table.key}")
    return column


def _insert(tree: exp.Insert, context: Context) -> PlannedDml:
    into = tree.this
    names = [item.name for item in into.expressions] if isinstance(into, exp.Schema) else None
    table, _, _ = _target(into.this if isinstance(into, exp.Schema) else into, context)
    columns = [_column(table, name) for name in names] if names is not None else list(table.columns)
    for column in table.columns:
        if column.mode == "REQUIRED" and column not in columns:
            raise invalid_query(f"Required field {column.name} cannot be null")
    source = tree.expression
    if isinstance(source, exp.Values):
        rows = [item.expressions if isinstance(item, exp.Tuple) else [item] for item in source.expressions]
        source = _selected(rows[0])
        for row in rows[1:]:
            source = exp.Union(this=source, expression=_selected(row), distinct=False)
            # Rows of VALUES need not be of one type: each value is fitted to its column.
            source.meta[ROWS_OF_VALUES] = True
        if any(len(row) != len(columns) for row in rows):
            raise invalid_query("Inserted row has wrong column count")
    if not isinstance(source, exp.Query):
        raise unsupported_sql("This form of INSERT")
    planned = plan_prepared(source, context)
    if len(planned.kinds) != len(columns):
        raise invalid_query(
            f"Inserted row has wrong column count; Has {len(planned.kinds)}, expected {len(columns)}"
        )
    for select in _leaves(planned.tree):
        for item, column in zip(list(select.expressions), columns, strict=True):
            inner = item.this if isinstance(item, exp.Alias) else item
            item.replace(exp.alias_(_value(inner, column), column.name, quoted=True))
    listed = ", ".join(_name(column) for column in columns)
    sql = f'INSERT INTO "{table.uid}" ({listed}) {planned.sql()}'
    return PlannedDml("INSERT", sql, planned.scans, table)


def _selected(values: list[exp.Expr]) -> exp.Select:
    return exp.Select(
        expressions=[exp.alias_(value.copy(), f"v{index}") for index, value in enumerate(values)]
    )


def _leaves(tree: exp.Expr) -> Iterable[exp.Select]:
    if isinstance(tree, exp.Select):
        yield tree
    elif isinstance(tree, exp.SetOperation):
        yield from _leaves(tree.this)
        yield from _leaves(tree.expression)
    elif isinstance(tree, exp.Subquery):
        yield from _leaves(tree.this)


def _probe(
    context: Context,
    target: exp.Table,
    values: list[exp.Expr],
    joins: list[exp.Join],
    where: exp.Where | None,
) -> tuple[Planned, list[exp.Expr]]:
    """Plan the SELECT that stands for a statement; returns it with its rewritten values."""
    listed = [exp.alias_(value.copy(), f"v{index}") for index, value in enumerate(values)]
    select = exp.Select(expressions=listed or [exp.alias_(exp.Literal.number(1), "v0")])
    select.set("from_", exp.From(this=target))
    select.set("joins", [join.copy() for join in joins])
    if where is not None:
        select.set("where", where.copy())
    planned = plan_prepared(select, context)
    made = [item.this for item in planned.tree.expressions]
    return planned, made if values else []


def _condition(planned: Planned) -> str:
    where = planned.tree.args.get("where")
    return "true" if where is None else duckdb_sql(where.this)


def _sources(planned: Planned) -> str:
    return ", ".join(duckdb_sql(join.this) for join in planned.tree.args.get("joins") or [])


def _buffered(name: str, context: Context) -> str:
    return f'"{name}"."{STREAMED}" > make_timestamp({context.now_us - STREAMING_BUFFER_US})::TIMESTAMPTZ'


def _where(tree: exp.Expr, statement: str) -> exp.Where:
    where = tree.args.get("where")
    if not isinstance(where, exp.Where):
        raise invalid_query(f"{statement} must have a WHERE clause")
    return where


def _update(tree: exp.Update, context: Context) -> PlannedDml:
    table, target, name = _target(tree.this, context)
    where = _where(tree, "UPDATE")
    joins = []
    from_ = tree.args.get("from_")
    if from_ is not None:
        if target.args.get("joins") or from_.this.args.get("joins"):
            raise unsupported_sql("A join in UPDATE ... FROM")
        joins = [exp.Join(this=from_.this.copy(), kind="CROSS")]
    columns, values = _assignments(tree.expressions, table)
    planned, made = _probe(context, target, values, joins, where)
    sets = ", ".join(
        f"{_name(column)} = {duckdb_sql(_value(value, column))}"
        for column, value in zip(columns, made, strict=True)
    )
    source = f" FROM {_sources(planned)}" if joins else ""
    condition = _condition(planned)
    sql = f'UPDATE "{table.uid}" AS "{name}" SET {sets}{source} WHERE {condition}'  # noqa: S608 rewritten
    more = f", {_sources(planned)}" if joins else ""
    buffered = (
        f'SELECT count(*) FROM "{table.uid}" AS "{name}"{more} '  # noqa: S608 rewritten
        f"WHERE ({condition}) AND {_buffered(name, context)}"
    )
    doubled = _doubled(table, name, more, condition) if joins else None
    return PlannedDml("UPDATE", sql, planned.scans, table, buffered, doubled)


def _doubled(table: Table, name: str, more: str, condition: str) -> str:
    if table.column("rowid") is not None:
        raise unsupported_sql("UPDATE ... FROM and MERGE on a table with a column named rowid")
    return (
        f'SELECT count(*) FROM (SELECT 1 FROM "{table.uid}" AS "{name}"{more} '  # noqa: S608 rewritten
        f'WHERE {condition} GROUP BY "{name}".rowid HAVING count(*) > 1)'
    )


def _assignments(items: list[exp.Expr], table: Table) -> tuple[list[Column], list[exp.Expr]]:
    columns, values = [], []
    for item in items:
        if not isinstance(item, (exp.EQ, exp.PropertyEQ)) or not isinstance(item.this, exp.Column):
            raise unsupported_sql("An assignment to anything but a column")
        columns.append(_column(table, item.this.name))
        values.append(item.expression)
    if len({column.name for column in columns}) != len(columns):
        raise invalid_query("Update item assigned more than once")
    return columns, values


def _delete(tree: exp.Delete, context: Context) -> PlannedDml:
    table, target, name = _target(tree.this, context)
    if tree.args.get("tables") or tree.args.get("using"):
        raise unsupported_sql("DELETE from several tables")
    planned, _ = _probe(context, target, [], [], _where(tree, "DELETE"))
    condition = _condition(planned)
    sql = f'DELETE FROM "{table.uid}" AS "{name}" WHERE {condition}'  # noqa: S608 rewritten
    buffered = (
        f'SELECT count(*) FROM "{table.uid}" AS "{name}" '  # noqa: S608 rewritten
        f"WHERE ({condition}) AND {_buffered(name, context)}"
    )
    return PlannedDml("DELETE", sql, planned.scans, table, buffered)


def _merge(tree: exp.Merge, context: Context) -> PlannedDml:
    table, target, name = _target(tree.this, context)
    source = tree.args["using"]
    join = exp.Join(this=source.copy(), on=tree.args["on"].copy())
    values: list[exp.Expr] = []
    clauses = [_clause(when, table, values) for when in tree.args["whens"].expressions]
    planned, made = _probe(context, target, values, [join], None)
    joined = planned.tree.args["joins"][0]
    on, using = duckdb_sql(joined.args["on"]), duckdb_sql(joined.this)
    texts = [clause.sql(made) for clause in clauses]
    sql = f'MERGE INTO "{table.uid}" AS "{name}" USING {using} ON ({on}) {" ".join(texts)}'
    buffered = None
    if any(clause.matched for clause in clauses):
        buffered = (
            f'SELECT count(*) FROM "{table.uid}" AS "{name}" JOIN {using} ON ({on}) '  # noqa: S608 rewritten
            f"WHERE {_buffered(name, context)}"
        )
    matched = [clause for clause in clauses if clause.matched]
    doubled = None
    if matched:
        cases = [duckdb_sql(made[clause.condition]) for clause in matched if clause.condition is not None]
        either = f"({' OR '.join(cases)})" if len(cases) == len(matched) else "true"
        doubled = _doubled(table, name, f", {using}", f"({on}) AND {either}")
    return PlannedDml("MERGE", sql, planned.scans, table, buffered, doubled)


@dataclass(frozen=True)
class _When:
    """One WHEN; the numbers are places among the statement's values."""

    matched: bool
    action: str
    columns: list[Column]
    values: list[int]
    condition: int | None

    def sql(self, made: list[exp.Expr]) -> str:
        """The clause for DuckDB."""
        head = "WHEN MATCHED" if self.matched else "WHEN NOT MATCHED"
        if self.condition is not None:
            head += f" AND {duckdb_sql(made[self.condition])}"
        texts = [
            duckdb_sql(_value(made[place], column))
            for place, column in zip(self.values, self.columns, strict=True)
        ]
        names = [_name(column) for column in self.columns]
        if self.action == "DELETE":
            return f"{head} THEN DELETE"
        if self.action == "UPDATE":
            sets = ", ".join(f"{name} = {text}" for name, text in zip(names, texts, strict=True))
            return f"{head} THEN UPDATE SET {sets}"
        return f"{head} THEN INSERT ({', '.join(names)}) VALUES ({', '.join(texts)})"  # noqa: S608 rewritten


def _clause(when: exp.When, table: Table, values: list[exp.Expr]) -> _When:
    if when.args.get("source"):
        raise unsupported_sql("WHEN NOT MATCHED BY SOURCE")
    condition = when.args.get("condition")
    place = None
    if condition is not None:
        place = len(values)
        values.append(condition)
    matched = bool(when.args.get("matched"))
    then = when.args["then"]
    if isinstance(then, exp.Var):
        return _When(matched, "DELETE", [], [], place)
    if isinstance(then, exp.Update):
        columns, new = _assignments(then.expressions, table)
        action = "UPDATE"
    elif isinstance(then, exp.Insert) and isinstance(then.this, exp.Tuple):
        columns = [_column(table, item.name) for item in then.this.expressions]
        new = list(then.expression.expressions)
        action = "INSERT"
        if len(new) != len(columns):
            raise invalid_query("Inserted row has wrong column count")
        for column in table.columns:
            if column.mode == "REQUIRED" and column not in columns:
                raise invalid_query(f"Required field {column.name} cannot be null")
    else:
        raise unsupported_sql("This form of WHEN in MERGE")
    places = list(range(len(values), len(values) + len(new)))
    values.extend(new)
    return _When(matched, action, columns, places, place)


def execute(connection: duckdb.DuckDBPyConnection, planned: PlannedDml) -> tuple[int, dict[str, str]]:
    """Run it; returns the number of affected rows and the DmlStats."""
    if planned.buffered is not None:
        (rows,) = connection.execute(planned.buffered).fetchall()[0]
        if rows:
            raise ServiceError(
                400,
                "invalidQuery",
                f"{'MERGE' if planned.statement == 'MERGE' else 'UPDATE or DELETE'} statement over table "
                f"{planned.table.key} would affect rows in the streaming buffer, which is not supported",
                "query",
            )
    if planned.doubled is not None and connection.execute(planned.doubled).fetchall()[0][0]:
        raise invalid_query("UPDATE/MERGE must match at most one source row for each target row")
    (affected,) = connection.execute(planned.sql).fetchall()[0]
    kinds = {"INSERT": "insertedRowCount", "UPDATE": "updatedRowCount", "DELETE": "deletedRowCount"}
    stats = {kinds[planned.statement]: str(affected)} if planned.statement in kinds else {}
    return int(affected), stats
