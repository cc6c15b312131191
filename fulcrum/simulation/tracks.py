"""Tracks, taken apart once for all devices that play them: when they have a value, and which."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from fulcrum.core import paths
from fulcrum.core.errors import Rejected
from fulcrum.simulation import chance, sphere
from fulcrum.simulation.lines import Way
from fulcrum.simulation.scenario import MIN_EVERY_MS, Frame, Line, Track

# What is told of one track at one instant: values by path.
Values = list[tuple[str, Any]]
MAX_NUMBER = 1e15
# Purposes of chance; tracks have their own numbers from _TRACKS on.
TRACKS = 1_000


class Played(Protocol):
    """A track that is played."""

    def times(self, start: int, end: int) -> Iterator[int]:
        """When it has values, from ``start`` on and before ``end``, in ms of the scenario."""

    def values(self, t: int, position: int, key: bytes) -> Values:
        """What it tells at one of its times. ``position``: ms since the device began, all rounds counted."""


def played(track: Track, number: int, duration: int) -> Played:
    """A track made ready. Rejected ``scenario.track`` or ``scenario.line`` for what cannot be played."""
    for path in (track.path, *_further(track.line)):
        if problem := paths.problem(path):
            raise Rejected("scenario.track", problem)
    if (track.line is None) is not bool(track.frames):
        raise Rejected("scenario.track", f"{track.path}: it has either frames or a line")
    if track.line is not None:
        return _OnLine(track, track.line, number, duration)
    return _ByFrames(track, number, duration)


def _further(line: Line | None) -> list[str]:
    told = (line.heading_path, line.speed_path, line.distance_path) if line else ()
    return [path for path in told if path is not None]


def number(value: float, track: Track) -> float:
    """A number as it is told: within the track's limits, rounded, so that every machine tells the same."""
    if track.min is not None and value < track.min:
        value = track.min
    if track.max is not None and value > track.max:
        value = track.max
    if track.decimals is not None:
        return round(value, track.decimals)
    return float(f"{value:.9g}")


class _Stretch(NamedTuple):
    """From one frame to the next one. ``every`` is 0 where only its beginning has a value."""

    begin: int
    end: int
    every: int
    frame: Frame
    following: Any


