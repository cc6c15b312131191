"""Conditions as SQL over the columns of ``fleet``. No text of a caller's stands in it: only parameters do.

A field that a search looks at has columns there, by its number: ``s1`` its text, ``n1`` its number, ``b1``
its boolean, ``r1`` its number as text, ``x1`` whether there is anything, ``l1`` the texts of a list. Every
condition is TRUE or FALSE, never NULL, so that NOT means what it says.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.search.conditions import (
    CASE_FOLDED,
    All,
    Any_,
    Compare,
    Condition,
    Equals,
    Exists,
    Geo,
    Like,
    Not,
    Scalar,
    Text,
    folded,
    point,
)
from shared.search.fields import Field
from shared.search.match import EARTH_METRES

# (name, GoogleSQL type or ARRAY<type>, value), as ``shared.clients.bigquery`` takes them.
Parameter = tuple[str, str, Any]


class Parameters:
    """The parameters of one query, equal ones once."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], Parameter] = {}

    def add(self, value: Any, kind: str = "STRING") -> str:
        """The text by which a value stands in the SQL."""
        key = (kind, repr(value))
        if key not in self._made:
            self._made[key] = (f"p{len(self._made)}", kind, value)
        return f"@{self._made[key][0]}"

    def number(self, value: float | int) -> str:
        """A number."""
        return self.add(float(value), "FLOAT64")

    def texts(self, values: Iterable[str]) -> str:
        """A list of texts."""
        return self.add(list(values), "ARRAY<STRING>")

    def all(self) -> tuple[Parameter, ...]:
        """All of them, in the order in which they came up."""
        return tuple(self._made.values())


