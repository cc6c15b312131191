"""Paths, function descriptors and their arguments, as they stand in a query, to expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.history_query.aggregates import AGGREGATES, OUTERMOST, OUTERMOST_BY, WINDOWS
from shared.history_query.casts import cast
from shared.history_query.columns import Source
from shared.history_query.expr import Expr, Parameters, bounded
from shared.history_query.formats import TOKENS
from shared.history_query.functions import DEFAULT_BUCKET_MS, SCALARS, Call
from shared.history_query.keys import Keys
from shared.history_query.refusal import listed, refusal, shown

MAX_DEPTH = 10
COLUMN = "@COLUMN()"
_KEYS = frozenset({"function", "args", "arguments", "type", "isWindow", "order", "partition"})
_FIELD_KEYS = frozenset({"type", "value", "cast"})
_MAX_KEYS = 10
_INT64 = 2**63


@dataclass(frozen=True)
class Names:
    """What names may stand for: aliases of the query's paths, and where ``source`` is, columns and paths."""

    source: Source | None
    aliases: Mapping[str, Expr] = field(default_factory=dict)

    def read(self, text: str, place: str) -> Expr:
        """An alias, else a column or path."""
        if text in self.aliases:
            return self.aliases[text]
        if self.source is None:
            problem = f"{shown(text)} is no alias of a path without a window function"
            advice = (
                f"In a grouped query a window function reads aliases: {listed(self.aliases) or 'none yet'}."
            )
            raise refusal(place, problem, advice)
        return self.source.read(text, place)


def directed(item: Any, place: str) -> tuple[Any, str]:
    """What an item of an order names, and ASC or DESC."""
    if isinstance(item, list):
        if len(item) != 2 or not isinstance(item[1], str) or item[1].upper() not in ("ASC", "DESC"):
            raise refusal(place, f"{shown(item)} is no order", 'Write "alias" or ["alias", "DESC"].')
        return item[0], item[1].upper()
    return item, "ASC"


def sort_keys(value: Expr, direction: str) -> list[str]:
    """The parts of an ORDER BY that put values of an expression in order; data: numbers, then texts."""
    if value.type == "JSON":
        return [f"{name}({value.sql}) {direction}" for name in ("LAX_FLOAT64", "LAX_STRING")]
    if value.show == "json":
        return [f"SAFE_CAST({value.sql} AS FLOAT64) {direction}", f"{value.sql} {direction}"]
    return [f"{value.sql} {direction}"]


def is_field(item: Any) -> bool:
    """Whether something is ``{"type": "field", "value": path}``, which names a path."""
    return isinstance(item, dict) and item.get("type") == "field" and "function" not in item


def field_of(item: Mapping[str, Any], names: Names, place: str) -> Expr:
    """What ``{"type": "field", "value": path, "cast": name}`` reads."""
    if unknown := item.keys() - _FIELD_KEYS:
        raise refusal(place, f"there is no key {listed(unknown)}", f"Keys are {listed(_FIELD_KEYS)}.")
    if not isinstance(item.get("value"), str):
        raise refusal(f"{place}.value", "a path is expected", 'Write {"type": "field", "value": "a/b"}.')
    found = names.read(item["value"], f"{place}.value")
    return cast(found, item["cast"], f"{place}.cast") if "cast" in item else found


def has_window(item: Any, depth: int = 0) -> bool:
    """Whether a window function stands anywhere in a descriptor."""
    if not isinstance(item, dict) or depth > MAX_DEPTH:
        return False
    if item.get("isWindow"):
        return True
    args = item.get("args", item.get("arguments"))
    return isinstance(args, list) and any(has_window(inner, depth + 1) for inner in args)


