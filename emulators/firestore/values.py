"""Values: what may be stored, how large it counts, and how it sorts.

Sizes and order follow the service's documentation ("Storage size calculations", "Value type
ordering"); limits and messages follow Google's emulator.
"""

from __future__ import annotations

from typing import Any

from emulators.firestore import names
from emulators.firestore.errors import invalid

MAX_DOCUMENT = 1_048_576
MAX_VALUE = 1_048_487
MAX_DEPTH = 20
_MAX_NAME = 1500

Key = tuple[Any, ...]
"""Sorts and compares as the service does: first the type's rank, then the content."""

NULL: Key = (0,)
NAN: Key = (2, 0, 0)
_PLAIN = frozenset(("integer_value", "double_value", "boolean_value", "null_value"))
_SHORT = _PLAIN | {"string_value", "bytes_value"}


def check_document(document: Any) -> None:
    """Refuse what no document may hold; times are cut to microseconds, as they are stored."""
    # Where the whole document is shorter than the limit of one value, no value needs to be measured.
    _check_fields(document.fields, _SHORT if document.ByteSize() <= MAX_VALUE else _PLAIN, 0, "")


def _check_fields(fields: Any, plain: frozenset[str], depth: int, top: str) -> None:
    # The hot loop of every write: names by index rather than items(), which is slower in protobuf.
    for name in fields:
        if not name or name[0] == "_" or len(name) > 375:
            _check_name(name, fields, depth, top)
        value = fields[name]
        kind = value.WhichOneof("value_type")
        if kind in plain:
            continue
        if kind == "map_value" and depth < MAX_DEPTH:
            _check_fields(value.map_value.fields, plain, depth + 1, top or name)
        else:
            _check_value(value, kind, plain, depth, top or name)


def _check_name(name: str, fields: Any, depth: int, top: str) -> None:
    if not name or (len(name) > 4 and name[:2] == "__" == name[-2:]):
        _check_odd_name(name, fields, depth, top)
    if len(name.encode()) > _MAX_NAME:
        raise invalid("The property.name is longer than 1500 bytes.")


def _check_odd_name(name: str, fields: Any, depth: int, top: str) -> None:
    if not name:
        if depth:
            raise invalid(f"Property {top} contains an invalid nested entity.")
        raise invalid("The property.name is the empty string.")
    if not depth:
        raise invalid(f"field name {name} is reserved")
    if name != "__type__":
        raise invalid(f"field name '{name}' is reserved.")
    if not is_vector(fields):
        raise invalid(f"Property {top} contains an invalid nested entity.")


def is_vector(fields: Any) -> bool:
    """Whether a map stands for a vector, as the clients send one."""
    marker, inner = fields.get("__type__"), fields.get("value")
    return (
        marker is not None
        and inner is not None
        and marker.string_value == "__vector__"
        and len(fields) == 2
        and all(item.HasField("double_value") for item in inner.array_value.values)
    )


def _check_value(value: Any, kind: str | None, plain: frozenset[str], depth: int, top: str) -> None:
    """Refuse a value that may not be stored in the top-level field ``top``."""
    if kind == "string_value":
        _check_length(len(value.string_value.encode()), top)
    elif kind == "bytes_value":
        _check_length(len(value.bytes_value), top)
    elif kind == "map_value":
        if depth >= MAX_DEPTH:
            raise invalid(f"Property {top} contains an invalid nested entity.")
        _check_fields(value.map_value.fields, plain, depth + 1, top)
    elif kind == "array_value":
        for item in value.array_value.values:
            inner = item.WhichOneof("value_type")
            if inner == "array_value":
                raise invalid("Cannot convert an array value in an array value.")
            if inner not in plain:
                _check_value(item, inner, plain, depth, top)
    elif kind == "timestamp_value":
        nanos = value.timestamp_value.nanos
        if nanos % 1000:
            value.timestamp_value.nanos = nanos - nanos % 1000
    elif kind == "reference_value":
        names.reference(value.reference_value)
    elif kind == "geo_point_value":
        _check_geo(value.geo_point_value)
    elif kind is None:
        raise invalid("Cannot convert firestore.v1.Value with type unset.")
    elif kind not in _PLAIN:
        raise invalid(f"A {kind} cannot be stored.")


def _check_length(length: int, top: str) -> None:
    if length > MAX_VALUE:
        raise invalid(f'The value of property "{top}" is longer than {MAX_VALUE} bytes.')


def _check_geo(point: Any) -> None:
    if not -90 <= point.latitude <= 90:
        raise invalid(f"Geo point latitude '{point.latitude}' outside permitted range -90.0 to 90.0.")
    if not -180 <= point.longitude <= 180:
        raise invalid(f"Geo point longitude '{point.longitude}' outside permitted range -180.0 to 180.0.")


def check_size(name: str, fields: Any, raw_length: int) -> None:
    """Refuse a document over 1 MiB; ``raw_length`` is its length on the wire, a cheap first look."""
    # No value counts more than four times its bytes on the wire, so that small ones need no count.
    if raw_length * 4 + 64 > MAX_DOCUMENT and _name_size(name) + _fields_size(fields) + 32 > MAX_DOCUMENT:
        raise invalid(f"maximum entity size is {MAX_DOCUMENT} bytes")


def _name_size(name: str) -> int:
    return 16 + sum(len(part.encode()) + 1 for part in name.split("/")[5:])


def _fields_size(fields: Any) -> int:
    return sum(len(name.encode()) + 1 + _value_size(value) for name, value in fields.items())


def _value_size(value: Any) -> int:
    kind = value.WhichOneof("value_type")
    if kind == "string_value":
        return len(value.string_value.encode()) + 1
    if kind == "bytes_value":
        return len(value.bytes_value)
    if kind == "map_value":
        return _fields_size(value.map_value.fields)
    if kind == "array_value":
        return sum(map(_value_size, value.array_value.values))
    if kind == "reference_value":
        return _name_size(value.reference_value)
    if kind == "geo_point_value":
        return 16
    return 1 if kind in ("null_value", "boolean_value") else 8


def key(value: Any) -> Key:
    """The sort key of a value."""
    kind = value.WhichOneof("value_type")
    if kind == "string_value":
        return (4, value.string_value)
    if kind == "integer_value":
        return (2, 1, value.integer_value)
    if kind == "double_value":
        number = value.double_value
        return NAN if number != number else (2, 1, number)
    if kind == "boolean_value":
        return (1, value.boolean_value)
    if kind == "null_value":
        return NULL
    if kind == "timestamp_value":
        return (3, value.timestamp_value.seconds, value.timestamp_value.nanos // 1000)
    if kind == "bytes_value":
        return (5, value.bytes_value)
    if kind == "reference_value":
        return (6, names.reference(value.reference_value))
    if kind == "geo_point_value":
        return (7, value.geo_point_value.latitude, value.geo_point_value.longitude)
    if kind == "array_value":
        return (8, tuple(map(key, value.array_value.values)))
    if kind == "map_value":
        return _map_key(value.map_value.fields)
    if kind is None:
        raise invalid("Cannot convert firestore.v1.Value with type unset.")
    raise invalid(f"A {kind} cannot be compared.")


def _map_key(fields: Any) -> Key:
    if len(fields) == 2 and is_vector(fields):
        inner = fields["value"].array_value.values
        return (9, len(inner), tuple(map(key, inner)))
    return (10, tuple((name, key(fields[name])) for name in sorted(fields)))
