"""Queries for many documents at once. What is not there costs nothing, and all of a count is one message: a
batch read answers each document by itself, the missing ones too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from shared.clients.firestore_pb import messages

T = TypeVar("T")

# So many values the store compares in one query.
MOST = 30
_IN = 8


def parts(wanted: Sequence[T]) -> Iterator[Sequence[T]]:
    """What one query may ask for, each."""
    return (wanted[start : start + MOST] for start in range(0, len(wanted), MOST))


def named(collection: str, names: Sequence[str], mask: Sequence[str]) -> Any:
    """The documents of a collection among those named (full names, at most MOST), with some fields."""
    query, values = _among(collection, "__name__")
    for field in mask:
        query.select.fields.add(field_path=field)
    for name in names:
        values.add().reference_value = name
    return query


def having(collection: str, field: str, texts: Sequence[str]) -> Any:
    """The documents of a collection of which a field is one of at most MOST texts."""
    query, values = _among(collection, field)
    for text in texts:
        values.add().string_value = text
    return query


def _among(collection: str, field: str) -> tuple[Any, Any]:
    query = messages().StructuredQuery()
    query.from_.add(collection_id=collection)
    condition = query.where.field_filter
    condition.field.field_path = field
    condition.op = _IN
    return query, condition.value.array_value.values
