"""Attribute types with units: what a value must be, and how it is converted.

For the API (and whoever writes values for people):

- ``definition_problem(spec) -> str``: what is wrong with an attribute's definition ("" if nothing is).
- ``check(spec, value, path="") -> Problem | None``: whether a value fits. ``str(problem)`` is for people:
  ``engine/temperature (temperature): send a number in degC or {value, unit}, not the text 'hot'``.
- ``conversion.convert(81, "degF", "degC", "temperature") -> float``: by pint.
- ``conversion.number_of(spec, value)``: a checked ``{value, unit}`` as a number in the attribute's unit.
- ``attribute_types()``: every type with its ``search_kind``, ``default_unit`` and ``units``.
- ``checks_text(mode, attributes) -> str``: the text for the field ``checks`` of a blueprint's document.
  Rewrite it, and increase the project's revision, in the commit that changes the mode or an attribute.
  ``attributes`` are definitions with ``path`` and the keys of a type spec; other keys are left out.

For the event path: ``compile_checks(text) -> Checks``, ``Checks.mode`` and ``Checks.problems(writes)``.

A type spec is a mapping ``{"type", "unit"?, "values"?, "min"?, "max"?, "isCollection"?}``. A unit value is a
number in the attribute's unit or ``{"value": 21.5, "unit": "degF"}``. ``min`` and ``max`` are in the
attribute's unit, and hold for values in other units too. A collection is an array of values or an object of
them by name. Null always fits: it is no value.

``conversion`` is not imported here: the event path converts nothing, and has no pint.
"""

from __future__ import annotations

from shared.attributes.checks import MODES, Checks, Mode, checks_text, compile_checks, summary
from shared.attributes.types import AttributeType, Problem, attribute_types, check, definition_problem

__all__ = [
    "MODES",
    "AttributeType",
    "Checks",
    "Mode",
    "Problem",
    "attribute_types",
    "check",
    "checks_text",
    "compile_checks",
    "definition_problem",
    "summary",
]
