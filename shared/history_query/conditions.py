"""``where``: conditions on columns, data and computed values, as SQL. Values stand in parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.history_query.casts import converted
from shared.history_query.expr import Expr, Type
from shared.history_query.expressions import Reader, field_of, is_field
from shared.history_query.instants import instant
from shared.history_query.refusal import listed, refusal, shown

MAX_CONDITIONS = 100
MAX_IN = 1_000
_MAX_NESTING = 10
_SYMBOLS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_SETS = {"IN": "", "NOT IN": "NOT "}
_PATTERNS = {"LIKE": "LIKE", "NOT LIKE": "NOT LIKE"}
_OPERATORS = (*_SYMBOLS, *_SETS, *_PATTERNS)
_LOGICAL_KEYS = frozenset({"type", "operator", "conditions"})


@dataclass
class Conditions:
    """Reads the conditions of one query."""

    reader: Reader
    seen: int = 0

    def all(self, where: Any) -> str:
        """All of ``where``, which is a condition or a list of them that all must hold."""
        if isinstance(where, list) and not _is_single(where):
            return self._joined(where, "AND", "where", 1)
        return self._one(where, "where", 1)

    def _joined(self, items: list[Any], operator: str, place: str, depth: int) -> str:
        if not items:
            raise refusal(place, "there is no condition", "Leave it out, or write [path, operator, value].")
        parts = [self._one(item, f"{place}[{index}]", depth + 1) for index, item in enumerate(items)]
        return f"({f' {operator} '.join(parts)})"

    def _one(self, item: Any, place: str, depth: int) -> str:
        self.seen += 1
        if self.seen > MAX_CONDITIONS or depth > _MAX_NESTING:
            problem = f"at most {MAX_CONDITIONS} conditions, nested {_MAX_NESTING} deep"
            raise refusal(place, problem, "Use IN for many values of one path.")
        if isinstance(item, dict):
            return self._logical(item, place, depth)
        if not isinstance(item, list) or len(item) != 3:
            raise refusal(place, f"{shown(item)} is no condition", 'Write ["a/b", ">", 5].')
        left = self._side(item[0], f"{place}[0]")
        operator = item[1].upper() if isinstance(item[1], str) else item[1]
        if operator not in _OPERATORS:
            raise refusal(f"{place}[1]", f"{shown(item[1])} is no operator", f"Use {listed(_OPERATORS)}.")
        return self._compared(left, operator, item[2], f"{place}[2]")

    def _logical(self, item: dict[str, Any], place: str, depth: int) -> str:
        operator = item.get("operator")
        conditions = item.get("conditions")
        if item.get("type") != "logical" or item.keys() - _LOGICAL_KEYS or operator not in ("and", "or"):
            advice = 'Write {"type": "logical", "operator": "or", "conditions": [...]}.'
            raise refusal(place, f"{shown(item)} is no condition", advice)
        if not isinstance(conditions, list):
            raise refusal(f"{place}.conditions", "a list is expected", 'Write [["a/b", ">", 5]].')
        return self._joined(conditions, operator.upper(), f"{place}.conditions", depth)

    def _side(self, item: Any, place: str) -> Expr:
        if isinstance(item, str):
            found = self.reader.names.read(item, place)
        elif is_field(item):
            found = field_of(item, self.reader.names, place)
        elif isinstance(item, dict):
            found = self.reader.descriptor(item, None, place)
        else:
            raise refusal(place, f"{shown(item)} is no path", 'Write "a/b", "$deviceId" or a function.')
        if found.aggregate or found.window:
            problem = "a condition holds for a row: no aggregate or window function can stand here"
            raise refusal(place, problem, "Filter the answer yourself, or compare what a row holds.")
        return found

    def _compared(self, left: Expr, operator: str, value: Any, place: str) -> str:
        if operator in _SETS:
            return self._in(left, operator, value, place)
        if operator in _PATTERNS:
            if not isinstance(value, str):
                raise refusal(place, "LIKE takes a text", "Use % for any text and _ for any character.")
            if len(value) - len(value.rstrip("\\")) & 1:
                raise refusal(place, "the pattern ends in a backslash", "Write two for one.")
            text = converted(left, "STRING", place)
            return f"({text.sql} {_PATTERNS[operator]} {self.reader.parameters.add(value, 'STRING')})"
        symbol = _SYMBOLS[operator]
        if value is None:
            return _null(left, symbol, place)
        if isinstance(value, dict):
            return _columns(left, symbol, self._side(value, place), place)
        type_ = _type_for(left, value, place)
        if type_ == "BOOL" and symbol not in ("=", "!="):
            raise refusal(place, "true and false have no order", "Use = or !=.")
        right = self.reader.parameters.add(_value(value, type_, place), type_)
        return f"({converted(left, type_, place).sql} {symbol} {right})"

    def _in(self, left: Expr, operator: str, value: Any, place: str) -> str:
        if not isinstance(value, list) or not value or len(value) > MAX_IN:
            advice = 'Write ["$deviceId", "IN", ["a", "b"]].'
            raise refusal(place, f"{operator} takes a list of 1 to {MAX_IN} values", advice)
        types = {_type_for(left, item, f"{place}[{index}]") for index, item in enumerate(value)}
        if len(types) > 1:
            raise refusal(place, "the values are of several types", "Write texts alone, or numbers alone.")
        (type_,) = types
        items = [_value(item, type_, f"{place}[{index}]") for index, item in enumerate(value)]
        given = self.reader.parameters.add(items, f"ARRAY<{type_}>")
        return f"({_SETS[operator]}{converted(left, type_, place).sql} IN UNNEST({given}))"


def _is_single(where: list[Any]) -> bool:
    return len(where) == 3 and isinstance(where[1], str)


def _null(left: Expr, symbol: str, place: str) -> str:
    if symbol not in ("=", "!="):
        raise refusal(place, "null has no order", "Use = or !=.")
    is_ = "IS" if symbol == "=" else "IS NOT"
    # In data, null and what is not there are the same.
    sql = f"NULLIF(JSON_TYPE({left.sql}), 'null')" if left.type == "JSON" else left.sql
    return f"({sql} {is_} NULL)"


def _columns(left: Expr, symbol: str, right: Expr, place: str) -> str:
    """Two things that rows hold: numbers as numbers, data with data by its JSON where = is asked."""
    if left.type == right.type == "JSON":
        if symbol in ("=", "!="):
            return f"(TO_JSON_STRING({left.sql}) {symbol} TO_JSON_STRING({right.sql}))"
        return f"(LAX_FLOAT64({left.sql}) {symbol} LAX_FLOAT64({right.sql}))"
    if left.type == "JSON":
        left = converted(left, right.type, place)
    elif right.type == "JSON":
        right = converted(right, left.type, place)
    numbers = {"INT64", "FLOAT64"}
    if left.type != right.type and not {left.type, right.type} <= numbers:
        problem = f"{left.type} cannot be compared with {right.type}"
        raise refusal(place, problem, 'Add "cast" to {"type": "field"}.')
    if left.type == "BOOL" and symbol not in ("=", "!="):
        raise refusal(place, "true and false have no order", "Use = or !=.")
    return f"({left.sql} {symbol} {right.sql})"


def _type_for(left: Expr, value: Any, place: str) -> Type:
    """As what a value is compared with the left side."""
    taken = _TAKEN[left.type]
    for kind, type_ in taken.items():
        if type(value) is kind:
            return type_
    names = {str: "a text", int: "a number", float: "a number", bool: "true or false"}
    advice = f"Write {' or '.join(sorted({names[kind] for kind in taken}))}."
    raise refusal(place, f"{shown(value)} cannot be compared with {left.type}", advice)


_TAKEN: dict[Type, dict[type, Type]] = {
    "STRING": {str: "STRING"},
    "INT64": {int: "FLOAT64", float: "FLOAT64"},
    "FLOAT64": {int: "FLOAT64", float: "FLOAT64"},
    "BOOL": {bool: "BOOL"},
    "TIMESTAMP": {int: "TIMESTAMP", str: "TIMESTAMP"},
    "JSON": {str: "STRING", int: "FLOAT64", float: "FLOAT64", bool: "BOOL"},
}


def _value(value: Any, type_: Type, place: str) -> Any:
    if type_ == "FLOAT64":
        return _number(value, place)
    return instant(value, place) if type_ == "TIMESTAMP" else value


def _number(value: int | float, place: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise refusal(place, "the number is too large", "Write one that a double holds.") from None
