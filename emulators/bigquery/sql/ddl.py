"""CREATE TABLE FUNCTION and DROP TABLE FUNCTION: the DDL that this emulator takes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import exp

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.schema import SQL_NAMES
from emulators.bigquery.sql.dialect import GoogleSql
from emulators.bigquery.sql.prepare import parsed, table_name
from emulators.bigquery.sql.types import kind_of_type

_CREATE = re.compile(
    r"\s*CREATE\s+(?P<replace>OR\s+REPLACE\s+)?TABLE\s+FUNCTION\s+(?P<lenient>IF\s+NOT\s+EXISTS\s+)?", re.I
)
_DROP = re.compile(
    r"\s*DROP\s+TABLE\s+FUNCTION\s+(?P<lenient>IF\s+EXISTS\s+)?(?P<name>[\w.`\-]+)\s*;?\s*$", re.I
)


@dataclass(frozen=True)
class FunctionDdl:
    """A statement about a table function. ``lenient``: IF [NOT] EXISTS."""

    statement: str
    key: tuple[str, str, str]
    lenient: bool
    replace: bool = False
    arguments: tuple[tuple[str, str], ...] = ()
    body: str | None = None


def function_ddl(sql: str, project: str, dataset: str | None) -> FunctionDdl | None:
    """Read a statement about a table function, None for any other."""
    if found := _DROP.match(sql):
        name = exp.to_table(found.group("name"), dialect="bigquery")
        key = table_name(name, project, dataset)
        return FunctionDdl("DROP_TABLE_FUNCTION", key, bool(found.group("lenient")))
    found = _CREATE.match(sql)
    if found is None:
        return None
    # SQLGlot knows the statement without IF NOT EXISTS only.
    tree = parsed(f"CREATE TABLE FUNCTION {sql[found.end() :]}")
    function = tree.this
    if not isinstance(tree, exp.Create) or not isinstance(function, exp.UserDefinedFunction):
        raise invalid_query(
            "Syntax error: CREATE TABLE FUNCTION name(argument TYPE, ...) AS query is expected"
        )
    if tree.args.get("properties"):
        raise unsupported_sql("RETURNS and OPTIONS of CREATE TABLE FUNCTION")
    arguments = []
    for argument in function.expressions:
        kind = kind_of_type(argument.args["kind"]) if argument.args.get("kind") else None
        if kind not in SQL_NAMES:
            raise unsupported_sql(f"Argument {argument.name} of this type")
        arguments.append((argument.name, kind))
    body = tree.expression
    while isinstance(body, exp.Subquery):
        body = body.this
    if not isinstance(body, exp.Query):
        raise invalid_query("The body of a table function must be a query")
    return FunctionDdl(
        "CREATE_TABLE_FUNCTION",
        table_name(function.this, project, dataset),
        bool(found.group("lenient")),
        bool(found.group("replace")),
        tuple(arguments),
        body.sql(dialect=GoogleSql),
    )
