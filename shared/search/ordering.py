"""Sorts. Values of different types stand in Firestore's order: booleans, numbers, texts."""

from __future__ import annotations

import msgspec

from shared.search.fields import Field, read_field
from shared.search.reading import Node

MAX_SORTS = 4


class Sort(msgspec.Struct, frozen=True):
    """One key of an order. ``missing_first``: where devices stand that have no single value there."""

    field: Field
    descending: bool = False
    missing_first: bool = False


def read_sorts(node: Node) -> tuple[Sort, ...]:
    """``[{field, order: asc|desc, missing: _first|_last}]``; a plain text is a field in ascending order."""
    if node.value == []:
        return ()
    sorts = tuple(_read(item) for item in node.items(MAX_SORTS))
    for index, sort in enumerate(sorts):
        if sort.field in [earlier.field for earlier in sorts[:index]]:
            raise node.bad(f"names {sort.field.text} twice", "Name each field once")
    return sorts


def _read(node: Node) -> Sort:
    if isinstance(node.value, str):
        return Sort(_ordered(node))
    node.object(("field", "order", "missing"))
    descending = node.has("order") and node.need("order").choice(("asc", "desc")) == "desc"
    first = node.has("missing") and node.need("missing").choice(("_first", "_last")) == "_first"
    return Sort(_ordered(node.need("field")), descending, first)


def _ordered(node: Node) -> Field:
    field = read_field(node)
    if field.kind == "list":
        raise node.bad(f"{field.text} is a list", "Sort by a field with a single value")
    return field
