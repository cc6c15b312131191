"""Field transforms: increment, maximum, minimum, array union and removal, server time."""

from __future__ import annotations

from typing import Any

from emulators.firestore import fields, values, wire
from emulators.firestore.errors import invalid

_LEAST, _GREATEST = -(2**63), 2**63 - 1


def check(transforms: Any) -> None:
    """Refuse a list of transforms that the service would refuse, before anything is written."""
    paths: list[fields.Path] = []
    for transform in transforms:
        path = fields.parse(transform.field_path)
        if path == fields.NAME:
            raise invalid("Cannot transform the name of a document.")
        kind = transform.WhichOneof("transform_type")
        if kind is None:
            raise invalid("Operation type must be specified for field transformation.")
        if kind == "set_to_server_value" and transform.set_to_server_value != 1:
            raise invalid("ServerValue type must be specified for set_to_server_value transformation.")
        if kind in ("increment", "maximum", "minimum"):
            operand = getattr(transform, kind).WhichOneof("value_type")
            if operand not in ("integer_value", "double_value"):
                raise invalid("Input must be int64 or double.")
        for other in paths:
            if other != path and other[: len(path)] == path[: len(other)]:
                shorter = min(path, other, key=len)
                raise invalid(
                    f"Cannot transform property {fields.text(shorter)} and its nested property "
                    "at the same time."
                )
        paths.append(path)


def apply(transforms: Any, target: Any, now_us: int, results: Any) -> None:
    """Apply transforms in order to a map of fields and add what each gave to ``results``."""
    for transform in transforms:
        path = fields.parse(transform.field_path)
        old = fields.get(target, path)
        kind = transform.WhichOneof("transform_type")
        result = results.add()
        if kind == "append_missing_elements":
            new = _append(old, transform.append_missing_elements.values)
            result.null_value = 0
        elif kind == "remove_all_from_array":
            new = _remove(old, transform.remove_all_from_array.values)
            result.null_value = 0
        else:
            new = _scalar(kind, transform, old, now_us)
            result.CopyFrom(new)
        fields.put(target, path, new)


def _scalar(kind: str, transform: Any, old: Any, now_us: int) -> Any:
    new = wire.Value()
    if kind == "set_to_server_value":
        # The service counts the time of a request in milliseconds.
        seconds, micros = divmod(now_us, 1_000_000)
        new.timestamp_value.seconds = seconds
        new.timestamp_value.nanos = micros // 1000 * 1_000_000
        return new
    operand = getattr(transform, kind)
    if _number(old) is None:
        return operand
    if kind == "increment":
        return _increment(old, operand)
    return _extreme(kind, old, operand)


def _number(value: Any) -> int | float | None:
    kind = None if value is None else value.WhichOneof("value_type")
    if kind == "integer_value":
        return int(value.integer_value)
    return float(value.double_value) if kind == "double_value" else None


def _increment(old: Any, operand: Any) -> Any:
    new = wire.Value()
    left, right = _number(old), _number(operand)
    if left is None or right is None:
        return operand
    if isinstance(left, int) and isinstance(right, int):
        new.integer_value = max(_LEAST, min(_GREATEST, left + right))
    else:
        new.double_value = float(left) + float(right)
    return new


def _extreme(kind: str, old: Any, operand: Any) -> Any:
    left, right = values.key(old), values.key(operand)
    if values.NAN in (left, right):
        return old if left == values.NAN else operand
    if left == right:
        return old
    return operand if (right > left) == (kind == "maximum") else old


def _append(old: Any, items: Any) -> Any:
    new = wire.Value()
    new.array_value.SetInParent()
    if old is not None and old.HasField("array_value"):
        new.array_value.values.extend(old.array_value.values)
    seen = {values.key(item) for item in new.array_value.values}
    for item in items:
        key = values.key(item)
        if key not in seen:
            seen.add(key)
            new.array_value.values.append(item)
    return new


def _remove(old: Any, items: Any) -> Any:
    new = wire.Value()
    new.array_value.SetInParent()
    if old is not None and old.HasField("array_value"):
        gone = {values.key(item) for item in items}
        new.array_value.values.extend(item for item in old.array_value.values if values.key(item) not in gone)
    return new
