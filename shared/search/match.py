"""Whether a device matches, and where it stands in an order: the meaning of a search, in plain Python.

A device is given as its definition and its nested data. This decides about what was read again in
Firestore, and is what the SQL is held against.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from shared.search.conditions import (
    All,
    Any_,
    Compare,
    Condition,
    Equals,
    Exists,
    Geo,
    Like,
    Not,
    Scalar,
    Text,
    folded,
    point,
)
from shared.search.fields import Field, inside
from shared.search.ordering import Sort

# The radius that BigQuery's geography has, in metres.
EARTH_METRES = 6_371_010.0


class Device(msgspec.Struct, frozen=True):
    """A device to judge: its definition (with ``id``) and its data."""

    definition: Mapping[str, Any]
    data: Mapping[str, Any]

    def at(self, field: Field) -> Any:
        """What stands at a field; None if nothing does."""
        return inside(self.data if field.is_data else self.definition, field.path)

    def scalars(self, field: Field) -> list[Scalar]:
        """The values that conditions compare: of a list its texts, else the one scalar, if it is one."""
        found = self.at(field)
        if field.kind == "list":
            return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []
        return [found] if isinstance(found, str | bool | int | float) else []

    def number(self, field: Field) -> float | None:
        """The number at a field."""
        for value in self.scalars(field):
            if not isinstance(value, bool | str):
                return float(value)
        return None


def matches(condition: Condition, device: Device) -> bool:
    """Whether a device meets a condition."""
    match condition:
        case All():
            return all(matches(inner, device) for inner in condition.conditions)
        case Any_():
            return any(matches(inner, device) for inner in condition.conditions)
        case Not():
            return not matches(condition.condition, device)
        case Exists():
            found = device.at(condition.field)
            return found is not None and (condition.field.kind != "list" or bool(found))
        case Equals():
            values = device.scalars(condition.field)
            if condition.include_empty and not values:
                return True
            return any(_same(value, wanted) for value in values for wanted in condition.values)
        case Compare():
            values = device.scalars(condition.field)
            if condition.include_empty and not values:
                return True
            return any(_within(condition, value) for value in values)
        case Like():
            return any(_alike(condition, value) for value in device.scalars(condition.field))
        case Geo():
            place = [device.number(field) for field in point(condition.field)]
            if place[0] is None or place[1] is None:
                return False
            return arc(condition.lat, condition.lon, place[0], place[1]) <= condition.metres
        case Text():
            texts = [
                folded(value)
                for field in condition.fields
                for value in device.scalars(field)
                if isinstance(value, str)
            ]
            return all(any(word in text for text in texts) for word in condition.words)


def _same(value: Scalar, wanted: Scalar) -> bool:
    if isinstance(value, str) or isinstance(wanted, str):
        return value == wanted
    return isinstance(value, bool) == isinstance(wanted, bool) and float(value) == float(wanted)


def _within(bounds: Compare, value: Scalar) -> bool:
    if isinstance(value, bool):
        return False
    for bound, is_low in ((bounds.low, True), (bounds.high, False)):
        if bound is None:
            continue
        if isinstance(bound, str) != isinstance(value, str):
            return False
        mine: Any = value if isinstance(value, str) else float(value)
        if mine == bound:
            if bounds.low_open if is_low else bounds.high_open:
                return False
        elif (mine < bound) == is_low:
            return False
    return True


def _alike(like: Like, value: Scalar) -> bool:
    if not isinstance(value, str):
        return False
    wanted = like.value
    if like.ignore_case:
        value, wanted = folded(value), folded(wanted)
    if like.how == "startsWith":
        return value.startswith(wanted)
    return value.endswith(wanted) if like.how == "endsWith" else wanted in value


def arc(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """The distance along the sphere between two points, in metres (haversine)."""
    half = math.pi / 360
    across = math.sin((other_lat - lat) * half)
    along = math.sin((other_lon - lon) * half)
    inner = across * across + math.cos(lat * 2 * half) * math.cos(other_lat * 2 * half) * along * along
    return 2 * EARTH_METRES * math.asin(math.sqrt(min(1.0, max(0.0, inner))))


def plane(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """The distance on a flat map around the first point, in metres: quicker to say than right far away."""
    degree = math.pi / 180
    north = (other_lat - lat) * degree
    east = (other_lon - lon) * degree * math.cos((lat + other_lat) / 2 * degree)
    return EARTH_METRES * math.sqrt(north * north + east * east)


def rank(value: Any) -> tuple[int, Any] | None:
    """A single value as it is ordered; None for what has no place of its own in an order."""
    if isinstance(value, bool):
        return 1, value
    if isinstance(value, int | float):
        return 2, float(value)
    return (3, value) if isinstance(value, str) else None


def ordered(devices: Iterable[Device], sorts: Sequence[Sort], ids_descend: bool = False) -> list[Device]:
    """Devices in an order; ids decide where all keys tie."""
    found = sorted(devices, key=lambda device: device.definition["id"], reverse=ids_descend)
    for sort in reversed(sorts):
        present: list[Device] = []
        absent: list[Device] = []
        for device in found:
            (absent if rank(device.at(sort.field)) is None else present).append(device)
        present.sort(key=lambda device: rank(device.at(sort.field)) or (0, 0), reverse=sort.descending)
        found = absent + present if sort.missing_first else present + absent
    return found
