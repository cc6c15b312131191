"""The forms in which device data may be given, and what they write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from msgspec import UNSET

from fulcrum.core.errors import Rejected
from fulcrum.core.settle import settle
from fulcrum.core.writes import Op, Write
from fulcrum.script.values import NotJson, plain

_WRITE = frozenset({"path", "value", "op"})
_OPS = get_args(Op)


class BadData(ValueError):
    """Device data in none of the forms, or with a path or value that cannot stand."""


def writes(values: Any, what: str) -> list[Write]:
    """Writes from ``{path: value}``, ``{"path", "value"}``, a list of those, ``{"values": [...]}`` or
    ``{"keyValue": {path: value}}``; BadData, which calls it ``what``, for anything else.
    """
    try:
        found = _read(plain(values, what), what)
    except NotJson as error:
        raise BadData(str(error)) from None
    try:
        settle(found)
    except Rejected as error:
        raise BadData(f"{what}: {error.message}") from None
    return found


def _read(values: Any, what: str) -> list[Write]:
    if isinstance(values, Mapping):
        keys = values.keys()
        if keys == {"values"} and isinstance(values["values"], list):
            values = values["values"]
        elif keys == {"keyValue"} and isinstance(values["keyValue"], dict):
            return [Write(path, value) for path, value in values["keyValue"].items()]
        elif "path" in keys and keys <= _WRITE and len(keys) > 1:
            values = [values]
        else:
            return [Write(path, value) for path, value in values.items()]
    if not isinstance(values, list):
        raise BadData(
            f"{what} is of type {type(values).__name__}: give {{path: value}}, "
            'or a list of {"path": ..., "value": ...}'
        )
    return [_write(each, f"{what}[{place}]") for place, each in enumerate(values)]


def _write(value: Any, what: str) -> Write:
    if not isinstance(value, dict) or not value.keys() <= _WRITE or not isinstance(value.get("path"), str):
        raise BadData(f'{what} is no {{"path": ..., "value": ...}}')
    op = value.get("op")
    if op is not None and op not in _OPS:
        raise BadData(f"{what} has the op {op!r}: use one of {', '.join(_OPS)}")
    if op != "delete" and "value" not in value:
        raise BadData(f'{what} has no value: give one, or "op": "delete"')
    return Write(value["path"], value.get("value"), op or UNSET)
