"""When the sun rises and sets at a place on a day. Pure, on astral's formulas (those of NOAA).

A day is one of the place's mean solar time, which its longitude alone decides: it begins about twelve hours
before the sun is highest. The sun rises when its upper edge is seen, with the air's usual refraction: its
centre is 0.833 degrees below the horizon then.

A day may have no sunrise or no sunset: in polar night, under the midnight sun.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

HORIZON = -0.833
# The sun is highest, and lowest, so many seconds at most before or after the mean time says so.
_SPREAD = 2_400.0
_HALF_DAY = 43_200.0
_PRECISION = 0.25


def sun_time(day: date, latitude: float, longitude: float, *, rise: bool) -> datetime | None:
    """The instant of sunrise, or of sunset, of a place's day; None where the day has none.

    Degrees, north and east positive. Right to about half a minute up to 65 degrees of latitude.
    """
    from astral import Observer
    from astral.sun import elevation

    observer = Observer(latitude, longitude)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) - timedelta(hours=longitude / 15)

    def height(seconds: float) -> float:
        return float(elevation(observer, noon + timedelta(seconds=seconds), with_refraction=False))

    highest = _extreme(height, 0.0, 1)
    lowest = _extreme(height, -_HALF_DAY if rise else _HALF_DAY, -1)
    if height(highest) < HORIZON or height(lowest) > HORIZON:
        return None
    return noon + timedelta(seconds=_crossing(height, lowest, highest))


def _extreme(height: Callable[[float], float], around: float, sign: int) -> float:
    """Where the sun is highest (``sign`` 1) or lowest (-1), near a time."""
    low, high = around - _SPREAD, around + _SPREAD
    while high - low > 1.0:
        third = (high - low) / 3
        if sign * height(low + third) < sign * height(high - third):
            low += third
        else:
            high -= third
    return (low + high) / 2


def _crossing(height: Callable[[float], float], below: float, above: float) -> float:
    """Where the sun crosses the horizon between a time at which it is below and one at which it is above."""
    while abs(above - below) > _PRECISION:
        middle = (below + above) / 2
        if height(middle) < HORIZON:
            below = middle
        else:
            above = middle
    return (below + above) / 2
