"""Aggregations computed slowly, in plain Python, over devices in memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from shared.search import match
from shared.search.aggregations import (
    Aggregation,
    Distances,
    Filters,
    Histogram,
    Interval,
    Ranges,
    Stats,
    Terms,
)
from shared.search.conditions import point

Devices = Sequence[match.Device]


def aggregate(aggregations: Sequence[Aggregation], devices: Devices) -> dict[str, Any]:
    """The answer, in the shape of ``shared.search.buckets``."""
    return {one.name: _one(one, devices) for one in aggregations}


def _one(one: Aggregation, devices: Devices) -> dict[str, Any]:
    kind = one.kind

    def bucket(held: Devices, **shown: Any) -> dict[str, Any]:
        return {**shown, "doc_count": len(held), **aggregate(one.inner, held)}

    if isinstance(kind, Stats):
        return _stats([n for device in devices if (n := _number(device, kind)) is not None])
    if isinstance(kind, Filters):
        return {
            "buckets": {
                name: bucket([device for device in devices if match.matches(condition, device)])
                for name, condition in kind.named
            }
        }
    if isinstance(kind, Ranges):
        return {"buckets": _ranges(kind.ranges, devices, lambda device: _number(device, kind), bucket)}
    if isinstance(kind, Distances):
        return {"buckets": _ranges(kind.ranges, devices, lambda device: _distance(device, kind), bucket)}
    if isinstance(kind, Histogram):
        return _histogram(kind, devices, bucket)
    return _terms(kind, devices, bucket)


def _number(device: match.Device, kind: Stats | Ranges | Histogram) -> float | None:
    found = device.number(kind.field)
    return getattr(kind, "missing", None) if found is None else found


def _distance(device: match.Device, kind: Distances) -> float | None:
    lat, lon = (device.number(field) for field in point(kind.field))
    if lat is None or lon is None:
        return None
    distance = match.plane if kind.plane else match.arc
    return distance(kind.lat, kind.lon, lat, lon) / kind.unit


def _ranges(
    ranges: Sequence[Interval],
    devices: Devices,
    measure: Callable[[match.Device], float | None],
    bucket: Callable[..., Any],
) -> list[Any]:
    made = []
    for interval in ranges:
        held = [
            device
            for device in devices
            if (n := measure(device)) is not None
            and (interval.low is None or n >= interval.low)
            and (interval.high is None or n < interval.high)
        ]
        shown: dict[str, Any] = {"key": interval.key}
        if interval.low is not None:
            shown["from"] = interval.low
        if interval.high is not None:
            shown["to"] = interval.high
        made.append(bucket(held, **shown))
    return made


def _stats(numbers: list[float]) -> dict[str, Any]:
    if not numbers:
        return {"count": 0, "min": None, "max": None, "avg": None, "sum": 0}
    total = math.fsum(numbers)
    return {
        "count": len(numbers),
        "min": min(numbers),
        "max": max(numbers),
        "avg": total / len(numbers),
        "sum": total,
    }


def _histogram(kind: Histogram, devices: Devices, bucket: Callable[..., Any]) -> dict[str, Any]:
    held: dict[int, list[match.Device]] = {}
    for device in devices:
        if (n := _number(device, kind)) is not None:
            held.setdefault(math.floor((n - kind.offset) / kind.interval), []).append(device)
    steps = set(held)
    for bound in (kind.low, kind.high):
        if bound is not None and kind.min_count == 0:
            steps.add(math.floor((bound - kind.offset) / kind.interval))
    shown = range(min(steps), max(steps) + 1) if steps else ()
    return {
        "buckets": [
            bucket(held.get(step, []), key=step * kind.interval + kind.offset)
            for step in shown
            if len(held.get(step, [])) >= kind.min_count
        ]
    }


def _terms(kind: Terms, devices: Devices, bucket: Callable[..., Any]) -> dict[str, Any]:
    held: dict[tuple[str, Any], list[match.Device]] = {}
    for device in devices:
        values = {(_letter(value), value) for value in device.scalars(kind.field)}
        if not values and kind.missing is not None:
            values = {("s", kind.missing)}
        for letter, value in values:
            text = value if isinstance(value, str) else str(value).lower()
            if (kind.include is None or text in kind.include) and text not in kind.exclude:
                held.setdefault((letter, value), []).append(device)
    kept = [(key, found) for key, found in held.items() if len(found) >= kind.min_count]
    kept.sort(key=lambda pair: (-len(pair[1]), pair[0][0] + _text(pair[0][1])))
    return {
        "buckets": [bucket(found, key=value) for (_, value), found in kept[: kind.size]],
        "sum_other_doc_count": sum(len(found) for _, found in kept[kind.size :]),
    }


def _letter(value: Any) -> str:
    return "b" if isinstance(value, bool) else "s" if isinstance(value, str) else "n"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value).lower()
