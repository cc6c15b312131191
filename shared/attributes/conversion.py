"""Converting numbers from one unit to another with pint, which is imported at the first conversion.

For the API: the event path never converts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from shared.attributes.scalars import is_number, shown
from shared.attributes.units import unit_types


def convert(value: float, source: str, target: str, type_name: str) -> float:
    """``value``, given in the unit ``source``, as a number in ``target``; both units of the type.

    The same unit gives the same number. ValueError with what to send for a type without units, a unit that
    the type does not have, and what is no finite number.
    """
    units = unit_types().get(type_name)
    if units is None:
        raise ValueError(f"the type {type_name} has no units")
    for unit in (source, target):
        if unit not in units.scales:
            raise ValueError(f"{unit!r} is no unit of {type_name}: use one of {', '.join(units.scales)}")
    if not is_number(value):
        raise ValueError(f"send a number to convert from {source} to {target}, not {shown(value)}")
    if source == target:
        return value
    # Only names of our own list come here: pint would evaluate any expression.
    registry = _registry()
    found = float(registry.Quantity(float(value), source).to(target).magnitude)
    if not math.isfinite(found):
        raise ValueError(f"{value!r} {source} is too large for a number in {target}")
    return found


def number_of(spec: Mapping[str, Any], value: Any) -> Any:
    """A unit attribute's checked value as a number in the attribute's unit; any other value as it is.

    Of a collection each member.
    """
    units = unit_types().get(spec["type"])
    if units is None:
        return value
    if spec.get("isCollection"):
        one = {**spec, "isCollection": False}
        if isinstance(value, Mapping):
            return {name: number_of(one, inner) for name, inner in value.items()}
        return [number_of(one, inner) for inner in value] if isinstance(value, list) else value
    if not isinstance(value, Mapping):
        return value
    return convert(value["value"], value["unit"], spec.get("unit") or units.default, spec["type"])


@cache
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(on_redefinition="ignore")
    # pint counts a revolution as 2 pi radians: 60 rpm would be 6.28 Hz. Who measures an engine means 1 Hz.
    registry.define("revolutions_per_minute = 1 / minute = rpm")
    return registry
