"""What a message says at a path, whichever way it was sent: as a value, or within an object above it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from fulcrum.core.fold import nest
from fulcrum.core.paths import is_below
from fulcrum.core.settle import settle
from fulcrum.core.writes import Write


class NoNumber(ValueError):
    """There is a value where a number is wanted, and it is none."""


def value_at(message: Mapping[str, Any], path: str) -> Any:
    """What the message writes at ``path``, all of its writes together; None if it writes nothing there.

    ``{"path": "position", "value": {"lat": 1, "lon": 2}}`` has 1 at ``position/lat``, and writes of
    ``position/lat`` and ``position/lon`` have both below ``position``.
    """
    found = [write for write in message.get("data") or () if _meets(write["path"], path)]
    if not found:
        return None
    last = found[-1]
    if last["path"] == path and not isinstance(last.get("value"), dict):
        return last.get("value")
    settled = settle([Write(one["path"], one.get("value"), one.get("op", UNSET)) for one in found])
    value: Any = nest(settled.leaves)
    for key in path.split("/"):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def number_at(message: Mapping[str, Any], path: str) -> float | None:
    """The number that the message writes at ``path``; None if it writes nothing there.

    NoNumber for anything else: a text, true and false, an object.
    """
    value = value_at(message, path)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NoNumber(f"{path} is no number: {value!r}")
    return value


def _meets(at: str, path: str) -> bool:
    return at == path or is_below(path, at) or is_below(at, path)