class _ByFrames:
    def __init__(self, track: Track, place: int, duration: int) -> None:
        self._track = track
        self._what = TRACKS + place
        self._stretches: list[_Stretch] = []
        frames = track.frames
        for frame, following in zip(frames, [*frames[1:], None], strict=True):
            end = following.t if following is not None else duration
            if not 0 <= frame.t <= duration or (following is not None and end <= frame.t):
                raise Rejected("scenario.track", f"{track.path}: the frame at {frame.t} ms is out of order")
            self._stretches.append(_Stretch(frame.t, end, _every(track, frame), frame, _value(following)))
            _check_ends(track, self._stretches[-1])
        self._begins = [stretch.begin for stretch in self._stretches]

    def times(self, start: int, end: int) -> Iterator[int]:
        at = max(0, bisect_right(self._begins, start) - 1)
        for stretch in self._stretches[at:]:
            if stretch.begin >= end:
                return
            if not stretch.every:
                if stretch.begin >= start:
                    yield stretch.begin
                continue
            skipped = max(0, -((stretch.begin - start) // stretch.every))
            first = stretch.begin + skipped * stretch.every
            # The last frame's end is the scenario's, and no other frame's beginning.
            last = stretch.end + 1 if stretch is self._stretches[-1] else stretch.end
            yield from range(first, min(end, last), stretch.every)

    def values(self, t: int, position: int, key: bytes) -> Values:
        stretch = self._stretches[bisect_right(self._begins, t) - 1]
        frame = stretch.frame
        if frame.interp == "step":
            return [(self._track.path, frame.value)]
        return [(self._track.path, number(self._found(stretch, t, position, key), self._track))]

    def _found(self, stretch: _Stretch, t: int, position: int, key: bytes) -> float:
        frame = stretch.frame
        low = float(frame.value)
        high = low if stretch.following is None else float(stretch.following)
        spread = frame.spread or 0.0
        match frame.interp:
            case "walk":
                return self._strayed(stretch, t, position, key, spread)
            case "random":
                return low + (high - low) * chance.uniform(key, self._what, position)
            case "linear" | "sine":
                gone = (t - stretch.begin) / max(1, stretch.end - stretch.begin)
                if frame.interp == "sine":
                    gone = (1.0 - math.cos(math.pi * gone)) / 2.0
                low += (high - low) * gone
        return low + spread * chance.gauss(key, self._what, position) if spread else low

    def _strayed(self, stretch: _Stretch, t: int, position: int, key: bytes, spread: float) -> float:
        """A step of a walk: halves of the way are drawn between their ends, down to the step.

        So any step is found by itself, and all devices and instances find the same.
        """
        steps = -((stretch.begin - stretch.end) // stretch.every)
        step = (t - stretch.begin) // stretch.every
        round_start = position - t
        low, high = 0, max(steps, step)
        at_low = at_high = float(stretch.frame.value)
        if stretch.following is not None:
            at_high = float(stretch.following)
        elif high:
            at_high += (
                spread * math.sqrt(high) * chance.gauss(key, self._what, round_start, stretch.begin, -1)
            )
        while step != low and step != high:
            middle = (low + high) // 2
            share = (middle - low) / (high - low)
            deviation = spread * math.sqrt((middle - low) * (high - middle) / (high - low))
            drawn = chance.gauss(key, self._what, round_start, stretch.begin, middle)
            value = at_low + (at_high - at_low) * share + deviation * drawn
            if step < middle:
                high, at_high = middle, value
            else:
                low, at_low = middle, value
        return at_low if step == low else at_high


def _value(frame: Frame | None) -> Any:
    return None if frame is None else frame.value


def _every(track: Track, frame: Frame) -> int:
    if frame.every is None:
        if frame.interp != "step":
            raise Rejected("scenario.track", f"{track.path}: the frame at {frame.t} ms says no 'every'")
        return 0
    if frame.every < MIN_EVERY_MS:
        raise Rejected("scenario.track", f"{track.path}: 'every' is at least {MIN_EVERY_MS} ms")
    return frame.every


def _check_ends(track: Track, stretch: _Stretch) -> None:
    if stretch.frame.interp == "step":
        return
    ends = [stretch.frame.value]
    if stretch.following is not None and stretch.frame.interp != "noise":
        ends.append(stretch.following)
    for end in ends:
        if isinstance(end, bool) or not isinstance(end, int | float) or not abs(end) <= MAX_NUMBER:
            raise Rejected(
                "scenario.track", f"{track.path}: the frame at {stretch.begin} ms needs numbers at both ends"
            )


class _OnLine:
    def __init__(self, track: Track, line: Line, place: int, duration: int) -> None:
        if len(line.points) < 2 or line.every < MIN_EVERY_MS:
            raise Rejected(
                "scenario.line", f"a line has two points, and 'every' of {MIN_EVERY_MS} ms or more"
            )
        if not all(speed > 0 for speed in (line.speed, *(point.speed or 1 for point in line.points))):
            raise Rejected("scenario.line", "a line's speeds are above 0 m/s")
        self._track = track
        self._line = line
        self._what = TRACKS + place
        self._duration = duration
        self._way = Way(line)

    def times(self, start: int, end: int) -> Iterator[int]:
        every = self._line.every
        first = -(-start // every) * every
        yield from range(first, min(end, self._duration + 1), every)

    def values(self, t: int, position: int, key: bytes) -> Values:
        line, place = self._line, self._way.at(float(t))
        lat, lon = place.lat, place.lon
        if line.spread:
            north, east = chance.gauss_pair(key, self._what, position)
            lat, lon = sphere.ahead(lat, lon, 0.0, line.spread * north)
            lat, lon = sphere.ahead(lat, lon, 90.0, line.spread * east)
        # A ten-millionth of a degree is a centimetre.
        told: Values = [(self._track.path, {"lat": round(lat, 7), "lon": round(lon, 7)})]
        if line.heading_path:
            told.append((line.heading_path, round(place.heading, 1) % 360.0))
        if line.speed_path:
            told.append((line.speed_path, number(place.speed, self._track)))
        if line.distance_path:
            told.append((line.distance_path, round(place.distance, 1)))
        return told
