"""The search body, read strictly."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from shared import clock
from shared.quoted import shown
from shared.search.aggregations import Aggregation, AggregationReader, fields_in
from shared.search.conditions import EVERYTHING, Condition, Reader, both, fields_of
from shared.search.fields import ID, Field, read_field
from shared.search.ordering import Sort, read_sorts
from shared.search.reading import Node, invalid, unsupported

DEFAULT_PAGE = 50
MAX_PAGE = 200
# Distinct paths of data that one search may look at: each is folded for every device.
MAX_DATA_PATHS = 20

# Digits of the last instant that there is, in epoch ms.
_MS_DIGITS = 15

KEYS = (
    *("filter", "baseFilter", "defaultFilter", "sort", "baseSort", "defaultSort", "aggregations", "aggs"),
    *("limit", "perPage", "cursor", "includeEmpty", "fields", "total", "at"),
)


class Search(msgspec.Struct, frozen=True):
    """A search as it is meant: base and default parts are merged.

    ``sorts`` are followed by the id, in the direction of the last of them. ``at`` is epoch ms: the fleet as
    it was then; None: as it is. ``fields``: what of each device is answered; None: all of it.
    """

    condition: Condition = EVERYTHING
    sorts: tuple[Sort, ...] = ()
    aggregations: tuple[Aggregation, ...] = ()
    per_page: int = DEFAULT_PAGE
    cursor: str | None = None
    fields: tuple[Field, ...] | None = None
    total: bool = False
    at: int | None = None

    def looked_at(self) -> tuple[Field, ...]:
        """The fields that filter and order look at."""
        return (*fields_of(self.condition), *(sort.field for sort in self.sorts))

    def paths(self) -> tuple[Field, ...]:
        """The distinct data fields that anything of the search looks at, in order of their names."""
        found = {field for field in (*self.looked_at(), *fields_in(self.aggregations)) if field.is_data}
        return tuple(sorted(found, key=lambda field: field.path))

    def ends_descending(self) -> bool:
        """Whether ids descend where all sorts tie."""
        return bool(self.sorts) and self.sorts[-1].descending


def read_search(body: Any, text_paths: tuple[str, ...] = ()) -> Search:
    """A search from its body; ApiError 400 naming the place of a mistake.

    ``text_paths`` are the data paths that ``text`` looks into when it names no fields.
    """
    node = Node({} if body is None else body, "")
    if not isinstance(node.value, dict):
        raise invalid("body", "is no object", "Send a JSON object, such as {filter: ..., sort: ...}")
    node.object(KEYS)
    empty = node.has("includeEmpty") and node.need("includeEmpty").flag()
    conditions = Reader(empty, text_paths)
    search = Search(
        _condition(node, conditions),
        _sorts(node),
        _aggregations(node, conditions),
        _per_page(node),
        node.need("cursor").text(4000) if node.has("cursor") else None,
        _fields(node),
        node.has("total") and node.need("total").flag(),
        read_at(node.need("at")) if node.has("at") else None,
    )
    if len(search.paths()) > MAX_DATA_PATHS:
        raise unsupported(
            "body",
            f"looks at {len(search.paths())} paths of data",
            f"Look at up to {MAX_DATA_PATHS} in one search",
        )
    return search


def read_at(node: Node) -> int:
    """An instant: epoch ms, or ISO 8601 with an offset (``2026-05-01T12:00:00Z``)."""
    value = node.value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MS_DIGITS:
        value = int(value)
    if isinstance(value, str):
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None:
            raise node.bad(f"{shown(value)} is no instant", "Send epoch ms, or ISO 8601 with an offset")
        value = clock.to_ms(instant)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 253_402_300_799_999:
        raise node.bad("is no instant", "Send epoch ms between 1970 and 9999, or ISO 8601 with an offset")
    return value


def _condition(node: Node, conditions: Reader) -> Condition:
    found = [conditions.read(node.need("baseFilter"))] if _given(node, "baseFilter") else []
    chosen = "filter" if _given(node, "filter") else "defaultFilter"
    if _given(node, chosen):
        found.append(conditions.read(node.need(chosen)))
    if chosen == "filter" and _given(node, "defaultFilter"):
        conditions.read(node.need("defaultFilter"))
    return both(*found)


def _given(node: Node, key: str) -> bool:
    # An empty list, or an empty object, is what a page sends that has nothing chosen.
    return node.has(key) and node.value[key] not in ({}, [])


def _sorts(node: Node) -> tuple[Sort, ...]:
    base, own, default = (
        read_sorts(node.need(key)) if node.has(key) else () for key in ("baseSort", "sort", "defaultSort")
    )
    merged: list[Sort] = []
    for sort in (*base, *(own or default)):
        if sort.field == ID:
            # Ids are distinct: nothing after them has a say.
            return (*merged, sort)
        if sort.field not in [earlier.field for earlier in merged]:
            merged.append(sort)
    return tuple(merged)


def _aggregations(node: Node, conditions: Reader) -> tuple[Aggregation, ...]:
    reader = AggregationReader(conditions)
    if node.has("aggregations") and node.has("aggs"):
        raise node.need("aggs").bad("stands beside aggregations", "Send one of the two")
    for key in ("aggregations", "aggs"):
        if node.has(key):
            return reader.read(node.need(key))
    return ()


def _per_page(node: Node) -> int:
    if node.has("limit") and node.has("perPage"):
        raise node.need("limit").bad("stands beside perPage", "Send one of the two")
    for key in ("limit", "perPage"):
        if node.has(key):
            return node.need(key).integer(0 if node.has("aggregations") or node.has("aggs") else 1, MAX_PAGE)
    return DEFAULT_PAGE


def _fields(node: Node) -> tuple[Field, ...] | None:
    if not node.has("fields"):
        return None
    return tuple(_answered(item) for item in node.need("fields").items(100))


def _answered(node: Node) -> Field:
    # Whole maps may be asked for, though not searched.
    if node.value in ("data", "metadata", "networkAliases"):
        return Field(node.value, "data" if node.value == "data" else "scalar", ())
    return read_field(node)
