"""SQL under construction. All of it is our own text: what a caller wrote is in parameters alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from shared.errors import ApiError

Type = Literal["STRING", "INT64", "FLOAT64", "BOOL", "TIMESTAMP", "JSON"]
# How a value is shown: as its type says, a time as ISO text, or JSON text as what it says.
Show = Literal["", "iso", "json"]

# BigQuery takes up to a million characters; nobody writes by hand what comes near this.
MAX_SQL = 200_000


@dataclass(frozen=True)
class Expr:
    """An expression of a known type.

    ``aggregate``, ``window``: such a function stands in it. ``bare``: a column stands in it outside of any
    aggregate. ``literal``: the constant that it is.
    """

    sql: str
    type: Type
    aggregate: bool = False
    window: bool = False
    bare: bool = False
    show: Show = ""
    literal: Any = None


def built(sql: str, type_: Type, *parts: Expr) -> Expr:
    """An expression made of others."""
    return Expr(
        sql,
        type_,
        any(part.aggregate for part in parts),
        any(part.window for part in parts),
        any(part.bare for part in parts),
    )


class Parameter(NamedTuple):
    """A named query parameter. ``type`` is a GoogleSQL type or ``ARRAY<one>``; TIMESTAMP is in epoch ms."""

    name: str
    type: str
    value: Any


class Parameters:
    """The parameters of one query, equal ones once."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], Parameter] = {}

    def add(self, value: Any, type_: str) -> str:
        """The text by which a value stands in the SQL: ``@p3``."""
        key = (type_, repr(value))
        if key not in self._made:
            self._made[key] = Parameter(f"p{len(self._made)}", type_, value)
        return f"@{self._made[key].name}"

    def strings(self, values: Sequence[str]) -> str:
        """A list of texts."""
        return self.add(list(values), "ARRAY<STRING>")

    def all(self) -> tuple[Parameter, ...]:
        """All of them, in the order in which they came up."""
        return tuple(self._made.values())


def bounded(sql: str) -> str:
    """The SQL, unless it has become longer than a query may be."""
    if len(sql) > MAX_SQL:
        raise ApiError(
            400,
            "query.tooLong",
            f"the query comes to {len(sql)} characters of SQL: at most {MAX_SQL}",
            "Use fewer paths and conditions, or nest functions less deeply.",
        )
    return sql
