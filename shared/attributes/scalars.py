"""Checks of values that are one text, number or truth value. Each check gives "" or what to send instead."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

from shared.attributes.units import Units, unit_types

Check = Callable[[Any], str]
Spec = Mapping[str, Any]

_INT64 = 2**63
# From 1970 to the year 9998, as the times of messages.
MAX_MS = 253_370_764_800_000
_ID = re.compile(r"(?!__)[A-Za-z0-9_\-]{1,128}\Z")
_SHOWN = 40
_MAX = sys.float_info.max
# What was converted from another unit still fits at the very edge of a limit.
_EDGE = 1e-9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def shown(value: Any) -> str:
    """A value as a message shows it, cut to some forty characters."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {value if len(value) <= _SHOWN else value[:_SHOWN] + '…'!r}"
    if isinstance(value, int | float):
        return _cut(repr(value)) if abs(value) <= _MAX else "a number beyond all limits"
    if isinstance(value, dict):
        return "an object with " + (_cut(", ".join(map(str, list(value)[:5]))) or "nothing in it")
    return "an array" if isinstance(value, list) else f"a {type(value).__name__}"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def is_number(value: Any) -> bool:
    """Whether a value is a finite number that a double can hold; true and false are none."""
    return (type(value) is int or type(value) is float) and -_MAX <= value <= _MAX


def text(spec: Spec) -> Check:
    """Any text."""

    def check(value: Any) -> str:
        return "" if type(value) is str else f"send a text, not {shown(value)}"

    return check


def number(spec: Spec) -> Check:
    """A finite number within ``min`` and ``max``."""
    low, high = spec.get("min"), spec.get("max")
    wanted = f"send a number{limits(low, high)}"

    def check(value: Any) -> str:
        return "" if is_number(value) and within(value, low, high) else f"{wanted}, not {shown(value)}"

    return check


def percent(spec: Spec) -> Check:
    """A number from 0 to 100, unless ``min`` and ``max`` say otherwise."""
    return number({"min": 0, "max": 100, **{k: v for k, v in spec.items() if v is not None}})


def whole(spec: Spec) -> Check:
    """A whole number of 64 bits within ``min`` and ``max``; 5.0 is one, as stores do not tell it from 5."""
    low, high = spec.get("min"), spec.get("max")
    wanted = f"send a whole number{limits(low, high)}"

    def check(value: Any) -> str:
        good = (type(value) is int or (type(value) is float and value.is_integer())) and (
            -_INT64 <= value < _INT64
        )
        return "" if good and within(value, low, high) else f"{wanted}, not {shown(value)}"

    return check


def boolean(spec: Spec) -> Check:
    """True or false."""

    def check(value: Any) -> str:
        return "" if type(value) is bool else f"send true or false, not {shown(value)}"

    return check


def timestamp(spec: Spec) -> Check:
    """Epoch milliseconds or an ISO 8601 text (without offset: UTC), as the times of events."""
    low, high = spec.get("min"), spec.get("max")
    wanted = f"send epoch milliseconds{limits(low, high)} or a time such as '2026-11-25T10:00:00Z'"

    def check(value: Any) -> str:
        instant = value
        if type(value) is str:
            instant = _instant(value)
        elif type(value) is float and value.is_integer():
            instant = int(value)
        good = type(instant) is int and 0 <= instant <= MAX_MS and within(instant, low, high)
        return "" if good else f"{wanted}, not {shown(value)}"

    return check


def _instant(value: str) -> int | None:
    if len(value) > 64 or value.isdigit():
        return None  # '20261125' may be a date, and is more likely a number in the wrong dress
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return ((found if found.tzinfo else found.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)


def enum(spec: Spec) -> Check:
    """One of ``values``."""
    values = spec.get("values") or ()
    allowed = frozenset(values)
    wanted = f"send one of {_list(values)}"

    def check(value: Any) -> str:
        good = type(value) in (str, int, float) and value in allowed
        return "" if good else f"{wanted}, not {shown(value)}"

    return check if allowed else text(spec)


def resource(spec: Spec) -> Check:
    """The id of a resource, one of ``values`` where there are any."""
    if spec.get("values"):
        return enum(spec)

    def check(value: Any) -> str:
        good = type(value) is str and _ID.match(value)
        return "" if good else f"send the id of a resource, not {shown(value)}"

    return check


def ip(spec: Spec) -> Check:
    """An IPv4 or IPv6 address."""

    def check(value: Any) -> str:
        try:
            good = type(value) is str and bool(ip_address(value))
        except ValueError:
            good = False
        return "" if good else f"send an address such as '192.0.2.7' or '2001:db8::7', not {shown(value)}"

    return check


def relation(spec: Spec) -> Check:
    """No value at all: devices are linked, not written."""

    def check(value: Any) -> str:
        return "link the devices by this relation: it takes no value"

    return check


def unit(spec: Spec) -> Check:
    """A number in the attribute's unit, or ``{value, unit}``, which may repeat the ``type``."""
    name: str = spec["type"]
    units: Units = unit_types()[name]
    own = spec.get("unit") or units.default
    low, high = spec.get("min"), spec.get("max")
    wanted = f"send a number in {own}{limits(low, high)} or {{value, unit}}"
    zero = max(abs(offset) for _, offset in units.scales.values()) / units.scales[own][0]
    low = None if low is None else low - _EDGE * (abs(low) + zero)
    high = None if high is None else high + _EDGE * (abs(high) + zero)

    def check(value: Any) -> str:
        if is_number(value):
            return "" if within(value, low, high) else f"{wanted}, not {shown(value)}"
        if type(value) is not dict or not {"value", "unit"} <= value.keys() <= {"value", "unit", "type"}:
            return f"{wanted}, not {shown(value)}"
        inner, given = value["value"], value["unit"]
        if problem := unit_part(spec, "unit", given) or unit_part(spec, "type", value.get("type", name)):
            return problem
        if not is_number(inner):
            return f"{wanted} with a number as its value, not {shown(inner)}"
        good = within(inner if given == own else units.convert(inner, given, own), low, high)
        return "" if good else f"{wanted}, not {shown(inner)} {given}"

    return check


def unit_part(spec: Spec, part: str, value: Any) -> str:
    """The same for ``value``, ``unit`` or ``type`` of a unit value that is written by itself."""
    name: str = spec["type"]
    scales = unit_types()[name].scales
    if part == "unit":
        good = type(value) is str and value in scales
        return "" if good else f"send a unit of {name} ({_list(scales)}), not {shown(value)}"
    if part == "type":
        return "" if value == name else f"the type is {name}, not {shown(value)}"
    if part == "value":
        return "" if is_number(value) else f"send a number, not {shown(value)}"
    return "it has only value and unit"


def within(value: float, low: float | None, high: float | None) -> bool:
    """Whether a number is not below ``low`` and not above ``high``, each where it is given."""
    return (low is None or value >= low) and (high is None or value <= high)


def limits(low: float | None, high: float | None) -> str:
    """The limits as a message names them."""
    if low is None and high is None:
        return ""
    if high is None:
        return f" of at least {low}"
    return f" of at most {high}" if low is None else f" from {low} to {high}"


def _list(values: Any) -> str:
    names = [str(item) for item in values]
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
