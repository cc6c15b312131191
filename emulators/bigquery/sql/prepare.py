"""From text to a tree whose columns and types are known: parse, name, resolve, annotate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sqlglot import exp, parse
from sqlglot.errors import OptimizeError, ParseError, SchemaError, TokenError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.schema import Column
from emulators.bigquery.sql.dialect import METADATA, GoogleSql

_PARTS = {"TIMESTAMP_TRUNC": 1, "DATE_TRUNC": 1, "TIMESTAMP_DIFF": 2, "DATE_DIFF": 2}
TableName = tuple[str, str, str]


def parsed(sql: str) -> exp.Expr:
    """The one statement of a query."""
    try:
        statements = [statement for statement in parse(sql, dialect=GoogleSql) if statement is not None]
    except (ParseError, TokenError) as error:
        raise invalid_query(f"Syntax error: {_plain(error)}") from None
    if not statements:
        raise invalid_query("Syntax error: Unexpected end of statement")
    if len(statements) > 1:
        raise unsupported_sql("A script of several statements")
    tree = statements[0]
    if isinstance(tree, (exp.Command, exp.Semicolon)):
        raise unsupported_sql(f"The statement {sql.strip().split(None, 1)[0].upper()}")
    return _with_forms(tree)


def _plain(error: Exception) -> str:
    """SQLGlot's message without the terminal codes that underline the place."""
    return re.sub(r"\x1b\[\d*m", "", str(error))


def _with_forms(tree: exp.Expr) -> exp.Expr:
    """Name the parts of dates as such, and the functions of the clock."""
    for node in list(tree.find_all(exp.Anonymous)):
        name = node.name.upper()
        index = _PARTS.get(name)
        if index is not None and len(node.expressions) > index:
            part = node.expressions[index]
            if isinstance(part, exp.Anonymous) and part.name.upper() == "WEEK" and len(part.expressions) == 1:
                part.replace(exp.Var(this=f"WEEK({part.expressions[0].name.upper()})"))
            elif isinstance(part, exp.Column) and not part.table:
                part.replace(exp.Var(this=part.name.upper()))
        elif name == "STRING_AGG" and len(node.expressions) == 1:
            _split_distinct(node)
        elif name in ("CURRENT_TIMESTAMP", "CURRENT_DATE") and not node.expressions:
            made = exp.CurrentTimestamp() if name == "CURRENT_TIMESTAMP" else exp.CurrentDate()
            node.replace(made)
    return tree


def _split_distinct(call: exp.Anonymous) -> None:
    """STRING_AGG(DISTINCT x, ','): SQLGlot takes both arguments for DISTINCT's."""
    argument = call.expressions[0]
    distinct = argument.find(exp.Distinct)
    if distinct is None or len(distinct.expressions) != 2:
        return
    value, separator = distinct.expressions
    if distinct is argument:
        argument = separator
    else:
        distinct.replace(separator)
    call.set("expressions", [exp.Distinct(expressions=[value]), argument])


def _named_outputs(tree: exp.Expr) -> None:
    """Name the outputs that have no name as BigQuery does: f0_, f1_ and so on."""
    while isinstance(tree, (exp.SetOperation, exp.Subquery)):
        tree = tree.this
    if not isinstance(tree, exp.Select):
        return
    unnamed = 0
    for item in list(tree.expressions):
        if isinstance(item, exp.Dot) and isinstance(item.expression, exp.Identifier):
            item.replace(exp.alias_(item.copy(), item.expression.name, quoted=True))
        elif not isinstance(item, (exp.Alias, exp.Column, exp.Star)):
            item.replace(exp.alias_(item.copy(), f"f{unnamed}_", quoted=True))
            unnamed += 1


def table_name(table: exp.Table, project: str, dataset: str | None) -> TableName:
    """The full name of a table as it is written in FROM or as the target of a statement."""
    parts = [part.name for part in table.parts if isinstance(part, exp.Identifier)]
    if isinstance(table.this, exp.Anonymous):
        parts.append(table.this.name)
    if any("INFORMATION_SCHEMA" in part.upper() for part in parts):
        raise unsupported_sql("INFORMATION_SCHEMA")
    parts = [piece for part in parts for piece in part.split(".")]
    if len(parts) == 1 and dataset:
        parts.insert(0, dataset)
    if len(parts) == 2:
        parts.insert(0, project)
    if len(parts) != 3:
        raise invalid_query(
            f'Table "{".".join(parts)}" must be qualified with a dataset (e.g. dataset.table).'
        )
    return parts[0], parts[1], parts[2]