class Expressions:
    """Makes SQL of conditions, over columns that are numbered by ``fields``."""

    def __init__(self, fields: Iterable[Field], parameters: Parameters) -> None:
        self.fields = tuple(dict.fromkeys(fields))
        self.parameters = parameters
        self._numbers = {field: number for number, field in enumerate(self.fields)}

    def number_of(self, field: Field) -> int:
        """The number by which a field's columns are called."""
        return self._numbers[field]

    def column(self, kind: str, field: Field) -> str:
        """The column of a field; ``kind`` as in the module's text."""
        return f"{kind}{self._numbers[field]}"

    def condition(self, condition: Condition) -> str:
        """A condition, in parentheses where it needs them."""
        match condition:
            case All():
                return self._joined(condition.conditions, " AND ", "TRUE")
            case Any_():
                return self._joined(condition.conditions, " OR ", "FALSE")
            case Not():
                return f"(NOT {self.condition(condition.condition)})"
            case Exists():
                return self.column("x", condition.field)
            case Equals():
                return self._or_empty(condition, self._equals(condition.field, condition.values))
            case Compare():
                return self._or_empty(condition, self._compare(condition))
            case Like():
                return self._any_text(condition.field, lambda text: self._like(condition, text))
            case Geo():
                near = f"{self.arc(condition.field, condition.lat, condition.lon)} <= "
                return _sure(near + self.parameters.number(condition.metres))
            case Text():
                return self._joined_sql((self._word(condition, word) for word in condition.words), " AND ")

    def _joined(self, conditions: Iterable[Condition], word: str, none: str) -> str:
        made = [self.condition(condition) for condition in conditions]
        return f"({word.join(made)})" if made else none

    def _joined_sql(self, made: Iterable[str], word: str) -> str:
        return f"({word.join(made)})"

    def _or_empty(self, condition: Equals | Compare, made: str) -> str:
        if not condition.include_empty:
            return made
        field = condition.field
        if field.kind == "list":
            return f"(ARRAY_LENGTH({self.column('l', field)}) = 0 OR {made})"
        columns = (self.column(kind, field) for kind in "snb")
        return f"(({' AND '.join(f'{column} IS NULL' for column in columns)}) OR {made})"

    def _equals(self, field: Field, values: tuple[Scalar, ...]) -> str:
        made = []
        texts = [value for value in values if isinstance(value, str)]
        if texts:
            given = self.parameters.texts(texts)
            made.append(self._any_text(field, lambda text: f"{text} IN UNNEST({given})"))
        if field.kind != "list":
            numbers = [float(v) for v in values if not isinstance(v, str | bool)]
            if numbers:
                given = self.parameters.add(numbers, "ARRAY<FLOAT64>")
                made.append(_sure(f"{self.column('n', field)} IN UNNEST({given})"))
            for wanted in (True, False):
                if any(value is wanted for value in values):
                    made.append(_sure(f"{self.column('b', field)} = {str(wanted).upper()}"))
        return self._joined_sql(made, " OR ") if made else "FALSE"

    def _compare(self, compare: Compare) -> str:
        textual = isinstance(compare.low if compare.low is not None else compare.high, str)
        column = self.column("s" if textual else "n", compare.field)
        made = []
        for bound, sign, is_open in (
            (compare.low, ">", compare.low_open),
            (compare.high, "<", compare.high_open),
        ):
            if bound is not None:
                given = (
                    self.parameters.add(bound) if isinstance(bound, str) else self.parameters.number(bound)
                )
                made.append(f"{column} {sign}{'' if is_open else '='} {given}")
        return _sure(" AND ".join(made))

    def _any_text(self, field: Field, made: Any) -> str:
        """What holds of a field's text, or of one of a list's texts."""
        if field.kind == "list":
            texts = self.column("l", field)
            return f"EXISTS(SELECT 1 FROM UNNEST({texts}) AS t WHERE {made('t')})"  # noqa: S608 our own text
        return _sure(made(self.column("s", field)))

    def _like(self, like: Like, text: str) -> str:
        value = folded(like.value) if like.ignore_case else like.value
        given = self.parameters.add(value)
        text = _folded(text) if like.ignore_case else text
        if like.how == "contains":
            return f"STRPOS({text}, {given}) > 0"
        return f"{'STARTS_WITH' if like.how == 'startsWith' else 'ENDS_WITH'}({text}, {given})"

    def _word(self, text: Text, word: str) -> str:
        given = self.parameters.add(word)
        return self._joined_sql(
            (
                self._any_text(field, lambda column: f"STRPOS({_folded(column)}, {given}) > 0")
                for field in text.fields
            ),
            " OR ",
        )

    def arc(self, field: Field, lat: float, lon: float) -> str:
        """The distance in metres of a field's point along the sphere; NULL without a point."""
        here, there = self._places(field, lat, lon)
        half = repr(_HALF_DEGREE)
        across = f"SIN(({there[0]} - {here[0]}) * {half})"
        along = f"SIN(({there[1]} - {here[1]}) * {half})"
        turned = f"COS({here[0]} * 2 * {half}) * COS({there[0]} * 2 * {half})"
        inner = f"({across} * {across} + {turned} * {along} * {along})"
        # NULL stays NULL: LEAST and GREATEST are NULL where an argument is.
        return f"(2 * {EARTH_METRES!r} * ASIN(SQRT(LEAST(1.0, GREATEST(0.0, {inner})))))"

    def plane(self, field: Field, lat: float, lon: float) -> str:
        """The distance in metres on a flat map; NULL without a point."""
        here, there = self._places(field, lat, lon)
        degree = repr(2 * _HALF_DEGREE)
        north = f"(({there[0]} - {here[0]}) * {degree})"
        middle = f"COS(({here[0]} + {there[0]}) / 2 * {degree})"
        east = f"(({there[1]} - {here[1]}) * {degree} * {middle})"
        return f"({EARTH_METRES!r} * SQRT({north} * {north} + {east} * {east}))"

    def _places(self, field: Field, lat: float, lon: float) -> tuple[tuple[str, str], tuple[str, str]]:
        fields = point(field)
        here = (self.parameters.number(lat), self.parameters.number(lon))
        return here, (self.column("n", fields[0]), self.column("n", fields[1]))


_HALF_DEGREE = 3.141592653589793 / 360


def _sure(sql: str) -> str:
    return f"COALESCE({sql}, FALSE)"


def _folded(sql: str) -> str:
    for letter, small in CASE_FOLDED:
        sql = f"REPLACE({sql}, '{letter}', '{small}')"
    return f"LOWER({sql})"
