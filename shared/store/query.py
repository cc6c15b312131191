"""Queries of the store, how they become Firestore's, and cursors. Pure.

A cursor holds the values at which the next page starts and a digest of its query: a cursor of another query
is refused instead of answering something odd.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Literal

import msgspec

from fulcrum.core import ids
from shared import values
from shared.clients.firestore_pb import messages
from shared.errors import ApiError

DEFAULT_PER_PAGE = 50
MAX_PER_PAGE = 200

Op = Literal["==", "<", "<=", ">", ">=", "in", "array-contains", "array-contains-any"]
# The numbers of Firestore's operators, google/firestore/v1/query.proto.
_OPS: dict[str, int] = {
    "<": 1,
    "<=": 2,
    ">": 3,
    ">=": 4,
    "==": 5,
    "array-contains": 7,
    "in": 8,
    "array-contains-any": 9,
}
_ASCENDING, _DESCENDING = 1, 2
_AND = 1
# What Firestore takes for the id of a document; all of ours are such.
_RESOURCE = re.compile(r"(?!\.{1,2}\Z|__.*__\Z)[^/]+\Z", re.DOTALL)
_encode = msgspec.json.Encoder(order="deterministic").encode


class Where(msgspec.Struct, frozen=True):
    """One condition on a field (a path with dots, quoted by :func:`field_path` where needed)."""

    field: str
    op: Op
    value: Any


class Query(msgspec.Struct, frozen=True):
    """Conditions (all hold), an order and a page. Documents of equal order come in the order of their ids.

    ``also``: further conditions, of which cursors do not depend (what a caller may see of a list).
    ``within``: whose resources these are; the cursor of another project or kind is refused.
    """

    where: tuple[Where, ...] = ()
    order: str | None = None
    descending: bool = False
    limit: int = DEFAULT_PER_PAGE
    after: str | None = None
    also: tuple[Where, ...] = ()
    within: str = ""


class _Cursor(msgspec.Struct, array_like=True):
    query: str
    values: list[Any]


def field_path(*segments: str) -> str:
    """A field path as Firestore writes it: a segment that is no plain word stands in backticks."""
    return ".".join(
        segment
        if segment.isidentifier() and segment.isascii()
        else "`" + segment.replace("\\", "\\\\").replace("`", "\\`") + "`"
        for segment in segments
    )


def _segments(path: str) -> list[str]:
    """The segments of a field path, as :func:`field_path` joined them: one in backticks may hold dots."""
    return [
        re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
        for quoted, plain in re.findall(r"`((?:[^`\\]|\\.)*)`|([^.`]+)", path)
    ]


def conditions(collection: str, query: Query) -> Any:
    """The StructuredQuery of a query's conditions alone, without its order and page."""
    built = messages().StructuredQuery()
    built.from_.add(collection_id=collection)
    where = (*query.where, *query.also)
    if len(where) == 1:
        _fill(built.where.field_filter, where[0])
    elif where:
        built.where.composite_filter.op = _AND
        for condition in where:
            _fill(built.where.composite_filter.filters.add().field_filter, condition)
    return built


def counted(collection: str, query: Query) -> Any:
    """The StructuredQuery that counts a query: in its order, so that the same index answers both."""
    built = conditions(collection, query)
    if query.order is not None:
        order = built.order_by.add(direction=_DESCENDING if query.descending else _ASCENDING)
        order.field.field_path = query.order
    return built


def structured(collection: str, query: Query, parent: str) -> Any:
    """The StructuredQuery of a query: one document more than the page, to see whether there is a next one."""
    built = conditions(collection, query)
    direction = _DESCENDING if query.descending else _ASCENDING
    if query.order is not None:
        order = built.order_by.add(direction=direction)
        order.field.field_path = query.order
    by_id = built.order_by.add(direction=direction)
    by_id.field.field_path = "__name__"
    built.limit.value = query.limit + 1
    if query.after is not None:
        _start(built.start_at, query, collection, parent)
    return built


def cursor(query: Query, last_id: str, fields: dict[str, Any]) -> str:
    """The cursor of the page behind the document ``last_id``."""
    at = [last_id] if query.order is None else [_at(fields, query.order), last_id]
    text = _encode(_Cursor(_fingerprint(query), at))
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _fill(target: Any, condition: Where) -> None:
    target.field.field_path = condition.field
    target.op = _OPS[condition.op]
    values.fill(target.value, condition.value)


def _start(target: Any, query: Query, collection: str, parent: str) -> None:
    at = position(query)
    for value in at[:-1]:
        values.fill(target.values.add(), value)
    target.values.add().reference_value = f"{parent}/{collection}/{at[-1]}"
    target.before = False


def position(query: Query) -> list[Any]:
    """Where a query's cursor stands: the last document's order, if there is one, and its id.

    ApiError 400 ``cursor.invalid`` for the cursor of another query.
    """
    text = query.after or ""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = msgspec.json.decode(raw, type=_Cursor)
    except (binascii.Error, ValueError, RecursionError):
        raise invalid_cursor() from None
    expected = 1 if query.order is None else 2
    last = found.values[-1] if found.values else None
    if (
        found.query != _fingerprint(query)
        or len(found.values) != expected
        or not isinstance(last, str)
        or not _RESOURCE.match(last)
        or any(isinstance(value, list | dict) for value in found.values)
    ):
        raise invalid_cursor()
    return found.values


def invalid_cursor() -> ApiError:
    """400 for the cursor of another query."""
    return ApiError(
        400,
        "cursor.invalid",
        "the cursor does not belong to this query",
        "send the 'next' of the page before, with the same other parameters; leave it out to start again",
    )


def _fingerprint(query: Query) -> str:
    conditions = [[w.field, w.op, w.value] for w in query.where]
    return ids.digest("cursor", _encode([query.within, conditions, query.order, query.descending]))


def _at(fields: dict[str, Any], path: str) -> Any:
    value: Any = fields
    for segment in _segments(path):
        value = value.get(segment) if isinstance(value, dict) else None
    return value
