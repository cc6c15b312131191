"""JSON values to Firestore's protobuf values and back, exactly.

Firestore cannot hold everything that JSON can. What it cannot hold stands as a map with the single key
``$json`` whose string is the JSON text of the value:

- an array directly in an array (the outer one stays an array, the inner one is wrapped),
- an object with a key that is empty, too long (1,500 bytes) or of the form ``__x__``,
- an integer beyond 64 bits, a string or key that is not valid Unicode,
- whatever contains containers below the twentieth level,
- an object that happens to have ``$json`` as its only key.

``from_value(to_value(x)) == x`` with equal types for every JSON value. Bytes and UTC datetimes, which
documents of the platform hold beside JSON, are carried too (datetimes to the microsecond).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from shared.clients.firestore_pb import messages

JSON_KEY = "$json"
MAX_DEPTH = 20
MAX_KEY_BYTES = 1500

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_value(value: Any, depth: int = 1) -> Any:
    """A protobuf ``Value``. ``depth`` is the level at which it will stand: 1 for a document's own field.

    TypeError for what is neither JSON nor bytes nor an aware datetime.
    """
    target = messages().Value()
    fill(target, value, depth)
    return target


def to_fields(target: Any, values: dict[str, Any]) -> None:
    """Set the fields of a protobuf ``Document`` (its ``fields`` map), None as null."""
    for key, value in values.items():
        fill(target[key], value, 1)


def fill(target: Any, value: Any, depth: int = 1) -> None:
    """Write ``value`` into an empty protobuf ``Value`` where it stands, which saves a copy."""
    kind = type(value)
    if kind is str:
        if value.isascii() or _is_unicode(value):
            target.string_value = value
        else:
            _wrap(target, value)
    elif kind is float:
        target.double_value = value
    elif kind is bool:
        target.boolean_value = value
    elif kind is int:
        if _INT64_MIN <= value <= _INT64_MAX:
            target.integer_value = value
        else:
            _wrap(target, value)
    elif value is None:
        target.null_value = 0
    elif kind is dict:
        _fill_map(target, value, depth)
    elif kind is list:
        _fill_array(target, value, depth)
    elif kind is bytes:
        target.bytes_value = value
    elif isinstance(value, datetime):
        since = value - _EPOCH
        target.timestamp_value.seconds = since.days * 86400 + since.seconds
        target.timestamp_value.nanos = since.microseconds * 1000
    else:
        raise TypeError(f"{kind.__name__} is not a JSON value")


def from_value(value: Any) -> Any:
    """The Python value of a protobuf ``Value``; ValueError for kinds that Fulcrum never writes."""
    kind = value.WhichOneof("value_type")
    reader = _readers().get(kind)
    if reader is None:
        raise ValueError(f"a Firestore value of kind {kind} is not one of Fulcrum's")
    return reader(value)


def from_fields(fields: Any) -> dict[str, Any]:
    """The Python values of a document's ``fields``."""
    return {key: from_value(value) for key, value in fields.items()}


def _fill_map(target: Any, value: dict[str, Any], depth: int) -> None:
    if (
        (len(value) == 1 and JSON_KEY in value)
        or (depth >= MAX_DEPTH and _holds_containers(value.values()))
        or not all(map(_is_key, value))
    ):
        _wrap(target, value)
        return
    fields = target.map_value.fields
    if not value:
        target.map_value.SetInParent()
    for key, inner in value.items():
        fill(fields[key], inner, depth + 1)


def _fill_array(target: Any, value: list[Any], depth: int) -> None:
    if depth >= MAX_DEPTH and _holds_containers(value):
        _wrap(target, value)
        return
    values = target.array_value.values
    if not value:
        target.array_value.SetInParent()
    for inner in value:
        if type(inner) is list:
            _wrap(values.add(), inner)
        else:
            fill(values.add(), inner, depth + 1)


def _wrap(target: Any, value: Any) -> None:
    # ASCII only, so that text which is no valid Unicode can be carried as escapes.
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    target.map_value.fields[JSON_KEY].string_value = text


def _holds_containers(values: Any) -> bool:
    # A wrapped scalar is a map as well: it must not stand one level too deep.
    return any(
        isinstance(inner, dict | list)
        or (type(inner) is int and not _INT64_MIN <= inner <= _INT64_MAX)
        or (type(inner) is str and not _is_unicode(inner))
        for inner in values
    )


def _is_key(key: str) -> bool:
    if not key or (key.startswith("__") and key.endswith("__")):
        return False
    if len(key) > MAX_KEY_BYTES:
        return False
    return key.isascii() or (_is_unicode(key) and len(key.encode()) <= MAX_KEY_BYTES)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_map(value: Any) -> Any:
    fields = value.map_value.fields
    if len(fields) == 1 and JSON_KEY in fields:
        inner = fields[JSON_KEY]
        if inner.WhichOneof("value_type") == "string_value":
            return json.loads(inner.string_value)
    return {key: from_value(inner) for key, inner in fields.items()}


def _read_timestamp(value: Any) -> datetime:
    stamp = value.timestamp_value
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)


@cache
def _readers() -> dict[str | None, Any]:
    return {
        "string_value": lambda v: v.string_value,
        "double_value": lambda v: v.double_value,
        "integer_value": lambda v: v.integer_value,
        "boolean_value": lambda v: v.boolean_value,
        "null_value": lambda v: None,
        "map_value": _read_map,
        "array_value": lambda v: [from_value(inner) for inner in v.array_value.values],
        "bytes_value": lambda v: v.bytes_value,
        "timestamp_value": _read_timestamp,
        "reference_value": lambda v: v.reference_value,
    }