@dataclass(frozen=True)
class Reader:
    """Reads descriptors. ``default_order`` is that of window functions that name none; empty: they must."""

    names: Names
    parameters: Parameters
    keys: Keys
    default_order: Sequence[str] = ()

    def bound(self, value: Expr) -> Expr:
        """A value that a row holds as a column of its own, so that what uses it twice does not repeat it."""
        if value.aggregate or value.window or not value.bare:
            return value
        return replace(value, sql=self.keys.column(value.sql))

    def descriptor(self, item: Any, column: Expr | None, place: str, depth: int = 1) -> Expr:
        """A function descriptor ``{function, args, type, isWindow, order, partition}``."""
        if not isinstance(item, dict):
            raise refusal(place, f"{shown(item)} is no function", 'Write {"function": "AVG"}.')
        if depth > MAX_DEPTH:
            raise refusal(place, f"functions nest more than {MAX_DEPTH} deep", "Nest them less deeply.")
        if unknown := item.keys() - _KEYS:
            raise refusal(place, f"there is no key {listed(unknown)}", f"Keys are {listed(_KEYS)}.")
        if "args" in item and "arguments" in item:
            raise refusal(place, "both args and arguments are given", "Give args alone.")
        is_window = item.get("isWindow", False)
        if not isinstance(is_window, bool):
            raise refusal(f"{place}.isWindow", f"{shown(is_window)} is neither true nor false", "Write true.")
        name = item.get("function")
        known = WINDOWS if is_window else {**SCALARS, **AGGREGATES}
        if not isinstance(name, str) or name.upper() not in known:
            kind = "window function" if is_window else "function"
            advice = f"Functions are {listed(known)}."
            if isinstance(name, str) and name.upper() in WINDOWS and not is_window:
                advice = f'{name.upper()} is a window function: add "isWindow": true.'
            raise refusal(f"{place}.function", f"{shown(name)} is no {kind}", advice)
        name = name.upper()
        args = [
            self._argument(argument, column, f"{place}.args[{index}]", depth)
            for index, argument in enumerate(self._given(item, name, is_window, column, place))
        ]
        call = Call(name, args, self.parameters, place)
        if is_window:
            made = self._window(item, call, place)
        elif {"order", "partition"} & item.keys():
            raise refusal(place, "order and partition are for window functions", 'Add "isWindow": true.')
        elif name in AGGREGATES:
            made = self._aggregate(call)
        else:
            made = SCALARS[name](call)
        bounded(made.sql)
        if item.get("type") is None:
            return made
        return cast(self.bound(made), item["type"], f"{place}.type")

    def _given(
        self, item: Mapping[str, Any], name: str, is_window: bool, column: Expr | None, place: str
    ) -> list[Any]:
        """The arguments as given, with those that may be left out."""
        args = item.get("args", item.get("arguments"))
        if args is not None and not isinstance(args, list):
            raise refusal(f"{place}.args", f"{shown(args)} is no list", 'Write ["@COLUMN()", 2].')
        if is_window and not WINDOWS[name].takes_column:
            return args or []
        if name == "COUNT" and args is None and column is None:
            return []
        if name == "BUCKET_TIME":
            args = args or [DEFAULT_BUCKET_MS]
            return [*args, COLUMN] if len(args) == 1 else args
        if name in ("DATE_FORMAT", "STR_TO_DATE", "PERCENTILE") and args and len(args) == 1:
            return [COLUMN, *args]
        return [COLUMN] if args is None else args

    def _argument(self, item: Any, column: Expr | None, place: str, depth: int) -> Expr:
        if item == COLUMN:
            if column is None:
                raise refusal(place, f"{COLUMN} stands for a path, and there is none", "Name a path first.")
            return column
        if is_field(item):
            return field_of(item, self.names, place)
        if isinstance(item, dict):
            return self.bound(self.descriptor(item, column, place, depth + 1))
        return constant(item, self.parameters, place)

    def _aggregate(self, call: Call) -> Expr:
        for index, argument in enumerate(call.args):
            if argument.aggregate or argument.window:
                problem = f"{call.name} cannot take what an aggregate or a window function made"
                raise refusal(call.at(index), problem, "Use one aggregate a path, and compute around it.")
        if call.name in OUTERMOST and self.names.source is not None:
            self.names.source.use(*OUTERMOST_BY)
        return AGGREGATES[call.name](call)

    def _window(self, item: Mapping[str, Any], call: Call, place: str) -> Expr:
        window = WINDOWS[call.name]
        for index, argument in enumerate(call.args):
            if argument.aggregate or argument.window:
                problem = "a window function cannot take an aggregate or another window function"
                raise refusal(call.at(index), problem, "Give the aggregate a path and name its alias here.")
        made = window.function(call)
        parts = list(self._partition(item.get("partition"), f"{place}.partition"))
        partition = f"PARTITION BY {', '.join(parts)} " if parts else ""
        keys = list(self._order(item.get("order"), f"{place}.order"))
        whole = call.name in AGGREGATES and not keys
        if not keys and not whole:
            if not self.default_order:
                problem = "a window function over groups has no order of its own"
                raise refusal(f"{place}.order", problem, "Name the aliases that groups come in order of.")
            keys = list(self.default_order)
        order = f"ORDER BY {', '.join(keys)} " if keys else ""
        sql = f"{made.sql} OVER ({partition}{order}{'' if whole else window.frame})"
        return replace(made, sql=sql, aggregate=False, window=True, bare=True)

    def _partition(self, items: Any, place: str) -> Iterator[str]:
        for index, item in enumerate(_list(items, place)):
            value = self._key(item, f"{place}[{index}]")
            if value.type == "FLOAT64":
                advice = "Partition by a value of data, a text or a whole number."
                raise refusal(f"{place}[{index}]", "a computed number makes no partition", advice)
            yield self.keys.column(f"TO_JSON_STRING({value.sql})" if value.type == "JSON" else value.sql)

    def _order(self, items: Any, place: str) -> Iterator[str]:
        for index, item in enumerate(_list(items, place)):
            key, direction = directed(item, f"{place}[{index}]")
            for sql in sort_keys(self._key(key, f"{place}[{index}]"), ""):
                yield f"{self.keys.column(sql.strip())} {direction}"

    def _key(self, item: Any, place: str) -> Expr:
        value = field_of(item, self.names, place) if is_field(item) else self._named(item, place)
        if value.aggregate or value.window:
            raise refusal(place, "an aggregate or window function cannot stand here", "Name a path.")
        return value

    def _named(self, item: Any, place: str) -> Expr:
        if not isinstance(item, str):
            raise refusal(place, f"{shown(item)} names nothing", "Write an alias or a path.")
        return self.names.read(item, place)


