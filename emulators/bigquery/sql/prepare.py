"""From text to a tree whose columns and types are known: parse, name, resolve, annotate."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlglot import TokenType, exp, parse
from sqlglot.errors import OptimizeError, ParseError, SchemaError, TokenError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import MappingSchema

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.schema import Column
from emulators.bigquery.sql.dialect import METADATA, GoogleSql
from emulators.bigquery.sql.scope import (
    check_scopes,
    output_names,
    sources_of,
    visible_ctes,
    with_order_aliases,
)

_PARTS = {"TIMESTAMP_TRUNC": 1, "DATE_TRUNC": 1, "TIMESTAMP_DIFF": 2, "DATE_DIFF": 2}
TableName = tuple[str, str, str]
# A name as the query spells it.
_WRITTEN = "fulcrum_written"


def parsed(sql: str) -> exp.Expr:
    """The one statement of a query."""
    try:
        _refuse_foreign_tokens(sql)
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


def _refuse_foreign_tokens(sql: str) -> None:
    """What SQLGlot reads though GoogleSQL does not know it, and pipes, which it rewrites."""
    for token in GoogleSql().tokenize(sql):
        if token.token_type == TokenType.PIPE_GT:
            raise unsupported_sql("Pipe syntax (|>)")
        if token.token_type == TokenType.DCOLON or (token.token_type == TokenType.EQ and token.text == "=="):
            raise invalid_query(f'Syntax error: Unexpected "{token.text}"')


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
        if isinstance(table.this, exp.Anonymous):
            continue
        cte = None if table.db else visible_ctes(table).get(table.name.lower())
        if cte is not None:
            continue
        catalog, db, name = table_name(table, project, dataset)
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
        table.set("this", exp.to_identifier(name, quoted=True))
        table.set("db", exp.to_identifier(db, quoted=True))
        table.set("catalog", exp.to_identifier(catalog, quoted=True))
    return tree


def _spelled(tree: exp.Expr, tables: Mapping[TableName, tuple[Column, ...]]) -> None:
    """Write each name in one spelling, a column's of a table as in its schema: BigQuery ignores case.

    The results get the query's spelling back (see ``written_names``). Below a JSON column the names
    are keys, whose case counts: they are left alone.
    """
    columns: dict[str, str] = {}
    for given in tables.values():
        columns.update({column.name.lower(): column.name for column in given})
    sources: dict[str, str] = {}
    for table_alias in tree.find_all(exp.TableAlias):
        for identifier in table_alias.columns:
            _respell(identifier, columns)
        if table_alias.this:
            _respell(table_alias.this, sources)
    for node in tree.find_all(exp.Alias, exp.Unnest, exp.Table, exp.Join):
        if isinstance(node, exp.Alias):
            node.meta[_WRITTEN] = node.alias
            _respell(node.args["alias"], columns)
        elif isinstance(node, exp.Unnest):
            _respell(node.args.get("offset"), columns)
        elif isinstance(node, exp.Join):
            for identifier in node.args.get("using") or []:
                _respell(identifier, columns)
        elif not node.args.get("db"):
            _respell(node.this, sources)
    for column in tree.find_all(exp.Column):
        column.meta[_WRITTEN] = column.name
        parts = column.parts
        at = 1 if len(parts) > 1 and parts[0].name.lower() in sources else 0
        if at:
            _respell(parts[0], sources)
        _respell(parts[at], columns)


def _respell(identifier: object, spellings: dict[str, str]) -> None:
    if isinstance(identifier, exp.Identifier):
        identifier.set("this", spellings.setdefault(identifier.name.lower(), identifier.name))


def written_names(tree: exp.Expr) -> list[str]:
    """The names of a resolved query's outputs, as the query spells them."""
    while isinstance(tree, (exp.SetOperation, exp.Subquery)):
        tree = tree.this
    names = []
    for item in tree.expressions:
        inner = item.this if isinstance(item, exp.Alias) and _WRITTEN not in item.meta else item
        names.append(inner.meta.get(_WRITTEN) or item.alias_or_name)
    return names


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
            available = {name for source in sources_of(select) for name in output_names(source, tables)}
            if column.name not in available:
                raise invalid_query(f"Unrecognized name: {column.name}")


def resolved(tree: exp.Expr, tables: Mapping[TableName, tuple[Column, ...]]) -> exp.Expr:
    """Resolve every column against the tables and annotate every expression with its type."""
    _named_outputs(tree)
    check_scopes(tree, tables)
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
        tree = annotate_types(tree, schema=schema, dialect=GoogleSql, expression_metadata=METADATA)
        return with_order_aliases(tree)
    except (OptimizeError, SchemaError) as error:
        raise invalid_query(f"Unrecognized name or unresolvable expression: {_plain(error)}") from None
