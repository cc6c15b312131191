"""Filters, as values, and reading them from a body."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from shared.search.fields import Field, data_field, definition_field, read_field
from shared.search.reading import Node

Scalar = str | float | int | bool

MAX_CONDITIONS = 100
MAX_NESTING = 8
MAX_VALUES = 100
MAX_WORDS = 10
# What ``text`` looks into when it names no field, beside the paths that the caller of the parser gives.
TEXT_FIELDS = ("id", "name", "purpose", "tags")


class Equals(msgspec.Struct, frozen=True):
    """One of the values; of a list field, an element."""

    field: Field
    values: tuple[Scalar, ...]
    include_empty: bool = False


class Compare(msgspec.Struct, frozen=True):
    """Within bounds of one type: numbers, or texts by code point. None: no bound."""

    field: Field
    low: float | int | str | None
    high: float | int | str | None
    low_open: bool = False
    high_open: bool = False
    include_empty: bool = False


class Exists(msgspec.Struct, frozen=True):
    """There is something that is not null."""

    field: Field


class Like(msgspec.Struct, frozen=True):
    """A text that starts with, ends with or contains another one."""

    field: Field
    how: Literal["startsWith", "endsWith", "contains"]
    value: str
    ignore_case: bool = False


class Geo(msgspec.Struct, frozen=True):
    """A point {lat, lon} within a distance in metres."""

    field: Field
    lat: float
    lon: float
    metres: float


class Text(msgspec.Struct, frozen=True):
    """Each word is contained, in any case, in one of the fields."""

    fields: tuple[Field, ...]
    words: tuple[str, ...]


class Not(msgspec.Struct, frozen=True):
    """The opposite."""

    condition: Condition


class All(msgspec.Struct, frozen=True):
    """Every one; true if there is none."""

    conditions: tuple[Condition, ...]


class Any_(msgspec.Struct, frozen=True):
    """At least one."""

    conditions: tuple[Condition, ...]


Condition = Equals | Compare | Exists | Like | Geo | Text | Not | All | Any_
EVERYTHING = All(())

UNITS = {"m": 1.0, "km": 1000.0, "mi": 1609.344, "nmi": 1852.0, "ft": 0.3048, "yd": 0.9144}


# Letters whose small form depends on the language or on what follows: stores would not agree on them.
CASE_FOLDED = (("\u0130", "i"), ("\u03a3", "\u03c3"), ("\u03c2", "\u03c3"))


def folded(text: str) -> str:
    """A text as it is compared where case does not count."""
    for letter, small in CASE_FOLDED:
        text = text.replace(letter, small)
    return text.lower()


def fields_of(condition: Condition) -> Iterator[Field]:
    """All fields that a condition looks at; of a point, the two numbers."""
    if isinstance(condition, All | Any_):
        for inner in condition.conditions:
            yield from fields_of(inner)
    elif isinstance(condition, Not):
        yield from fields_of(condition.condition)
    elif isinstance(condition, Text):
        yield from condition.fields
    elif isinstance(condition, Geo):
        yield from point(condition.field)
    else:
        yield condition.field


def point(field: Field) -> tuple[Field, Field]:
    """The fields of a point's latitude and longitude."""
    return tuple(  # type: ignore[return-value]  # two
        Field(f"{field.text}/{name}", field.kind, (*field.path, name)) for name in ("lat", "lon")
    )


def both(*conditions: Condition) -> Condition:
    """All of them, flat."""
    flat: list[Condition] = []
    for condition in conditions:
        flat += condition.conditions if isinstance(condition, All) else (condition,)
    return flat[0] if len(flat) == 1 else All(tuple(flat))


