"""A way on the map, taken apart once: where a device is on it at any time."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import NamedTuple

from fulcrum.core.errors import Rejected
from fulcrum.simulation import sphere
from fulcrum.simulation.scenario import Line, Point


class Place(NamedTuple):
    """Where a device is: degrees, its heading (degrees from north), m/s, and metres since its start."""

    lat: float
    lon: float
    heading: float
    speed: float
    distance: float


class _Leg(NamedTuple):
    """From ``start`` to ``end``; it is left at ``begin`` ms, after ``halt`` ms of standing there."""

    start: Point
    end: Point
    begin: float
    halt: float
    speed: float
    length: float
    before: float


class Way:
    """The legs of a line. Rejected (``scenario.line``) for one that leads nowhere."""

    def __init__(self, line: Line) -> None:
        self._at_end = line.at_end
        self._legs: list[_Leg] = []
        # When each leg's halt begins.
        self._starts: list[float] = []
        time = way = 0.0
        for start, end in pairwise(line.points):
            speed = start.speed or line.speed
            length = sphere.distance(start.lat, start.lon, end.lat, end.lon)
            if length == 0.0 and not start.halt:
                continue
            self._starts.append(time)
            self._legs.append(_Leg(start, end, time + start.halt, start.halt, speed, length, way))
            time += start.halt + length / speed * 1000
            way += length
        if not self._legs or way == 0.0:
            raise Rejected("scenario.line", "a line needs two points that are not the same place")
        # The way there, the halt at its end included.
        self.duration = time + line.points[-1].halt
        # Where it turns back it has stood already, so the way back is without the halts at both ends.
        self._arrival = time
        self._way_back = time - line.points[0].halt
        self.length = way

    def at(self, ms: float) -> Place:
        """Where a device is, ``ms`` after it set out."""
        if self._at_end == "stay":
            return self._along(min(ms, self.duration), 0.0)
        if self._at_end == "back":
            rounds, rest = divmod(ms, self.duration + self._way_back)
            behind = 2 * rounds * self.length
            if rest >= self.duration:
                return self._back(rest - self.duration, behind + self.length)
            return self._along(rest, behind)
        laps, rest = divmod(ms, self.duration)
        return self._along(rest, laps * self.length)

    def _back(self, ms: float, behind: float) -> Place:
        # The same way seen from its end, with the halts where they were.
        forth = self._along(self._arrival - ms, 0.0)
        return Place(
            forth.lat,
            forth.lon,
            (forth.heading + 180.0) % 360.0,
            forth.speed,
            behind + self.length - forth.distance,
        )

    def _along(self, ms: float, behind: float) -> Place:
        leg = self._legs[max(0, bisect_right(self._starts, ms) - 1)]
        start, end = leg.start, leg.end
        bearing = sphere.heading(start.lat, start.lon, end.lat, end.lon)
        gone = min(max(0.0, ms - leg.begin) / 1000 * leg.speed, leg.length)
        distance = behind + leg.before + gone
        if gone <= 0.0:
            return Place(start.lat, start.lon, bearing, 0.0 if leg.halt else leg.speed, distance)
        if gone >= leg.length:
            last = (sphere.heading(end.lat, end.lon, start.lat, start.lon) + 180.0) % 360.0
            return Place(end.lat, end.lon, last, 0.0, distance)
        lat, lon = sphere.ahead(start.lat, start.lon, bearing, gone)
        return Place(lat, lon, sphere.heading(lat, lon, end.lat, end.lon), leg.speed, distance)
