"""The attribute types: how a value is checked, how it is searched, and its units.

A *type spec* is a mapping with ``type`` and, where they apply, ``unit``, ``values`` (enum), ``min``, ``max``
(numbers, units and timestamps; in the attribute's unit) and ``isCollection``. Other keys are ignored, so that
an attribute's whole definition is one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Literal, NamedTuple

from shared.attributes import geometry, scalars
from shared.attributes.scalars import Check, Spec, is_number, shown
from shared.attributes.units import unit_types

SearchKind = Literal["string", "number", "boolean", "date", "geoPoint", "geoShape", "shape", "ip"]
RELATIONS = frozenset({"relationship", "parentRelationship"})
# Enough for any list that a person chooses from.
MAX_VALUES = 1_000
MAX_VALUE_CHARACTERS = 200


class AttributeType(NamedTuple):
    """A type. ``units`` is empty and ``default_unit`` None where it has none.

    ``make``: from a type spec to its check, which gives "" or what to send instead.
    """

    name: str
    search_kind: SearchKind
    make: Callable[[Spec], Check]
    default_unit: str | None = None
    units: tuple[str, ...] = ()
    ranged: bool = False


@cache
def attribute_types() -> dict[str, AttributeType]:
    """All types by their name."""
    kinds = [
        AttributeType("string", "string", scalars.text),
        AttributeType("number", "number", scalars.number, ranged=True),
        AttributeType("int", "number", scalars.whole, ranged=True),
        AttributeType("percent", "number", scalars.percent, ranged=True),
        AttributeType("boolean", "boolean", scalars.boolean),
        AttributeType("timestamp", "date", scalars.timestamp, ranged=True),
        AttributeType("enum", "string", scalars.enum),
        AttributeType("resourceEnum", "string", scalars.resource),
        AttributeType("geoPoint", "geoPoint", geometry.geo_point),
        AttributeType("geoJson", "geoShape", geometry.geo_json),
        AttributeType("shape", "shape", geometry.shape),
        AttributeType("ip", "ip", scalars.ip),
        *(AttributeType(name, "string", scalars.relation) for name in sorted(RELATIONS)),
    ]
    kinds += [
        AttributeType(name, "number", scalars.unit, units.default, tuple(units.scales), ranged=True)
        for name, units in unit_types().items()
    ]
    return {kind.name: kind for kind in kinds}


class Problem(NamedTuple):
    """A value that does not fit its attribute. ``message`` says what to send instead."""

    path: str
    type: str
    message: str

    def __str__(self) -> str:
        return f"{self.path + ' ' if self.path else ''}({self.type}): {self.message}"


def definition_problem(spec: Spec) -> str:
    """What is wrong with a type spec itself, and what to do; empty if nothing is."""
    name = spec.get("type")
    kind = attribute_types().get(name) if isinstance(name, str) else None
    if kind is None:
        return f"{name!r} is no type of an attribute: use one of {', '.join(attribute_types())}"
    unit = spec.get("unit")
    if unit is not None and unit not in kind.units:
        allowed = f"use one of {', '.join(kind.units)}" if kind.units else "leave it out: the type has none"
        return f"{unit!r} is no unit of {kind.name}: {allowed}"
    return _range_problem(kind, spec) or _values_problem(kind, spec)


def _range_problem(kind: AttributeType, spec: Spec) -> str:
    given = {name: spec[name] for name in ("min", "max") if spec.get(name) is not None}
    if not given:
        return ""
    if not kind.ranged:
        return f"min and max are for numbers, units and timestamps, not for {kind.name}"
    for name, limit in given.items():
        if not is_number(limit):
            return f"{name} is a number, not {shown(limit)}"
    if len(given) == 2 and given["min"] > given["max"]:
        return f"min ({given['min']}) is above max ({given['max']})"
    return ""


def _values_problem(kind: AttributeType, spec: Spec) -> str:
    values = spec.get("values")
    if kind.name not in ("enum", "resourceEnum"):
        return f"values are for enum and resourceEnum, not for {kind.name}" if values else ""
    if not values:
        return "an enum needs its values: an array of texts or numbers" if kind.name == "enum" else ""
    if not isinstance(values, list | tuple) or len(values) > MAX_VALUES:
        return f"values is an array of at most {MAX_VALUES} texts or numbers"
    for value in values:
        if not (is_number(value) or (type(value) is str and 0 < len(value) <= MAX_VALUE_CHARACTERS)):
            wanted = f"a number or a text of 1 to {MAX_VALUE_CHARACTERS} characters"
            return f"each of values is {wanted}, not {shown(value)}"
    return "" if len(set(values)) == len(values) else "values has one of them twice"


def check(spec: Spec, value: Any, path: str = "") -> Problem | None:
    """The problem of a value with its type spec, None if it fits. Null always fits: it is no value.

    ``path`` is named in the problem. ValueError for a type that there is not.
    """
    if value is None:
        return None
    message = make_check(spec)(value)
    return Problem(path, _name(spec), message) if message else None


def _name(spec: Spec) -> str:
    return f"collection of {spec['type']}" if spec.get("isCollection") else str(spec["type"])


def make_check(spec: Spec) -> Check:
    """The check of a type spec; ValueError for a type that there is not."""
    kind = attribute_types().get(spec["type"])
    if kind is None:
        raise ValueError(f"{spec['type']!r} is no type of an attribute")
    one = kind.make(spec)
    if not spec.get("isCollection") or kind.name in RELATIONS:
        return one

    def collection(value: Any) -> str:
        if type(value) is list:
            members = [(str(index), inner) for index, inner in enumerate(value)]
        elif type(value) is dict:
            members = list(value.items())
        else:
            return f"send an array of values or an object of them by name, not {shown(value)}"
        for name, inner in members:
            if inner is not None and (message := one(inner)):
                return f"in its member {name}: {message}"
        return ""

    return collection


def make_part_check(spec: Spec) -> Callable[[str, Any], str]:
    """The check of what is written *below* an attribute's path: the rest of the path, and the value."""
    name = spec["type"]
    one = make_check({**spec, "isCollection": False})
    if spec.get("isCollection") and name not in RELATIONS:
        inner = make_part_check({**spec, "isCollection": False})

        def member(rest: str, value: Any) -> str:
            _, _, below = rest.partition("/")
            return inner(below, value) if below else one(value)

        return member
    if name == "geoPoint":
        return geometry.point_part
    if name in unit_types():
        return lambda rest, value: scalars.unit_part(spec, rest, value)
    whole = "it is written whole at its own path, not in parts"
    return lambda rest, value: one(value) if name in RELATIONS else whole