class Reader:
    """Reads conditions. ``include_empty`` is what comparisons and enums do unless they say otherwise."""

    def __init__(self, include_empty: bool = False, text_paths: tuple[str, ...] = ()) -> None:
        self._include_empty = include_empty
        self._text_fields = (
            *(definition_field(name) for name in TEXT_FIELDS),
            *(data_field(path) for path in text_paths),
        )
        self._count = 0

    def read(self, node: Node, nesting: int = 0) -> Condition:
        """A condition; an array of conditions is their conjunction."""
        if nesting > MAX_NESTING:
            raise node.bad("is nested too deeply", f"Nest at most {MAX_NESTING} levels")
        if isinstance(node.value, list):
            return self._all(node.items(MAX_CONDITIONS), nesting)
        self._count += 1
        if self._count > MAX_CONDITIONS:
            raise node.bad("is one condition too many", f"Use at most {MAX_CONDITIONS}")
        if not isinstance(node.value, dict):
            raise node.bad("is no condition", "Send an object with a type, such as {type: equals, ...}")
        kind = node.need("type").choice(tuple(_KINDS))
        keys, read = _KINDS[kind]
        node.object({"type", *keys})
        return read(self, node, nesting)

    def _all(self, nodes: list[Node], nesting: int) -> Condition:
        return both(*(self.read(item, nesting + 1) for item in nodes))

    def _logical(self, node: Node, nesting: int) -> Condition:
        operator = node.need("operator").choice(("and", "or"))
        items = node.need("conditions").items(MAX_CONDITIONS)
        if operator == "and":
            return self._all(items, nesting)
        found = tuple(self.read(item, nesting + 1) for item in items)
        return found[0] if len(found) == 1 else Any_(found)

    def _not(self, node: Node, nesting: int) -> Condition:
        return Not(self.read(node.need("condition"), nesting + 1))

    def _equals(self, node: Node, _: int) -> Condition:
        return Equals(read_field(node.need("field")), (node.need("value").scalar(),))

    def _enum(self, node: Node, _: int) -> Condition:
        values = tuple(item.scalar() for item in node.need("values").items(MAX_VALUES))
        return Equals(read_field(node.need("field")), values, self._empty(node))

    def _empty(self, node: Node) -> bool:
        return node.need("includeEmpty").flag() if node.has("includeEmpty") else self._include_empty

    def _comparison(self, node: Node, _: int) -> Condition:
        field = _single(node.need("field"))
        operator = node.need("operator").choice(("<", "<=", ">", ">=", "between"))
        empty = self._empty(node)
        if operator == "between":
            low, high = (_bound(item) for item in node.need("value").items(2, 2))
            if isinstance(low, str) != isinstance(high, str):
                raise node.need("value").bad("mixes a text and a number", "Give both bounds in one type")
            return Compare(field, low, high, include_empty=empty)
        value = _bound(node.need("value"))
        if operator[0] == "<":
            return Compare(field, None, value, high_open=operator == "<", include_empty=empty)
        return Compare(field, value, None, low_open=operator == ">", include_empty=empty)

    def _exists(self, node: Node, _: int) -> Condition:
        found = Exists(read_field(node.need("field")))
        wanted = node.need("value").flag() if node.has("value") else True
        return found if wanted else Not(found)

    def _not_exists(self, node: Node, _: int) -> Condition:
        return Not(Exists(read_field(node.need("field"))))

    def _parent(self, node: Node, _: int) -> Condition:
        parent = node.need("value").text()
        if not node.has("attributeId"):
            return Equals(definition_field("parentDeviceId"), (parent,))
        return Equals(definition_field("links"), (f"{node.need('attributeId').text()}:{parent}",))

    def _like(self, node: Node, _: int) -> Condition:
        how: Literal["startsWith", "endsWith", "contains"] = node.value["type"]
        ignore = node.has("ignoreCase") and node.need("ignoreCase").flag()
        return Like(read_field(node.need("field")), how, node.need("value").text(), ignore)

    def _geo(self, node: Node, _: int) -> Condition:
        unit = node.need("unit").choice(tuple(UNITS)) if node.has("unit") else "m"
        lat, lon = read_point(node)
        metres = node.need("distance").positive() * UNITS[unit]
        return Geo(point_field(node.need("field")), lat, lon, metres)

    def _text(self, node: Node, _: int) -> Condition:
        words = tuple(dict.fromkeys(folded(node.need("value").text()).split()))
        if not 0 < len(words) <= MAX_WORDS:
            raise node.need("value").bad(f"has {len(words)} words", f"Search for 1 to {MAX_WORDS} words")
        fields = self._text_fields
        if node.has("fields") and node.value["fields"]:
            fields = tuple(read_field(item) for item in node.need("fields").items(20))
        return Text(fields, words)


def read_point(node: Node) -> tuple[float, float]:
    """``lat`` and ``lon`` of an object, in degrees."""
    lat, lon = node.need("lat"), node.need("lon")
    if abs(lat.number()) > 90:
        raise lat.bad("is no latitude", "Send degrees from -90 to 90")
    if abs(lon.number()) > 180:
        raise lon.bad("is no longitude", "Send degrees from -180 to 180")
    return float(lat.value), float(lon.value)


def _single(node: Node) -> Field:
    field = read_field(node)
    if field.kind == "list":
        raise node.bad(f"{field.text} is a list", "Use equals, enum, exists, contains or text with a list")
    return field


def point_field(node: Node) -> Field:
    field = read_field(node)
    if not field.is_data and field.path[0] != "metadata":
        raise node.bad(f"{field.text} holds no point", "Name a geoPoint, such as data/position")
    return field


def _bound(node: Node) -> float | int | str:
    value = node.scalar()
    if isinstance(value, bool):
        raise node.bad("is a boolean", "Compare with a number or a text; use equals for booleans")
    return value


_Read = Callable[[Reader, Node, int], Condition]
_LIKE = (("field", "value", "ignoreCase"), Reader._like)
_KINDS: dict[str, tuple[tuple[str, ...], _Read]] = {
    "equals": (("field", "value"), Reader._equals),
    "logical": (("operator", "conditions"), Reader._logical),
    "not": (("condition",), Reader._not),
    "comparison": (("field", "operator", "value", "includeEmpty"), Reader._comparison),
    "enum": (("field", "values", "includeEmpty"), Reader._enum),
    "exists": (("field", "value"), Reader._exists),
    "notExists": (("field",), Reader._not_exists),
    "parent": (("value", "attributeId"), Reader._parent),
    "startsWith": _LIKE,
    "endsWith": _LIKE,
    "contains": _LIKE,
    "geo": (("field", "lat", "lon", "distance", "unit"), Reader._geo),
    "text": (("value", "fields"), Reader._text),
}
