"""Tells people when a device enters or leaves an area: a circle, or a polygon.

Positions tremble: a device that is inside has left only once it is farther outside than a margin.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from fulcrum.script import Context, Message, needs
from fulcrum.script.reading import value_at

_EARTH = 6_371_008.8  # mean radius in metres

# (latitude, longitude) in degrees
_Point = tuple[float, float]


@needs("cache", "device", params=["fence"])
def run(message: Message, context: Context) -> None:
    """Judge one position. The event goes on unchanged whatever it says."""
    fence, path = context.params["fence"], str(context.params.get("path", "position"))
    if not isinstance(fence, dict):
        raise ValueError(f"fence is {fence!r}: write an object in the params of the route")
    if message.get("historical"):
        return
    value = value_at(message, path)
    if value is None:
        return
    here = _point(value)
    if here is None:
        context.error(f"{path} is no position: {value!r}")
        return
    # Several fences may watch a device, each with a name of its own.
    name = str(fence.get("name", "fence"))
    fences: dict[str, Any] = context.cache
    known = fences.get(name, {})
    # An event that comes late or again says nothing about what is known to be newer.
    if [message["time"], message["id"]] <= known.get("last", [0, ""]):
        return
    was_inside = known.get("inside")
    margin = float(context.params.get("margin", 0))
    is_inside = _beyond(here, fence) <= (margin if was_inside else 0)
    if is_inside is was_inside:
        return
    context.set_cache({**fences, name: {"inside": is_inside, "last": [message["time"], message["id"]]}})
    place = "fences/" + (re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "fence")
    context.set_device_data({f"{place}/inside": is_inside, f"{place}/since": message["time"]})
    # Where a device was before its first position nobody knows.
    if was_inside is not None:
        _tell(context, f"{context.device.get('name') or context.device_id} has {_verb(is_inside, name)}")


def _verb(is_inside: bool, name: str) -> str:
    return f"{'entered' if is_inside else 'left'} {name}"


def _tell(context: Context, title: str) -> None:
    """A text message to each number among the recipients, a mail to each address."""
    text = f"{title} at {context.time:%Y-%m-%d %H:%M:%S} UTC."
    given = context.params.get("recipients", [])
    recipients = [given] if isinstance(given, str) else [str(one) for one in given]
    phones = [one for one in recipients if "@" not in one]
    addresses = [one for one in recipients if "@" in one]
    if phones:
        context.send_sms(text, phones)
    if addresses:
        context.send_email(title, addresses, text=text + "\n")


def _point(value: Any) -> _Point | None:
    """A position of a message, ``{lat, lon}``; None if it is none."""
    if not isinstance(value, Mapping):
        return None
    lat, lon = _degrees(value.get("lat"), 90), _degrees(value.get("lon"), 180)
    return None if lat is None or lon is None else (lat, lon)


def _degrees(value: Any, most: float) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and -most <= value <= most else None


def _beyond(here: _Point, fence: Mapping[str, Any]) -> float:
    """Metres from a point to the fence's area; 0 inside and on its edge. ValueError for a faulty fence."""
    if "polygon" in fence:
        corners = [_corner(corner) for corner in fence["polygon"]]
        if len(corners) < 3:
            raise ValueError("the fence's polygon has fewer than 3 corners: correct the params of the route")
        return _beyond_polygon(_flat(here, corners))
    centre = _point(fence)
    if centre is None or not float(fence.get("radius", 0)) > 0:
        raise ValueError(
            "the fence is neither {lat, lon, radius} nor {polygon}: correct the params of the route"
        )
    return max(0.0, _distance(here, centre) - float(fence["radius"]))


def _corner(value: Any) -> _Point:
    pair = isinstance(value, Sequence) and len(value) == 2
    point = _point({"lat": value[0], "lon": value[1]} if pair else value)
    if point is None:
        raise ValueError(f"{value!r} is no corner: write [latitude, longitude] in the params of the route")
    return point


def _distance(one: _Point, other: _Point) -> float:
    """Metres between two points along a great circle, by the haversine formula."""
    lat1, lon1, lat2, lon2 = map(math.radians, (*one, *other))
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH * math.asin(min(1.0, math.sqrt(half)))


def _flat(here: _Point, corners: Sequence[_Point]) -> list[_Point]:
    """Corners in metres (east, north) as seen from a point, the first one the shorter way round the earth.

    The others stand beside the first, so that a fence may lie across the 180th meridian. Good for fences of
    some hundred kilometres; none may hold a pole.
    """
    scale = math.radians(1) * _EARTH
    first = _turned(corners[0][1] - here[1])
    return [
        (
            (first + _turned(lon - corners[0][1])) * scale * math.cos(math.radians(here[0])),
            (lat - here[0]) * scale,
        )
        for lat, lon in corners
    ]


def _turned(degrees: float) -> float:
    """An angle between -180 and 180 degrees."""
    return (degrees + 180) % 360 - 180


def _beyond_polygon(corners: Sequence[_Point]) -> float:
    """Metres from the origin to a polygon; 0 inside and on its edge."""
    is_inside = False
    nearest = math.inf
    for (x1, y1), (x2, y2) in zip(corners, (*corners[1:], corners[0]), strict=True):
        # A ray to the east crosses an edge, whose lower end counts and whose upper one does not.
        if (y1 > 0) is not (y2 > 0) and x1 - y1 * (x2 - x1) / (y2 - y1) > 0:
            is_inside = not is_inside
        nearest = min(nearest, _to_edge(x1, y1, x2, y2))
    return 0.0 if is_inside else nearest


def _to_edge(x1: float, y1: float, x2: float, y2: float) -> float:
    """Metres from the origin to the nearest point of an edge."""
    dx, dy = x2 - x1, y2 - y1
    length = dx * dx + dy * dy
    along = 0.0 if length == 0 else max(0.0, min(1.0, -(x1 * dx + y1 * dy) / length))
    return math.hypot(x1 + along * dx, y1 + along * dy)
