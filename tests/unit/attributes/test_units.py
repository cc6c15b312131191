"""The data file of units against pint, conversion, and what is not imported for them."""

from __future__ import annotations

import re
import subprocess
import sys
from fractions import Fraction
from typing import Any

import pint
import pytest

from local.processes import ROOT
from shared.attributes import attribute_types, conversion
from shared.attributes.conversion import convert
from shared.attributes.units import unit_types

_PAIRS = [(name, unit) for name, units in unit_types().items() for unit in units.scales]


@pytest.fixture(scope="module")
def exact() -> Any:
    """pint with exact fractions, and the same change of it as the conversion has."""
    registry: Any = pint.UnitRegistry(non_int_type=Fraction, on_redefinition="ignore")
    registry.define("revolutions_per_minute = 1 / minute = rpm")
    return registry


@pytest.mark.parametrize(("name", "unit"), _PAIRS)
def test_the_data_file_agrees_with_pint(exact: Any, name: str, unit: str) -> None:
    units = unit_types()[name]
    zero, one = (
        float(exact.Quantity(Fraction(number), unit).to(units.default).magnitude) for number in (0, 1)
    )
    scale, offset = units.scales[unit]
    assert offset == pytest.approx(zero, rel=1e-12, abs=0)
    assert scale + offset == pytest.approx(one, rel=1e-12, abs=0)


def test_the_units_of_a_type_measure_the_same(exact: Any) -> None:
    seen: dict[str, Any] = {}
    for name, unit in _PAIRS:
        dimension = exact.get_dimensionality(exact.parse_units(unit))
        assert seen.setdefault(name, dimension) == dimension, unit


def test_what_the_conversion_changes_in_pint_is_still_needed() -> None:
    plain: Any = pint.UnitRegistry()
    assert plain.Quantity(60, "rpm").to("Hz").magnitude == pytest.approx(6.283185307)
    assert convert(60, "rpm", "Hz", "frequency") == pytest.approx(1)


@pytest.mark.parametrize(
    ("value", "source", "target", "name", "expected"),
    [
        (212, "degF", "degC", "temperature", 100),
        (-40, "degC", "degF", "temperature", -40),
        (0, "K", "degC", "temperature", -273.15),
        (1, "mi", "km", "length", 1.609344),
        (36, "km/h", "m/s", "speed", 10),
        (1, "atm", "psi", "pressure", 14.695948775),
        (1, "MiB", "B", "bit", 1_048_576),
        (1, "kWh", "MJ", "energy", 3.6),
        (1, "turn", "deg", "angle", 360),
        (60, "L/min", "m^3/h", "flow", 3.6),
        (2, "mAh", "C", "electricCharge", 7.2),
    ],
)
def test_known_conversions(value: float, source: str, target: str, name: str, expected: float) -> None:
    assert convert(value, source, target, name) == pytest.approx(expected)


def test_the_same_unit_gives_the_same_number() -> None:
    for value in (0.1, 10**20, -3):
        assert convert(value, "degF", "degF", "temperature") is value


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((1, "m", "degC", "temperature"), "'m' is no unit of temperature: use one of degC"),
        ((1, "degC", "9**9**9", "temperature"), "is no unit of temperature"),
        ((1, "m", "m", "string"), "string has no units"),
        (("1", "m", "km", "length"), "send a number"),
        ((True, "m", "km", "length"), "send a number"),
        ((float("nan"), "m", "km", "length"), "send a number"),
        ((10**400, "m", "km", "length"), "send a number"),
        ((1e308, "TiB", "bit", "bit"), "too large"),
    ],
)
def test_what_cannot_be_converted_says_why(arguments: tuple[Any, ...], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        convert(*arguments)


def test_the_registry_is_made_once() -> None:
    convert(1, "m", "km", "length")
    before = conversion._registry()
    convert(1, "ft", "km", "length")
    assert conversion._registry() is before


def test_checking_imports_neither_pint_nor_pydantic() -> None:
    code = (
        "import sys\n"
        "from shared import attributes\n"
        "from shared.messages import Write\n"
        "text = attributes.checks_text('strict', [{'path': t, 'type': t, 'values': [1] * (t == 'enum')}"
        " for t in attributes.attribute_types()])\n"
        "checks = attributes.compile_checks(text)\n"
        "for name in attributes.attribute_types():\n"
        "    checks.problems([Write(name, 5), Write(name, 'x'), Write(name, {'value': 1, 'unit': 'm'})])\n"
        "heavy = {'pint', 'pydantic', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "from shared.attributes import conversion\n"
        "conversion.convert(1, 'm', 'km', 'length')\n"
        "assert 'pint' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_unit_types_are_attribute_types() -> None:
    for name, units in unit_types().items():
        kind = attribute_types()[name]
        assert (kind.default_unit, kind.units) == (units.default, tuple(units.scales))
        assert units.scales[units.default] == (1.0, 0.0)