def with_full_names(tree: exp.Expr, project: str, dataset: str | None) -> exp.Expr:
    """Give every table that is no WITH name its project and dataset."""
    for table in list(tree.find_all(exp.Table)):
        if not table.db and not isinstance(table.this, exp.Anonymous) and table.name in visible_ctes(table):
            continue
        if isinstance(table.this, exp.Anonymous):
            continue
        catalog, db, name = table_name(table, project, dataset)
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
        table.set("this", exp.to_identifier(name, quoted=True))
        table.set("db", exp.to_identifier(db, quoted=True))
        table.set("catalog", exp.to_identifier(catalog, quoted=True))
    return tree


def visible_ctes(node: exp.Expr) -> set[str]:
    """The names that WITH clauses around a node define."""
    names: set[str] = set()
    parent: exp.Expr | None = node
    while parent is not None:
        with_ = parent.args.get("with_")
        if with_ is not None:
            if with_.args.get("recursive"):
                raise unsupported_sql("WITH RECURSIVE")
            names.update(cte.alias for cte in with_.expressions)
        parent = parent.parent
    return names


def _spelled(tree: exp.Expr, tables: Mapping[TableName, tuple[Column, ...]]) -> None:
    """Write names of columns and aliases as they are defined: BigQuery's are case-insensitive.

    Below a JSON column the names are keys, whose case counts: they are left alone.
    """
    sources = {alias.name.lower(): alias.name for alias in tree.find_all(exp.TableAlias) if alias.this}
    columns = {alias.alias.lower(): alias.alias for alias in tree.find_all(exp.Alias)}
    for alias in tree.find_all(exp.TableAlias):
        columns.update({column.name.lower(): column.name for column in alias.columns})
    for given in tables.values():
        columns.update({column.name.lower(): column.name for column in given})
    for node in tree.find_all(exp.Column):
        parts = node.parts
        at = 1 if len(parts) > 1 and parts[0].name.lower() in sources else 0
        if at:
            parts[0].set("this", sources[parts[0].name.lower()])
        if isinstance(parts[at], exp.Identifier):
            parts[at].set("this", columns.get(parts[at].name.lower(), parts[at].name))


def _refuse_early_aliases(tree: exp.Expr, tables: Mapping[TableName, tuple[Column, ...]]) -> None:
    """BigQuery knows no alias of the list in WHERE, ON or the list itself; SQLGlot puts its expression."""
    for select in tree.find_all(exp.Select):
        aliases = {item.alias for item in select.expressions if isinstance(item, exp.Alias)}
        if not aliases:
            continue
        clauses = [*select.expressions, select.args.get("where"), *(select.args.get("joins") or [])]
        for column in (found for clause in clauses if clause for found in clause.find_all(exp.Column)):
            if column.table or column.name not in aliases or column.find_ancestor(exp.Select) is not select:
                continue
            available = list(_source_columns(select, tables))
            if None not in available and column.name not in available:
                raise invalid_query(f"Unrecognized name: {column.name}")


def _source_columns(
    select: exp.Select, tables: Mapping[TableName, tuple[Column, ...]]
) -> Iterator[str | None]:
    """The columns that FROM offers; None stands for "some that cannot be told here"."""
    sources = [from_.this for from_ in (select.args.get("from_"),) if from_]
    sources += [join.this for join in select.args.get("joins") or []]
    for source in sources:
        if isinstance(source, exp.Table) and source.db:
            for column in tables.get((source.catalog, source.db, source.name), ()):
                yield column.name
        elif isinstance(source, exp.Subquery) and not source.this.is_star:
            yield from source.this.named_selects
        elif isinstance(source, exp.Unnest):
            yield from (
                (column.name for column in source.args["alias"].columns) if source.alias_or_name else ()
            )
        else:
            yield None


def resolved(tree: exp.Expr, tables: Mapping[TableName, tuple[Column, ...]]) -> exp.Expr:
    """Resolve every column against the tables and annotate every expression with its type."""
    _named_outputs(tree)
    _spelled(tree, tables)
    _refuse_early_aliases(tree, tables)
    mapping: dict[str, object] = {}
    for (project, dataset, name), columns in tables.items():
        inner = mapping.setdefault(project, {}).setdefault(dataset, {})  # type: ignore[attr-defined]  # nested
        inner[name] = {column.name: column.sql_type for column in columns}
    schema = (
        MappingSchema(mapping, dialect=GoogleSql, normalize=False)
        if mapping
        else MappingSchema(dialect=GoogleSql)
    )
    try:
        tree = qualify(tree, schema=schema, dialect=GoogleSql, quote_identifiers=True)
        return annotate_types(tree, schema=schema, dialect=GoogleSql, expression_metadata=METADATA)
    except (OptimizeError, SchemaError) as error:
        raise invalid_query(f"Unrecognized name or unresolvable expression: {_plain(error)}") from None
