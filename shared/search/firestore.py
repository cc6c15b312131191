"""Searches that Firestore's indexes answer, with reads bounded by the page whatever the filter.

- equality (of definition fields and data alike), one of up to 30 values, and one condition on a list: single
  indexes are merged, in the rising order of ids;
- the same on ``systemId``, ``blueprintId``, ``parentDeviceId``, ``tags`` or ``links`` in the order of names,
  by the composite indexes of firestore.indexes.json, with a prefix or range of the name as well;
- a range of one field, in its own order, without any other condition: its own index.

Everything else is BigQuery's: no index would bound what has to be read.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from shared.search.body import Search
from shared.search.conditions import All, Any_, Compare, Condition, Equals, Like, Scalar
from shared.search.fields import ALWAYS, ID, Field
from shared.search.ordering import Sort
from shared.store.query import Query, Where, field_path

# Firestore takes so many alternatives in one query.
MAX_ALTERNATIVES = 30
# So many devices are read by their ids for one page.
MAX_IDS = 200
# Firestore cuts texts in indexes after 1,500 bytes.
_MAX_BYTES = 1_500
# Composite indexes lead from these to the name.
_BEFORE_NAME = frozenset(("systemId", "blueprintId", "parentDeviceId", "tags", "links"))
# Above every character that a text is likely to hold: a prefix ends before it.
_LAST = "\U0010ffff"
_NAME = ("name",)
# Fields of a definition that Firestore holds as they are, but has no index for.
_UNINDEXED = frozenset(("messageRouteId",))


class ByIds(msgspec.Struct, frozen=True):
    """The condition names all devices that can match: they are read, and judged one by one."""

    ids: tuple[str, ...]


def plan(search: Search) -> Query | ByIds | None:
    """How Firestore answers a search; None if it cannot. A cursor is the caller's to fill in."""
    if search.at is not None:
        return None
    conjuncts = [_merged(one) for one in _conjuncts(search.condition)]
    if (found := _ids(conjuncts)) is not None:
        return ByIds(found)
    where: list[Where] = []
    ranged: Field | None = None
    for one in conjuncts:
        made = _equality(one) if isinstance(one, Equals) else _range(one)
        if made is None:
            return None
        if not isinstance(one, Equals):
            field = one.field if isinstance(one, Compare | Like) else None
            if ranged is not None and ranged != field:
                return None
            ranged = field
        where += made
    order = _order(search.sorts, ranged)
    if order is None or not _is_bounded(where) or not _is_indexed(where, order, ranged):
        return None
    return Query(
        tuple(where),
        None if order.field == ID else _path(order.field),
        order.descending,
        search.per_page,
    )


def _conjuncts(condition: Condition) -> tuple[Condition, ...]:
    return condition.conditions if isinstance(condition, All) else (condition,)


def _merged(condition: Condition) -> Condition:
    """Alternatives of one field as one condition."""
    if not isinstance(condition, Any_):
        return condition
    values: list[Scalar] = []
    field: Field | None = None
    for one in condition.conditions:
        if not isinstance(one, Equals) or one.include_empty or (field is not None and one.field != field):
            return condition
        field = one.field
        values += one.values
    return Equals(field, tuple(values)) if field is not None else condition


def _ids(conjuncts: list[Condition]) -> tuple[str, ...] | None:
    for one in conjuncts:
        if isinstance(one, Equals) and one.field == ID and not one.include_empty:
            found = tuple(dict.fromkeys(value for value in one.values if isinstance(value, str)))
            return found if len(found) <= MAX_IDS else None
    return None


def _path(field: Field) -> str:
    return field_path(*(("data", *field.path) if field.is_data else field.path))


def _equality(equals: Equals) -> list[Where] | None:
    """Conditions of equality; None for what no index holds."""
    if equals.include_empty or equals.field.path[0] in _UNINDEXED or not _is_short(equals.values):
        return None
    values = list(dict.fromkeys((type(value) is bool, value) for value in equals.values))
    plain: list[Any] = [value for _, value in values]
    path = _path(equals.field)
    if equals.field.kind == "list":
        # Other values than texts are in no list.
        plain = [value for value in plain if isinstance(value, str)]
        if not plain:
            return None
        one = Where(path, "array-contains", plain[0])
        return [one if len(plain) == 1 else Where(path, "array-contains-any", plain)]
    return [Where(path, "==", plain[0]) if len(plain) == 1 else Where(path, "in", plain)]


def _is_short(values: tuple[Any, ...]) -> bool:
    return all(not isinstance(value, str) or len(value.encode()) < _MAX_BYTES for value in values)


def _range(condition: Condition) -> list[Where] | None:
    """Conditions of a range of one field; both bounds are of one type, which others are not ordered into."""
    if isinstance(condition, Like):
        if condition.how != "startsWith" or condition.ignore_case or condition.field.kind == "list":
            return None
        if condition.value.endswith(_LAST):
            return None
        path = _path(condition.field)
        return [Where(path, ">=", condition.value), Where(path, "<", condition.value + _LAST)]
    if not isinstance(condition, Compare) or condition.include_empty or condition.field == ID:
        return None
    path = _path(condition.field)
    made = []
    if condition.low is not None:
        made.append(Where(path, ">" if condition.low_open else ">=", condition.low))
    if condition.high is not None:
        made.append(Where(path, "<" if condition.high_open else "<=", condition.high))
    return made


def _order(sorts: tuple[Sort, ...], ranged: Field | None) -> Sort | None:
    """The one order that there may be; a range orders by its field where the search says nothing."""
    if not sorts:
        return Sort(ranged or ID)
    if len(sorts) > 1:
        # A second key never decides where the first is the id; else it needs an index of its own.
        return sorts[0] if sorts[0].field == ID and ranged is None else None
    (sort,) = sorts
    if ranged is not None:
        return sort if sort.field == ranged else None
    # Ordering by a field leaves out who has none.
    return sort if sort.field.text in ALWAYS and not sort.field.is_data else None


def _is_bounded(where: list[Where]) -> bool:
    """Within Firestore's limits: alternatives multiply, and one list may be looked into."""
    many = math.prod(len(one.value) for one in where if one.op in ("in", "array-contains-any"))
    lists = sum(one.op in ("array-contains", "array-contains-any") for one in where)
    return many <= MAX_ALTERNATIVES and lists <= 1


def _is_indexed(where: list[Where], order: Sort, ranged: Field | None) -> bool:
    equal = {one.field for one in where if one.op not in ("<", "<=", ">", ">=")}
    if order.field == ID:
        # Names are not read backwards.
        return ranged is None and not order.descending
    if order.field.path == _NAME and not order.field.is_data:
        return equal <= _BEFORE_NAME
    return not equal
