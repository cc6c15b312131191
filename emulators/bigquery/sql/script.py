"""The one script that is taken: ``BEGIN TRANSACTION; ...; COMMIT TRANSACTION``, with queries, DML and ASSERT.

All of it is done or nothing: a statement that fails, or an ASSERT that does not hold, rolls back what came
before it. https://cloud.google.com/bigquery/docs/transactions and, for ASSERT,
https://cloud.google.com/bigquery/docs/reference/standard-sql/debugging-statements
"""

from __future__ import annotations

import re

from sqlglot import TokenType
from sqlglot.errors import TokenError

from emulators.bigquery.errors import invalid_query, unsupported_sql
from emulators.bigquery.sql.dialect import GoogleSql

_BEGIN = re.compile(r"BEGIN(\s+TRANSACTION)?\Z", re.I)
_COMMIT = re.compile(r"COMMIT(\s+TRANSACTION)?\Z", re.I)
_ASSERT = re.compile(r"ASSERT\b(?P<condition>.*?)(?:\bAS\s+'(?P<text>[^'\\]*)')?\Z", re.I | re.S)


def transaction_of(sql: str) -> list[str] | None:
    """The statements between BEGIN and COMMIT; None for what is no transaction."""
    if not re.match(r"\s*BEGIN\b", sql, re.I):
        return None
    statements = _split(sql)
    if not _BEGIN.match(statements[0]):
        raise unsupported_sql("A script that begins otherwise than with BEGIN TRANSACTION;")
    if len(statements) < 2 or not _COMMIT.match(statements[-1]):
        raise unsupported_sql("A transaction that does not end with COMMIT TRANSACTION")
    inner = statements[1:-1]
    for statement in inner:
        if _BEGIN.match(statement) or _COMMIT.match(statement):
            raise invalid_query("Transaction control statements are not supported inside of a transaction")
    return inner


def assertion_of(statement: str) -> tuple[str, str] | None:
    """The condition of an ASSERT as a query, and what is said where it does not hold; None for others."""
    found = _ASSERT.match(statement)
    if found is None:
        return None
    if not found["condition"].strip():
        raise invalid_query("Syntax error: ASSERT needs an expression")
    return f"SELECT ({found['condition']}) AS assertion", found["text"] or "Assertion failed"


def _split(sql: str) -> list[str]:
    """The statements of a script: what stands between semicolons, none of which is in a literal."""
    try:
        tokens = GoogleSql().tokenize(sql)
    except TokenError as error:
        raise invalid_query(f"Syntax error: {error}") from None
    ends = [token.start for token in tokens if token.token_type == TokenType.SEMICOLON]
    starts = [0, *(end + 1 for end in ends)]
    parts = [sql[start:end].strip() for start, end in zip(starts, [*ends, len(sql)], strict=True)]
    return [part for part in parts if part]
