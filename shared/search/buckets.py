"""The answer of aggregations, in ElasticSearch's shape, put together from the groups of their query."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec

from shared.search.aggregation_sql import MAX_GROUPS, nodes
from shared.search.aggregations import (
    MAX_NESTING,
    MAX_STEPS,
    Aggregation,
    Distances,
    Filters,
    Histogram,
    Ranges,
    Stats,
    Terms,
)
from shared.search.reading import unsupported

Keys = tuple[str, ...]


class Group(msgspec.Struct, frozen=True):
    """A row of the query: a node, the keys of the buckets on the way, devices, and what stats measured."""

    node: int
    keys: Keys
    devices: int
    count: int = 0
    low: float | None = None
    high: float | None = None
    total: float | None = None

    @classmethod
    def of(cls, row: list[str | None]) -> Group:
        """A group from the cells of a row, which are texts."""
        node, *keys, devices, count, low, high, total = row
        numbers = [None if cell is None else float(cell) for cell in (low, high, total)]
        return cls(
            int(node or 0), tuple(key or "" for key in keys), int(devices or 0), int(count or 0), *numbers
        )


def answer(aggregations: tuple[Aggregation, ...], groups: Iterable[Group]) -> dict[str, Any]:
    """``{name: {buckets: [...]} | {count, min, max, avg, sum}}``; unsupported where there are too many."""
    found = list(groups)
    if len(found) > MAX_GROUPS:
        raise unsupported(
            "aggregations",
            f"make more than {MAX_GROUPS} buckets",
            "Filter first, widen the intervals, or take a field with fewer values",
        )
    tree: list[dict[Keys, Group]] = [{} for _ in nodes(aggregations)]
    for group in found:
        tree[group.node][group.keys] = group
    return _Answer(tree).level(aggregations, iter(range(len(tree))), ())


def _numbered(
    aggregations: tuple[Aggregation, ...], numbers: Any
) -> list[tuple[int, Aggregation, list[Any]]]:
    return [(next(numbers), one, _numbered(one.inner, numbers)) for one in aggregations]


class _Answer:
    def __init__(self, groups: list[dict[Keys, Group]]) -> None:
        self._groups = groups

    def level(self, aggregations: tuple[Aggregation, ...], numbers: Any, keys: Keys) -> dict[str, Any]:
        return self._rendered(_numbered(aggregations, numbers), keys)

    def _rendered(self, numbered: list[tuple[int, Aggregation, list[Any]]], keys: Keys) -> dict[str, Any]:
        return {one.name: self._one(node, one, inner, keys) for node, one, inner in numbered}

    def _one(self, node: int, one: Aggregation, inner: list[Any], keys: Keys) -> dict[str, Any]:
        kind = one.kind
        if isinstance(kind, Stats):
            return _stats(self._groups[node].get(_padded(keys)))
        counts = self._counts(node, keys)

        def bucket(key: str, shown: dict[str, Any]) -> dict[str, Any]:
            count = {"doc_count": counts.get(key, 0)}
            return shown | count | self._rendered(inner, (*keys, key))

        if isinstance(kind, Filters):
            named = enumerate(kind.named)
            return {"buckets": {name: bucket(str(index), {}) for index, (name, _) in named}}
        if isinstance(kind, Ranges | Distances):
            return {
                "buckets": [
                    bucket(
                        str(index),
                        {"key": interval.key}
                        | ({} if interval.low is None else {"from": interval.low})
                        | ({} if interval.high is None else {"to": interval.high}),
                    )
                    for index, interval in enumerate(kind.ranges)
                ]
            }
        if isinstance(kind, Histogram):
            steps = _steps(one, kind, counts)
            return {
                "buckets": [
                    bucket(str(step), {"key": step * kind.interval + kind.offset})
                    for step in steps
                    if counts.get(str(step), 0) >= kind.min_count
                ]
            }
        return _terms(kind, counts, bucket)

    def _counts(self, node: int, keys: Keys) -> dict[str, int]:
        """Key of the bucket → devices, below the buckets of ``keys``."""
        depth = len(keys)
        return {
            group.keys[depth]: group.devices
            for group in self._groups[node].values()
            if group.keys[:depth] == keys
        }


def _padded(keys: Keys) -> Keys:
    return keys + ("",) * (MAX_NESTING - len(keys))


def _stats(group: Group | None) -> dict[str, Any]:
    if group is None or not group.count:
        return {"count": 0, "min": None, "max": None, "avg": None, "sum": 0}
    total = group.total or 0.0
    return {
        "count": group.count,
        "min": group.low,
        "max": group.high,
        "avg": total / group.count,
        "sum": total,
    }


def _steps(one: Aggregation, kind: Histogram, counts: dict[str, int]) -> Iterable[int]:
    found = [int(key) for key in counts]
    for bound in (kind.low, kind.high):
        if bound is not None:
            found.append(math.floor((bound - kind.offset) / kind.interval))
    if not found:
        return ()
    if kind.min_count > 0:
        return sorted({int(key) for key in counts})
    if max(found) - min(found) > MAX_STEPS:
        raise unsupported(
            f"{one.place}.histogram",
            f"spreads over more than {MAX_STEPS} intervals",
            "Widen the interval, filter first, or set minCount to 1 so that empty buckets are left out",
        )
    return range(min(found), max(found) + 1)


def _terms(kind: Terms, counts: dict[str, int], bucket: Any) -> dict[str, Any]:
    order = sorted(counts, key=lambda key: (-counts[key], key))
    kept = [key for key in order if counts[key] >= kind.min_count]
    shown = kept[: kind.size]
    return {
        "buckets": [bucket(key, {"key": _value(key)}) for key in shown],
        "sum_other_doc_count": sum(counts[key] for key in kept[kind.size :]),
    }


def _value(key: str) -> Any:
    """A term back from its text: a letter for the type, then the value."""
    kind, text = key[:1], key[1:]
    if kind == "s":
        return text
    return text == "true" if kind == "b" else msgspec.json.decode(text.encode())
