"""The kinds of GoogleSQL's types, read off SQLGlot's annotations."""

from __future__ import annotations

from sqlglot import exp

from emulators.bigquery.errors import ServiceError, invalid_query

NUMBERS = ("INT64", "FLOAT64", "NUMERIC")
_KINDS = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INT", "BIGINT"), "INT64"),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "FLOAT64"),
    **dict.fromkeys(("CHAR", "NCHAR", "VARCHAR", "NVARCHAR", "TEXT"), "STRING"),
    **dict.fromkeys(("TIMESTAMPTZ", "TIMESTAMPLTZ"), "TIMESTAMP"),
    **dict.fromkeys(("BINARY", "VARBINARY"), "BYTES"),
    **dict.fromkeys(("TIMESTAMP", "DATETIME"), "DATETIME"),
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
    "BOOLEAN": "BOOL",
    "DATE": "DATE",
    "TIME": "TIME",
    "JSON": "JSON",
    "INTERVAL": "INTERVAL",
    "ARRAY": "ARRAY",
    "STRUCT": "STRUCT",
    "NULL": "NULL",
}


def kind(node: exp.Expr | None) -> str | None:
    """The kind of an annotated expression, None where the type could not be told."""
    if node is None or node.type is None:
        return None
    if isinstance(node.unalias().unnest(), exp.Null):
        return "NULL"
    return kind_of_type(node.type)


def kind_of_type(data_type: exp.DataType) -> str | None:
    """The kind of a type."""
    return _KINDS.get(data_type.this.value)


def element_kind(node: exp.Expr) -> str | None:
    """The kind of an array's elements."""
    inner = node.type.expressions if node.type is not None else []
    return kind_of_type(inner[0]) if inner and isinstance(inner[0], exp.DataType) else None


def named(node: exp.Expr) -> str:
    """A type as messages spell it."""
    this = kind(node)
    if this == "ARRAY":
        return f"ARRAY<{element_kind(node) or '?'}>"
    return this or "?"


def data_type(name: str) -> exp.DataType:
    """SQLGlot's type of a GoogleSQL type."""
    return exp.DataType.build(name, dialect="bigquery")


def typed(node: exp.Expr, like: exp.Expr | exp.DataType | str | None) -> exp.Expr:
    """Give a new node the type of the one that it stands for."""
    if isinstance(like, str):
        node.type = data_type(like)
    elif isinstance(like, exp.DataType):
        node.type = like
    elif like is not None and like.type is not None:
        node.type = like.type
    return node


def comparable(left: str | None, right: str | None) -> bool:
    """Whether two kinds may meet in a comparison or in a list of alternatives."""
    if left is None or right is None or "NULL" in (left, right) or left == right:
        return True
    return left in NUMBERS and right in NUMBERS


def no_signature(what: str, *arguments: exp.Expr) -> ServiceError:
    """The service's message for arguments of the wrong types."""
    return invalid_query(
        f"No matching signature for {what} for argument types: {', '.join(named(a) for a in arguments)}"
    )
