"""Query parameters: checked against their declared types and put into the tree as typed constants."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from emulators.bigquery.errors import ServiceError, invalid, invalid_query, unsupported_sql
from emulators.bigquery.schema import DUCKDB_TYPES, SQL_NAMES
from emulators.bigquery.sql.calls import call, cast, date_literal, number, text, timestamp_literal
from emulators.bigquery.sql.types import data_type, typed
from emulators.bigquery.values import CARRIED_OF_JSON, BadValue

# Marks a constant that is complete already, so that the rewriting leaves it as it is.
DONE = "fulcrum_done"


def constant_of(kind: str, value: Any) -> exp.Expr:
    """A typed constant from a value in its carried form."""
    if value is None:
        made = cast(exp.Null(), DUCKDB_TYPES[kind])
    elif kind == "TIMESTAMP":
        made = timestamp_literal(value)
    elif kind == "DATE":
        made = date_literal(value)
    elif kind == "INT64":
        made = cast(number(value), "BIGINT")
    elif kind == "BOOL":
        made = exp.true() if value else exp.false()
    elif kind == "BYTES":
        made = call("from_base64", text(value))
    elif kind == "STRING":
        made = text(value)
    else:
        made = cast(text(str(value)), DUCKDB_TYPES[kind])
    made = typed(made, kind)
    made.meta[DONE] = True
    return made


class Parameters:
    """The parameters of one query, by name or by position."""

    def __init__(self, mode: str | None, given: list[dict[str, Any]] | None) -> None:
        self._named: dict[str, exp.Expr] = {}
        self._positional: list[exp.Expr] = []
        self._used = 0
        names = [parameter.get("name") for parameter in given or []]
        if mode not in (None, "", "NAMED", "POSITIONAL"):
            raise invalid(f"Invalid parameterMode {mode!r}")
        if (mode == "NAMED" and not all(names)) or (mode == "POSITIONAL" and any(names)):
            raise invalid("Query parameters are given partly by name and partly by position")
        for parameter in given or []:
            made = _parameter(parameter)
            if name := parameter.get("name"):
                if name.lower() in self._named:
                    raise invalid(f"Duplicate query parameter {name}")
                self._named[name.lower()] = made
            else:
                self._positional.append(made)

    def put_into(self, tree: exp.Expr) -> exp.Expr:
        """Replace every ``@name`` and ``?``; one that was not given is an error."""
        for node in list(tree.find_all(exp.Parameter, exp.Placeholder, bfs=False)):
            made = self._take(node)
            if node is tree:
                raise invalid_query("A statement is expected")
            node.replace(made)
        if self._positional and self._used != len(self._positional):
            raise invalid_query(
                f"Query has {self._used} positional parameters but {len(self._positional)} were supplied"
            )
        return tree

    def _take(self, node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Placeholder):
            if self._used >= len(self._positional):
                raise invalid_query("Query parameter number is not defined: too few positional parameters")
            self._used += 1
            return self._positional[self._used - 1].copy()
        if isinstance(node.this, exp.Parameter):
            raise unsupported_sql("A system variable (@@)")
        made = self._named.get(node.name.lower())
        if made is None:
            raise invalid_query(f"Query parameter '{node.name}' not found")
        return made.copy()


def _parameter(parameter: dict[str, Any]) -> exp.Expr:
    declared = parameter.get("parameterType") or {}
    value = parameter.get("parameterValue") or {}
    name = parameter.get("name") or "?"
    kind = declared.get("type")
    if kind == "ARRAY":
        inner = SQL_NAMES.get((declared.get("arrayType") or {}).get("type", ""))
        if inner is None:
            raise unsupported_sql(f"Query parameter {name} of type ARRAY<{declared.get('arrayType')}>")
        items = [_scalar(name, inner, item) for item in value.get("arrayValues") or []]
        made = cast(exp.Array(expressions=items), DUCKDB_TYPES[inner] + "[]")
        made.type = data_type(f"ARRAY<{inner}>")
        for node in made.walk():
            node.meta[DONE] = True
        return made
    if kind not in SQL_NAMES:
        raise unsupported_sql(f"Query parameter {name} of type {kind}")
    return _scalar(name, SQL_NAMES[kind], value)


def _scalar(name: str, kind: str, value: dict[str, Any]) -> exp.Expr:
    given = value.get("value")
    try:
        carried = None if given is None else CARRIED_OF_JSON[kind](given)
    except BadValue as error:
        raise _bad(name, kind, given, error) from None
    return constant_of(kind, carried)


def _bad(name: str, kind: str, value: Any, error: BadValue) -> ServiceError:
    return invalid(f"Invalid value for query parameter {name} of type {kind}: {value!r} ({error})")
