"""A slow model of queries in plain Python, written from the documentation and knowing nothing of ours.

Documents are ``{id: {field: value}}`` with values that JSON knows, and NaN. A query is a ``Question``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any

MISSING = object()
NEGATIVE = ("NOT_EQUAL", "NOT_IN", "IS_NOT_NULL", "IS_NOT_NAN")
RANGE = ("LESS_THAN", "LESS_THAN_OR_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL")


@dataclass(frozen=True)
class Condition:
    """One field against one value (or a list of them); ``field`` may have one dot."""

    field: str
    op: str
    value: Any = None


@dataclass(frozen=True)
class Joined:
    """Conditions under AND or OR."""

    word: str
    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Question:
    """A query over one collection. ``orders`` are (field, descending)."""

    where: Any = None
    orders: tuple[tuple[str, bool], ...] = ()
    start: tuple[tuple[Any, ...], bool] | None = None
    end: tuple[tuple[Any, ...], bool] | None = None
    offset: int = 0
    limit: int | None = None


def at(document: dict[str, Any], field: str) -> Any:
    """The value of a field."""
    found: Any = document
    for name in field.split("."):
        if not isinstance(found, dict) or name not in found:
            return MISSING
        found = found[name]
    return found


def is_nan(value: Any) -> bool:
    """Whether a value is NaN."""
    return isinstance(value, float) and math.isnan(value)


def kind(value: Any) -> int:
    """The place of a value's type."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1
    return {int: 2, float: 2, str: 4, bytes: 5, list: 8, dict: 10}[type(value)]


def sign(left: Any, right: Any) -> int:
    """-1, 0 or 1."""
    return int(left > right) - int(left < right)


def compare(left: Any, right: Any) -> int:
    """How two values are ordered."""
    if kind(left) != kind(right):
        return sign(kind(left), kind(right))
    if left is None:
        return 0
    if is_nan(left) or is_nan(right):
        return sign(not is_nan(left), not is_nan(right))
    if isinstance(left, str):
        return sign(left.encode(), right.encode())
    if isinstance(left, list):
        for one, other in zip(left, right, strict=False):
            if compare(one, other):
                return compare(one, other)
        return sign(len(left), len(right))
    if isinstance(left, dict):
        pairs = zip(sorted(left), sorted(right), strict=False)
        for one, other in pairs:
            if one != other:
                return sign(one.encode(), other.encode())
            if compare(left[one], right[other]):
                return compare(left[one], right[other])
        return sign(len(left), len(right))
    return sign(left, right)


def equal(stored: Any, wanted: Any) -> bool:
    """Equality as a filter means it: null and NaN equal nothing."""
    return wanted is not None and not is_nan(wanted) and compare(stored, wanted) == 0


def holds(document: dict[str, Any], where: Any) -> bool:
    """Whether a document fulfils a filter."""
    if where is None:
        return True
    if isinstance(where, Joined):
        answers = [holds(document, part) for part in where.parts]
        return any(answers) if where.word == "OR" else all(answers)
    stored, op, wanted = at(document, where.field), where.op, where.value
    if stored is MISSING:
        return False
    if op == "IS_NULL":
        return stored is None
    if op == "IS_NAN":
        return is_nan(stored)
    if op == "EQUAL":
        return equal(stored, wanted)
    if op == "IN":
        return any(equal(stored, item) for item in wanted)
    if op == "ARRAY_CONTAINS":
        return isinstance(stored, list) and any(equal(item, wanted) for item in stored)
    if op == "ARRAY_CONTAINS_ANY":
        return isinstance(stored, list) and any(equal(item, one) for item in stored for one in wanted)
    if op in NEGATIVE:
        if stored is None or op == "IS_NOT_NULL":
            return stored is not None
        if op == "IS_NOT_NAN":
            return not is_nan(stored)
        refused = wanted if op == "NOT_IN" else [wanted]
        return None not in refused and not any(equal(stored, item) for item in refused)
    if kind(stored) != kind(wanted) or stored is None or is_nan(stored) or is_nan(wanted):
        return False
    order = compare(stored, wanted)
    return {"LESS_THAN": order < 0, "LESS_THAN_OR_EQUAL": order <= 0, "GREATER_THAN": order > 0}.get(
        op, order >= 0
    )


def conditions(where: Any) -> list[Condition]:
    """All conditions of a filter."""
    if where is None:
        return []
    if isinstance(where, Joined):
        return [item for part in where.parts for item in conditions(part)]
    return [where]


def answer(documents: dict[str, dict[str, Any]], question: Question) -> list[str]:
    """The ids of the result, in order."""
    orders = list(question.orders)
    last = orders[-1][1] if orders else False
    ranged = {item.field for item in conditions(question.where) if item.op in RANGE + NEGATIVE}
    orders += [
        (field, last) for field in sorted(ranged, key=lambda f: f.split(".")) if field not in dict(orders)
    ]

    def order(left: str, right: str) -> int:
        for field, down in orders:
            found = compare(at(documents[left], field), at(documents[right], field))
            if found:
                return -found if down else found
        return -sign(left, right) if last else sign(left, right)

    def beyond(key: str, values: tuple[Any, ...]) -> int:
        for wanted, (field, down) in zip(values, orders, strict=False):
            found = compare(at(documents[key], field), wanted)
            if found:
                return -found if down else found
        return 0

    found = [
        key
        for key, document in documents.items()
        if holds(document, question.where) and all(at(document, field) is not MISSING for field, _ in orders)
    ]
    found.sort(key=cmp_to_key(order))
    if question.start is not None:
        values, before = question.start
        found = [key for key in found if beyond(key, values) >= (0 if before else 1)]
    if question.end is not None:
        values, before = question.end
        found = [key for key in found if beyond(key, values) <= (-1 if before else 0)]
    stop = None if question.limit is None else question.offset + question.limit
    return found[question.offset : stop]