def _list(items: Any, place: str) -> Sequence[Any]:
    if items is None:
        return []
    if isinstance(items, str):
        return [items]
    if not isinstance(items, list) or len(items) > _MAX_KEYS:
        raise refusal(place, f"a list of at most {_MAX_KEYS} is expected", 'Write ["$deviceId"].')
    # A pair of a name and a direction is one item, as it is where a query is ordered.
    if len(items) == 2 and isinstance(items[1], str) and items[1].upper() in ("ASC", "DESC"):
        return [items]
    return items


def constant(value: Any, parameters: Parameters, place: str) -> Expr:
    """A value that a query writes out, as a parameter."""
    if isinstance(value, bool):
        return Expr(parameters.add(value, "BOOL"), "BOOL", literal=value)
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return Expr(parameters.add(value, "INT64"), "INT64", literal=value)
    if isinstance(value, float):
        return Expr(parameters.add(value, "FLOAT64"), "FLOAT64", literal=value)
    if isinstance(value, str):
        if re.fullmatch(r"@[A-Z_]+\(\)", value) and value not in TOKENS:
            raise refusal(place, f"{shown(value)} is no token", f"The only token here is {COLUMN}.")
        return Expr(parameters.add(value, "STRING"), "STRING", literal=value)
    raise refusal(
        place,
        f"{shown(value)} cannot be an argument",
        "Write a text, a number, true, false, @COLUMN(), {type: field, value: path} or a function.",
    )
