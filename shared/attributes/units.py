"""The units of each unit type, and what they are in its default unit.

``units.json``: type → {"default": unit, "units": {unit: [scale] or [scale, offset]}}, where a number in the
default unit is ``number * scale + offset``. A test holds the names and numbers against pint, which is too
heavy for the event path. A name is spelled as pint reads it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec


class Units(NamedTuple):
    """The units of one type: each with its scale and its offset."""

    default: str
    scales: dict[str, tuple[float, float]]

    def convert(self, number: float, source: str, target: str) -> float:
        """A number in another unit, close enough to compare; ``conversion.convert`` is exact."""
        scale, offset = self.scales[source]
        target_scale, target_offset = self.scales[target]
        return (number * scale + offset - target_offset) / target_scale


class _Listed(msgspec.Struct):
    default: str
    units: dict[str, list[float]]


@cache
def unit_types() -> dict[str, Units]:
    """The units by type, read at the first call."""
    text = Path(__file__).with_name("units.json").read_bytes()
    listed = msgspec.json.decode(text, type=dict[str, _Listed])
    return {
        name: Units(
            found.default,
            {unit: (parts[0], parts[1] if len(parts) > 1 else 0.0) for unit, parts in found.units.items()},
        )
        for name, found in listed.items()
    }
