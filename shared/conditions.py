"""Conditions of a route, judged on a device and one of its messages.

A condition is a JSON object:

- ``{"type": "attribute", "path": "device/name", "op": "eq", "value": "truck 1"}`` compares the value at a
  path. The path begins with ``device`` (id, name, blueprintId, systemId, projectId, networkId, simulated,
  and ``device/data/...``, the state before this message) or with ``msg`` (the message's fields, and
  ``msg/data/...``, what this message reports at that path). ``op`` is eq (the default), ne, lt, le, gt, ge,
  in (``value`` is an array) or exists (``value`` true, the default, or false). Numbers are ordered with
  numbers and texts with texts. A path that leads nowhere satisfies ``exists: false`` alone.
- ``{"type": "delta", "path": "engine/temperature", "op": "ge", "value": 5}`` compares how much the message
  changes that path of the device's data: the absolute difference, or ``new - old`` with ``"signed": true``.
  Without ``value`` any change will do. A first value is a change of any size; no value is none.
- ``{"type": "not", "condition": c}``, ``{"type": "and", "conditions": [...]}``,
  ``{"type": "or", "conditions": [...]}``.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from fulcrum.core import paths

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_OPS = ("eq", "ne", *_ORDER, "in", "exists")
_FIELDS = {
    "attribute": {"type", "path", "op", "value"},
    "delta": {"type", "path", "op", "value", "signed"},
    "not": {"type", "condition"},
    "and": {"type", "conditions"},
    "or": {"type", "conditions"},
}
MAX_NESTING = 8
_MISSING: Any = object()


class Facts(NamedTuple):
    """What conditions are judged on: a device with its state, and one message, both as JSON objects."""

    device: Mapping[str, Any] = {}
    msg: Mapping[str, Any] = {}


def satisfied(condition: Mapping[str, Any], facts: Facts) -> bool:
    """Whether a condition (one that :func:`problems` finds none in) holds."""
    kind = condition["type"]
    if kind == "not":
        return not satisfied(condition["condition"], facts)
    if kind == "and":
        return all(satisfied(inner, facts) for inner in condition["conditions"])
    if kind == "or":
        return any(satisfied(inner, facts) for inner in condition["conditions"])
    if kind == "delta":
        return _changed(condition, facts)
    return _compare(condition.get("op", "eq"), _value(condition["path"], facts), condition)


def reads_state(condition: Mapping[str, Any]) -> bool:
    """Whether the device's current state (``device.data``) is needed to judge a condition."""
    kind = condition["type"]
    if kind == "not":
        return reads_state(condition["condition"])
    if kind in ("and", "or"):
        return any(map(reads_state, condition["conditions"]))
    return kind == "delta" or f"{condition['path']}/".startswith("device/data/")


def problems(condition: Any, at: str, level: int = 0) -> Iterator[str]:
    """What is wrong with a condition, each with its place ``at``."""
    if not isinstance(condition, dict):
        yield f"{at}: a condition is an object with a 'type', not {type(condition).__name__}"
        return
    kind = condition.get("type")
    if not isinstance(kind, str) or kind not in _FIELDS:
        yield f"{at}.type: {kind!r} is no condition; use {', '.join(_FIELDS)}"
        return
    if level >= MAX_NESTING:
        yield f"{at}: conditions nest deeper than {MAX_NESTING} levels"
        return
    for name in sorted(condition.keys() - _FIELDS[kind]):
        yield f"{at}.{name}: unknown; {kind} takes {', '.join(sorted(_FIELDS[kind] - {'type'}))}"
    if kind == "not":
        yield from problems(condition.get("condition"), f"{at}.condition", level + 1)
    elif kind in ("and", "or"):
        inner = condition.get("conditions")
        if not isinstance(inner, list) or not inner:
            yield f"{at}.conditions: an array of at least one condition is needed"
            return
        for index, item in enumerate(inner):
            yield from problems(item, f"{at}.conditions[{index}]", level + 1)
    else:
        yield from _comparison_problems(kind, condition, at)


