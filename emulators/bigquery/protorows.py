"""Rows of the Storage Write API: from serialised messages of the writer's schema to carried values.

The conversions are those of https://cloud.google.com/bigquery/docs/supported-data-types, narrowed to
one or two protocol buffer types for each column type; others are refused by name.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from emulators.bigquery.limits import Bounds
from emulators.bigquery.schema import Column
from emulators.bigquery.tables import Table
from emulators.bigquery.values import (
    DATE_MAX,
    DATE_MIN,
    INT64_MAX,
    BadValue,
    canonical_json,
    check_timestamp,
    finite,
    parse_date,
    parse_numeric,
    parse_timestamp,
)

_P = descriptor_pb2.FieldDescriptorProto
_INTEGERS = (
    *(_P.TYPE_INT64, _P.TYPE_INT32, _P.TYPE_UINT32, _P.TYPE_SINT32, _P.TYPE_SINT64),
    *(_P.TYPE_SFIXED32, _P.TYPE_SFIXED64, _P.TYPE_FIXED32),
)
_STRING = (_P.TYPE_STRING,)


class SchemaError(Exception):
    """A writer schema that does not fit the table: the whole request is refused."""

    def __init__(self, message: str, extra_fields: bool = False) -> None:
        super().__init__(message)
        self.extra_fields = extra_fields


def _same(value: Any) -> Any:
    return value


def _text(value: str | bytes) -> str:
    # Protocol buffers of the second kind give the bytes of a string that is no UTF-8.
    if isinstance(value, bytes):
        raise BadValue("the string is not valid UTF-8")
    return value


def _date(value: int) -> int:
    if not DATE_MIN <= value <= DATE_MAX:
        raise BadValue(f"Date {value} is out of range")
    return value


def _int(value: int) -> int:
    if value > INT64_MAX:
        raise BadValue(f"Integer {value} is out of range")
    return value


def _bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


_CONVERTERS: dict[str, tuple[tuple[tuple[int, ...], Callable[[Any], Any]], ...]] = {
    "STRING": ((_STRING, _text),),
    "INT64": (((*_INTEGERS, _P.TYPE_ENUM), _int),),
    "FLOAT64": (((_P.TYPE_DOUBLE, _P.TYPE_FLOAT), finite),),
    "BOOL": (((_P.TYPE_BOOL,), _same),),
    "TIMESTAMP": ((_INTEGERS, check_timestamp), (_STRING, parse_timestamp)),
    "DATE": ((_INTEGERS, _date), (_STRING, parse_date)),
    "JSON": ((_STRING, canonical_json),),
    "BYTES": (((_P.TYPE_BYTES,), _bytes),),
    "NUMERIC": ((_STRING, parse_numeric),),
}


@dataclass(frozen=True)
class Field:
    """How one column is filled. ``name`` is None where the writer does not send it."""

    column: Column
    name: str | None
    convert: Callable[[Any], Any]
    plain: bool


@dataclass(frozen=True)
class RowPlan:
    """How the messages of one writer schema become rows of one table."""

    message: Any
    fields: tuple[Field, ...]


@lru_cache(maxsize=256)
def message_class(descriptor: bytes) -> Any:
    """The message class of a serialised, self-contained DescriptorProto."""
    proto = descriptor_pb2.DescriptorProto.FromString(descriptor)
    if not proto.name:
        raise SchemaError("Invalid proto schema: the message has no name")
    file = descriptor_pb2.FileDescriptorProto(name="writer.proto", package="fulcrum_writer", syntax="proto2")
    file.message_type.add().CopyFrom(proto)
    pool = descriptor_pool.DescriptorPool()
    try:
        pool.Add(file)
        found = pool.FindMessageTypeByName(f"fulcrum_writer.{proto.name}")
    except (TypeError, KeyError) as error:
        raise SchemaError(f"Invalid proto schema: {error}") from None
    return message_factory.GetMessageClass(found)


def row_plan(descriptor: bytes, table: Table) -> RowPlan:
    """Fit a writer schema to a table, or say why it does not."""
    message = message_class(descriptor)
    given = {field.name.lower(): field for field in message.DESCRIPTOR.fields}
    if len(given) != len(message.DESCRIPTOR.fields):
        raise SchemaError("Invalid proto schema: two fields have the same name")
    known = {column.name.lower() for column in table.columns}
    extra = [field.name for name, field in given.items() if name not in known]
    if extra:
        raise SchemaError(
            f"Input schema has more fields than BigQuery schema, extra fields: '{', '.join(extra)}'",
            extra_fields=True,
        )
    return RowPlan(message, tuple(_field(column, given.get(column.name.lower())) for column in table.columns))


def _field(column: Column, field: Any) -> Field:
    if field is None:
        if column.mode == "REQUIRED":
            raise SchemaError(f"Proto schema mismatch: the required field '{column.name}' is missing from it")
        return Field(column, None, _same, False)
    # A field without presence (repeated) fits REPEATED only, and the other way round.
    repeated = field.is_repeated if hasattr(field, "is_repeated") else field.label == _P.LABEL_REPEATED
    if repeated != (column.mode == "REPEATED"):
        raise SchemaError(
            f"Field root.{column.name} is {'' if repeated else 'not '}repeated in the proto schema"
        )
    for types, convert in _CONVERTERS[column.type]:
        if field.type in types:
            plain = convert is _same
            return Field(column, field.name, convert, plain)
    kind = _P.Type.Name(field.type)
    raise SchemaError(
        f"The proto field mismatched with BigQuery field at {column.name}: "
        f"the proto field type {kind}, BigQuery field type {column.type}"
    )


def decode(
    plan: RowPlan, rows: Iterable[bytes], bounds: Bounds | None
) -> tuple[list[tuple[Any, ...]], list[tuple[int, str]]]:
    """All rows in carried form, and the errors as (row's index, message)."""
    good: list[tuple[Any, ...]] = []
    bad: list[tuple[int, str]] = []
    from_string, fields = plan.message.FromString, plan.fields
    for index, data in enumerate(rows):
        try:
            message = from_string(data)
            if len(UnknownFieldSet(message)):
                raise BadValue("The source object has fields unknown to BigQuery")
            row = tuple([_value(message, field) for field in fields])
        except (BadValue, DecodeError, UnicodeDecodeError) as error:
            bad.append((index, str(error)))
            continue
        refusal = bounds.refusal(row[bounds.index]) if bounds is not None else None
        if refusal is None:
            good.append(row)
        else:
            bad.append((index, refusal))
    return good, bad


def _value(message: Any, field: Field) -> Any:
    name = field.name
    if field.column.mode == "REPEATED":
        if name is None:
            return []
        items = getattr(message, name)
        return list(items) if field.plain else [_converted(field, item) for item in items]
    if name is None or not message.HasField(name):
        if field.column.mode == "REQUIRED":
            raise BadValue(f"Field root.{field.column.name}: Missing required field")
        return None
    value = getattr(message, name)
    return value if field.plain else _converted(field, value)


def _converted(field: Field, value: Any) -> Any:
    try:
        if field.column.type != "BYTES":
            value = _text(value) if isinstance(value, (str, bytes)) else value
        return field.convert(value)
    except BadValue as error:
        raise BadValue(f"Field root.{field.column.name}: {error}") from None
