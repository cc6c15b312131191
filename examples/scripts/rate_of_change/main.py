"""Adds to each reading how fast its value changes and its average, both over a window of time.

Stands in a series before the writer (``[reason, writer]``), so that what it adds is stored with the reading.
"""

from __future__ import annotations

from typing import Any

from fulcrum.script import Context, Message, Result, needs
from fulcrum.script.reading import NoNumber, number_at

_MOST = 500


@needs("cache")
def run(message: Message, context: Context) -> Result:
    """The reading with two more values, or None where it goes on as it is."""
    params = context.params
    path = str(params.get("path", "temperature"))
    window = int(1000 * float(params.get("window", 3600)))
    per = 1000 * float(params.get("per", 3600))
    most = int(params.get("samples", _MOST))
    if window <= 0 or per <= 0 or not 2 <= most <= 2000:
        raise ValueError("window and per are above 0, samples 2 to 2000: correct the params of the route")
    if message.get("historical"):
        return None
    try:
        value = number_at(message, path)
    except NoNumber as error:
        context.error(error)
        return None
    if value is None:
        return None
    time = message["time"]
    # Several values of a device may be followed, each by its path.
    followed: dict[str, Any] = context.cache
    samples: list[list[float]] = followed.get(path, [])
    if samples and time <= samples[-1][0] - window:
        # What was around it is forgotten.
        context.log(f"a reading of {context.time.isoformat()} comes after the window has passed it")
        return None
    # One value a time: a reading that comes again changes nothing.
    by_time = {int(at): reading for at, reading in samples} | {time: value}
    kept = sorted((at, reading) for at, reading in by_time.items() if at > max(by_time) - window)[-most:]
    context.set_cache({**followed, path: kept})
    # Of one that comes late, as it would have been in its turn.
    around = [(at, reading) for at, reading in kept if time - window < at <= time]
    added = _added(path, around, per)
    return {**message, "data": [*message.get("data", []), *added]} if added else None


def _added(path: str, samples: list[tuple[int, float]], per: float) -> list[dict[str, Any]]:
    """The writes of the average and, from two readings on, of the rate."""
    if not samples:
        return []
    average = sum(value for _, value in samples) / len(samples)
    added = [{"path": f"{path}Average", "value": average}]
    if len(samples) > 1:
        added.append({"path": f"{path}Rate", "value": _slope(samples) * per})
    return added


def _slope(samples: list[tuple[int, float]]) -> float:
    """The slope of the line that fits best (least squares), per millisecond.

    Steadier than the difference to the reading before, which is mostly noise where readings are close.
    """
    middle = sum(at for at, _ in samples) / len(samples)
    mean = sum(value for _, value in samples) / len(samples)
    over = sum((at - middle) * (value - mean) for at, value in samples)
    return over / sum((at - middle) ** 2 for at, _ in samples)
