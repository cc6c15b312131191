"""Aggregations, as values, and reading them from a body in ElasticSearch's shape.

``{"<name>": {"terms": {"field": "blueprintId", "size": 5}, "aggregations": {...}}}``
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from shared.search.conditions import (
    UNITS,
    Condition,
    Reader,
    fields_of,
    point,
    point_field,
    read_point,
)
from shared.search.fields import Field, read_field
from shared.search.reading import Node

MAX_NESTING = 3
MAX_NODES = 20
MAX_BUCKETS = 50
MAX_SIZE = 1000
DEFAULT_SIZE = 10
# What one histogram may spread its bounds over.
MAX_STEPS = 10_000


class Filters(msgspec.Struct, frozen=True):
    """A bucket a condition; buckets may overlap."""

    named: tuple[tuple[str, Condition], ...]


class Interval(msgspec.Struct, frozen=True):
    """``low`` inclusive, ``high`` exclusive."""

    key: str
    low: float | int | None
    high: float | int | None


class Ranges(msgspec.Struct, frozen=True):
    """A bucket a range of numbers; ranges may overlap."""

    field: Field
    ranges: tuple[Interval, ...]


class Distances(msgspec.Struct, frozen=True):
    """A bucket a range of distances from a point, in ``unit`` metres; ``plane``: as on a flat map."""

    field: Field
    lat: float
    lon: float
    unit: float
    plane: bool
    ranges: tuple[Interval, ...]


class Histogram(msgspec.Struct, frozen=True):
    """A bucket an interval of a number; ``bounds``: empty buckets are shown from and to there."""

    field: Field
    interval: float | int
    offset: float | int = 0
    low: float | int | None = None
    high: float | int | None = None
    min_count: int = 0
    missing: float | int | None = None


class Stats(msgspec.Struct, frozen=True):
    """count, min, max, avg and sum of a number."""

    field: Field
    missing: float | int | None = None


class Terms(msgspec.Struct, frozen=True):
    """A bucket a value, the most frequent first."""

    field: Field
    size: int = DEFAULT_SIZE
    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] = ()
    min_count: int = 1
    missing: str | None = None


Kind = Filters | Ranges | Distances | Histogram | Stats | Terms


class Aggregation(msgspec.Struct, frozen=True):
    """A named aggregation with those that run in each of its buckets."""

    name: str
    kind: Kind
    inner: tuple[Aggregation, ...] = ()
    place: str = ""


def fields_in(aggregations: tuple[Aggregation, ...]) -> Iterator[Field]:
    """All fields that aggregations look at."""
    for aggregation in aggregations:
        kind = aggregation.kind
        if isinstance(kind, Filters):
            for _, condition in kind.named:
                yield from fields_of(condition)
        elif isinstance(kind, Distances):
            yield from point(kind.field)
        else:
            yield kind.field
        yield from fields_in(aggregation.inner)


class AggregationReader:
    """Reads aggregations; ``conditions`` reads the conditions in them."""

    def __init__(self, conditions: Reader) -> None:
        self._conditions = conditions
        self._count = 0

    def read(self, node: Node, nesting: int = 1) -> tuple[Aggregation, ...]:
        """The aggregations of one level."""
        if nesting > MAX_NESTING:
            raise node.bad("is nested too deeply", f"Nest at most {MAX_NESTING} levels of aggregations")
        return tuple(self._one(name, item, nesting) for name, item in node.members(MAX_NODES))

    def _one(self, name: str, node: Node, nesting: int) -> Aggregation:
        self._count += 1
        if self._count > MAX_NODES:
            raise node.bad("is one aggregation too many", f"Use at most {MAX_NODES}")
        node.object((*_KINDS, "aggregations", "aggs"))
        kinds = [key for key in node.value if key in _KINDS]
        if len(kinds) != 1:
            raise node.bad(f"names {len(kinds)} kinds", f"Name one of {', '.join(_KINDS)}")
        keys, read = _KINDS[kinds[0]]
        body = node.need(kinds[0])
        body.object(keys)
        kind = read(self, body)
        inner: tuple[Aggregation, ...] = ()
        for key in ("aggregations", "aggs"):
            if node.has(key):
                if isinstance(kind, Stats):
                    raise node.need(key).bad("stands below stats", "stats has no buckets: put it beside it")
                inner += self.read(node.need(key), nesting + 1)
        if len({aggregation.name for aggregation in inner}) < len(inner):
            raise node.bad("names an aggregation twice", "Name each one once, in aggregations or aggs")
        return Aggregation(name, kind, inner, node.place)

    def _filters(self, body: Node) -> Filters:
        body = body.need("filters")
        if isinstance(body.value, list):
            named = [(str(index), item) for index, item in enumerate(body.items(MAX_BUCKETS))]
        else:
            named = list(body.members(MAX_BUCKETS))
        return Filters(tuple((name, self._conditions.read(item)) for name, item in named))

    def _ranges(self, body: Node) -> Ranges:
        return Ranges(_number_field(body), _intervals(body))

    def _distances(self, body: Node) -> Distances:
        origin = body.need("origin")
        origin.object(("lat", "lon"))
        lat, lon = read_point(origin)
        unit = body.need("unit").choice(tuple(UNITS)) if body.has("unit") else "m"
        kind = body.need("type").choice(("arc", "plane")) if body.has("type") else "arc"
        field = point_field(body.need("field"))
        return Distances(field, lat, lon, UNITS[unit], kind == "plane", _intervals(body))

    def _histogram(self, body: Node) -> Histogram:
        low = high = None
        interval = body.need("interval").positive()
        if body.has("bounds"):
            bounds = body.need("bounds")
            bounds.object(("min", "max"))
            low, high = (bounds.need(key).number() if bounds.has(key) else None for key in ("min", "max"))
            if low is not None and high is not None and not 0 <= (high - low) / interval <= MAX_STEPS:
                raise bounds.bad(
                    "are not in order, or too far apart", f"Spread at most {MAX_STEPS} intervals"
                )
        return Histogram(
            _number_field(body),
            interval,
            body.need("offset").number() if body.has("offset") else 0,
            low,
            high,
            _min_count(body, 0),
            _missing_number(body),
        )

    def _stats(self, body: Node) -> Stats:
        return Stats(_number_field(body), _missing_number(body))

    def _terms(self, body: Node) -> Terms:
        return Terms(
            read_field(body.need("field")),
            body.need("size").integer(1, MAX_SIZE) if body.has("size") else DEFAULT_SIZE,
            _texts(body, "include") if body.has("include") else None,
            _texts(body, "exclude") if body.has("exclude") else (),
            _min_count(body, 1),
            body.need("missing").text() if body.has("missing") else None,
        )


def _number_field(body: Node) -> Field:
    field = read_field(body.need("field"))
    if field.kind == "list":
        raise body.need("field").bad(f"{field.text} is a list", "Name a field that holds a number")
    return field


def _missing_number(body: Node) -> float | int | None:
    return body.need("missing").number() if body.has("missing") else None


def _min_count(body: Node, default: int) -> int:
    return body.need("minCount").integer(0, 10**9) if body.has("minCount") else default


def _texts(body: Node, key: str) -> tuple[str, ...]:
    return tuple(item.text() for item in body.need(key).items(MAX_SIZE))


def _intervals(body: Node) -> tuple[Interval, ...]:
    found = []
    for item in body.need("ranges").items(MAX_BUCKETS):
        item.object(("from", "to", "key"))
        low, high = (item.need(key).number() if item.has(key) else None for key in ("from", "to"))
        if low is None and high is None:
            raise item.bad("has no bound", "Give from, to or both")
        key = item.need("key").text() if item.has("key") else f"{_text(low)}-{_text(high)}"
        found.append(Interval(key, low, high))
    return tuple(found)


def _text(bound: float | int | None) -> str:
    return "*" if bound is None else str(float(bound))


_Read = Callable[[AggregationReader, Node], Kind]
_KINDS: dict[str, tuple[tuple[str, ...], _Read]] = {
    "filters": (("filters",), AggregationReader._filters),
    "range": (("field", "ranges"), AggregationReader._ranges),
    "geoDistance": (("field", "origin", "unit", "type", "ranges"), AggregationReader._distances),
    "histogram": (
        ("field", "interval", "offset", "bounds", "minCount", "missing"),
        AggregationReader._histogram,
    ),
    "stats": (("field", "missing"), AggregationReader._stats),
    "terms": (("field", "size", "include", "exclude", "minCount", "missing"), AggregationReader._terms),
}
