"""Values that can be written as JSON: checked, and copied, so that nobody shares them by accident."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fulcrum.core.settle import normal

# What stands in a value as it is. Numbers with a point do not: stores do not agree on 5 and 5.0.
_KEPT = frozenset({str, int, bool, type(None)})
_MAX_DEPTH = 64
_encode = msgspec.json.Encoder().encode


class NotJson(ValueError):
    """A value that JSON has no form for; says where in it."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self._steps: list[str] = []

    def below(self, step: str) -> None:
        """The value stands below ``step``."""
        self._steps.insert(0, step)

    def __str__(self) -> str:
        return "".join(self._steps) + self.problem


def copied(value: Any) -> Any:
    """A copy of a JSON value, of which nothing is shared with it; numbers in the form that stores keep."""
    kind = type(value)
    if kind in _KEPT:
        return value
    if kind is dict:
        return {key: inner if type(inner) in _KEPT else copied(inner) for key, inner in value.items()}
    if kind is list:
        return [inner if type(inner) in _KEPT else copied(inner) for inner in value]
    return normal(value)


def ordered(value: Any) -> Any:
    """The same with the keys of every object in their order.

    However a value came about, from a device, a store or the events of a call, a script that walks through
    it or writes it finds the same.
    """
    kind = type(value)
    if kind in _KEPT:
        return value
    if kind is dict:
        made = {}
        for key in sorted(value) if len(value) > 1 else value:
            inner = value[key]
            made[key] = inner if type(inner) in _KEPT else ordered(inner)
        return made
    if kind is list:
        return [inner if type(inner) in _KEPT else ordered(inner) for inner in value]
    return normal(value)


def plain(value: Any, what: str) -> Any:
    """A copy of ``value`` of dicts, lists, strings, numbers, booleans and None alone.

    Tuples become lists; numbers and strings of kinds of their own (enums, numpy's floats) become plain ones.
    NotJson, which calls the value ``what``, for anything else, NaN and infinity included.
    """
    try:
        return _plain(value, 0)
    except NotJson as error:
        error.below(what)
        raise


def _plain(value: Any, depth: int) -> Any:
    kind = type(value)
    if kind in _KEPT:
        return value
    if depth > _MAX_DEPTH:
        raise NotJson(f" is nested more than {_MAX_DEPTH} deep, or contains itself")
    if isinstance(value, float):
        number = float(value)
        if number - number != 0:
            raise NotJson(f" is {number}, which JSON has no form for: leave it out, or use None")
        return number
    if isinstance(value, Mapping):
        return _object(value, depth)
    if isinstance(value, list | tuple):
        return _array(value, depth)
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, str):
        return str.__str__(value)
    raise NotJson(
        f" is of type {kind.__qualname__}: only dict, list, str, int, float, bool and None can be sent"
        + (" (a time: use its isoformat(), or milliseconds)" if hasattr(value, "isoformat") else "")
    )


def _object(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    made = {}
    for key, inner in value.items():
        if type(key) is not str:
            if not isinstance(key, str):
                raise NotJson(f" has the key {key!r}, which is no string")
            key = str.__str__(key)
        try:
            made[key] = inner if type(inner) in _KEPT else _plain(inner, depth + 1)
        except NotJson as error:
            error.below(f"[{key!r}]")
            raise
    return made


def _array(value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
    made = []
    for place, inner in enumerate(value):
        try:
            made.append(inner if type(inner) in _KEPT else _plain(inner, depth + 1))
        except NotJson as error:
            error.below(f"[{place}]")
            raise
    return made


def encoded_size(value: Any, what: str) -> int:
    """How many bytes a plain value (or a message's structure) takes as JSON; NotJson where it has none."""
    try:
        return len(_encode(value))
    except UnicodeEncodeError as error:
        raise NotJson(f"{what} has text that is no Unicode (a lone surrogate)") from error
    except RecursionError as error:
        raise NotJson(f"{what} is nested too deep") from error