def _comparison_problems(kind: str, condition: Mapping[str, Any], at: str) -> Iterator[str]:
    path, op = condition.get("path"), condition.get("op", "eq" if kind == "attribute" else "gt")
    if not isinstance(path, str):
        yield f"{at}.path: a text is needed, such as 'device/name'"
    elif wrong := paths.problem(path):
        yield f"{at}.path: {wrong}"
    elif kind == "attribute" and path.split("/", 1)[0] not in ("device", "msg"):
        yield f"{at}.path: begin with 'device/' or 'msg/'; {path!r} does not"
    if kind == "delta":
        value = condition.get("value")
        if value is not None and not _is_number(value):
            yield f"{at}.value: a change is compared with a number"
        if op not in (*_ORDER, "eq", "ne"):
            yield f"{at}.op: {op!r} is none of eq, ne, {', '.join(_ORDER)}"
        if not isinstance(condition.get("signed", False), bool):
            yield f"{at}.signed: true or false"
    elif op not in _OPS:
        yield f"{at}.op: {op!r} is none of {', '.join(_OPS)}"
    elif op == "in" and not isinstance(condition.get("value"), list):
        yield f"{at}.value: 'in' needs an array"
    elif op == "exists" and not isinstance(condition.get("value", True), bool):
        yield f"{at}.value: 'exists' needs true or false"
    elif op != "exists" and "value" not in condition:
        yield f"{at}.value: is missing; say what to compare with"


def _compare(op: str, present: Any, condition: Mapping[str, Any]) -> bool:
    if op == "exists":
        return (present is not _MISSING) is condition.get("value", True)
    if present is _MISSING:
        return False
    value = condition.get("value")
    if op == "eq":
        return _equal(present, value)
    if op == "ne":
        return not _equal(present, value)
    if op == "in":
        return any(_equal(present, item) for item in value or ())
    ordered = (_is_number(present) and _is_number(value)) or (
        isinstance(present, str) and isinstance(value, str)
    )
    return ordered and _ORDER[op](present, value)


def _changed(condition: Mapping[str, Any], facts: Facts) -> bool:
    new = reported(facts.msg.get("data"), condition["path"])
    if new is _MISSING:
        return False
    old = _descend(facts.device.get("data"), condition["path"])
    if old is _MISSING:
        return True
    value = condition.get("value")
    if value is None:
        return not _equal(new, old)
    if not (_is_number(new) and _is_number(old)):
        return False
    change = new - old if condition.get("signed") else abs(new - old)
    return _compare(condition.get("op", "gt"), change, condition)


def _value(path: str, facts: Facts) -> Any:
    head, _, rest = path.partition("/")
    if head == "msg" and rest.startswith("data/"):
        return reported(facts.msg.get("data"), rest[len("data/") :])
    return _descend(facts.device if head == "device" else facts.msg, rest)


def _descend(value: Any, path: str) -> Any:
    for segment in path.split("/") if path else ():
        if not isinstance(value, Mapping) or segment not in value:
            return _MISSING
        value = value[segment]
    return value


def reported(writes: Any, path: str) -> Any:
    """The value that a message's writes report at ``path``, the last one counting."""
    result: Any = _MISSING
    for write in writes if isinstance(writes, list) else ():
        here, op = write.get("path", ""), write.get("op", "set")
        value = _MISSING if op == "delete" else write.get("value")
        if here == path:
            result = value
        elif paths.is_below(path, here):
            inner = _descend(value, path[len(here) + 1 :]) if isinstance(value, Mapping) else _MISSING
            if inner is not _MISSING or op != "set" or not isinstance(value, Mapping):
                result = inner
        elif paths.is_below(here, path) and value is not _MISSING:
            result = _put(result, here[len(path) + 1 :].split("/"), value)
    return result


def _put(tree: Any, segments: list[str], value: Any) -> dict[str, Any]:
    copy = dict(tree) if isinstance(tree, Mapping) else {}
    head, *tail = segments
    copy[head] = _put(copy.get(head), tail, value) if tail else value
    return copy


def _equal(a: Any, b: Any) -> bool:
    # JSON's true is not 1.
    return isinstance(a, bool) is isinstance(b, bool) and a == b


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
