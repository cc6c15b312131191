"""Checks of places and shapes: points, GeoJSON on the globe, and the same shapes on a plane.

Each check gives "" or what to send instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.attributes.scalars import Check, Spec, is_number, shown

# How many arrays stand around a position, by the kind of geometry.
_LEVELS = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
_MAX_NESTING = 8
_RANGES = {"lat": 90, "lon": 180}


def geo_point(spec: Spec) -> Check:
    """``{lat, lon}`` in degrees."""

    def check(value: Any) -> str:
        if type(value) is not dict or value.keys() != _RANGES.keys():
            return f"send {{lat, lon}} in degrees, not {shown(value)}"
        return point_part("lat", value["lat"]) or point_part("lon", value["lon"])

    return check


def point_part(part: str, value: Any) -> str:
    """The same for ``lat`` or ``lon`` alone."""
    most = _RANGES.get(part)
    if most is None:
        return "it has only lat and lon"
    good = is_number(value) and -most <= value <= most
    return "" if good else f"send {part} as a number from -{most} to {most}, not {shown(value)}"


def geo_json(spec: Spec) -> Check:
    """A GeoJSON geometry, Feature or FeatureCollection (RFC 7946)."""

    def check(value: Any) -> str:
        problem = next(_object(value, 0), "")
        return f"send a GeoJSON object: {problem}" if problem else ""

    return check


def shape(spec: Spec) -> Check:
    """A geometry written as in GeoJSON, on a plane: any numbers are coordinates."""

    def check(value: Any) -> str:
        problem = next(_geometry(value, 0, globe=False), "")
        return f"send a shape as a GeoJSON geometry: {problem}" if problem else ""

    return check


def _object(value: Any, level: int) -> Iterator[str]:
    kind = value.get("type") if type(value) is dict else None
    if kind == "FeatureCollection":
        features = value.get("features")
        if type(features) is not list:
            yield "a FeatureCollection has an array of features"
            return
        for feature in features:
            if type(feature) is not dict or feature.get("type") != "Feature":
                yield f"a FeatureCollection holds Features, not {shown(feature)}"
                return
            yield from _object(feature, level + 1)
    elif kind == "Feature":
        if value.get("geometry") is not None:
            yield from _geometry(value["geometry"], level + 1, globe=True)
        if type(value.get("properties", {})) not in (dict, type(None)):
            yield "the properties of a Feature are an object"
    else:
        yield from _geometry(value, level, globe=True)


def _geometry(value: Any, level: int, globe: bool) -> Iterator[str]:
    if type(value) is not dict:
        yield f"it is an object with a type, not {shown(value)}"
        return
    kind = value.get("type")
    if kind == "GeometryCollection":
        inner = value.get("geometries")
        if type(inner) is not list:
            yield "a GeometryCollection has an array of geometries"
        elif level >= _MAX_NESTING:
            yield f"it nests deeper than {_MAX_NESTING} collections"
        else:
            for geometry in inner:
                yield from _geometry(geometry, level + 1, globe)
    elif type(kind) is not str or kind not in _LEVELS:
        yield f"its type is one of {', '.join(_LEVELS)}, GeometryCollection, not {shown(kind)}"
    else:
        yield from _coordinates(value.get("coordinates"), kind, _LEVELS[kind], globe)


def _coordinates(value: Any, kind: str, level: int, globe: bool) -> Iterator[str]:
    if type(value) is not list:
        yield f"the coordinates of a {kind} are arrays around positions, not {shown(value)}"
    elif level == 0:
        yield from _position(value, globe)
    else:
        for inner in value:
            yield from _coordinates(inner, kind, level - 1, globe)
        if level == 1 and kind in ("Polygon", "MultiPolygon") and (len(value) < 4 or value[0] != value[-1]):
            yield "a ring has at least four positions and ends where it begins"
        elif level == 1 and kind in ("LineString", "MultiLineString") and len(value) < 2:
            yield "a line has at least two positions"
        elif kind == "Polygon" and level == 2 and not value:
            yield "a polygon has at least one ring"


def _position(value: list[Any], globe: bool) -> Iterator[str]:
    if not 2 <= len(value) <= 3 or not all(map(is_number, value)):
        yield "a position is two or three numbers"
    elif globe and not (-180 <= value[0] <= 180 and -90 <= value[1] <= 90):
        yield "a position is longitude (-180 to 180), then latitude (-90 to 90)"
