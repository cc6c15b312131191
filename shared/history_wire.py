"""The protobuf messages of the Storage Write API that appending needs, declared here instead of imported.

The official package loads the whole read and write client with it, which costs more CPU than the rest of a
function's cold start. Names and field numbers are those of google/cloud/bigquery/storage/v1/storage.proto; a
test holds them against the official ones. The pools are private, so both can live in one process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "google.cloud.bigquery.storage.v1"

# How the API takes a column's type.
_COLUMN_TYPES = {
    "STRING": _Field.TYPE_STRING,
    "JSON": _Field.TYPE_STRING,
    "BOOL": _Field.TYPE_BOOL,
    "INT64": _Field.TYPE_INT64,
    # Epoch microseconds.
    "TIMESTAMP": _Field.TYPE_INT64,
}
_MODES = {
    "REQUIRED": _Field.LABEL_REQUIRED,
    "NULLABLE": _Field.LABEL_OPTIONAL,
    "REPEATED": _Field.LABEL_REPEATED,
}


def _add(message: Any, name: str, number: int, kind: int, of: str = "", repeated: bool = False) -> None:
    message.field.add(
        name=name,
        number=number,
        type=kind,
        label=_Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL,
        type_name=f".{_PACKAGE}.{of}" if of else None,
    )


def _declare() -> descriptor_pool.DescriptorPool:
    file = descriptor_pb2.FileDescriptorProto(name="append.proto", package=_PACKAGE, syntax="proto3")
    request = file.message_type.add(name="AppendRowsRequest")
    _add(request, "write_stream", 1, _Field.TYPE_STRING)
    _add(request, "proto_rows", 4, _Field.TYPE_MESSAGE, "AppendRowsRequest.ProtoData")
    _add(request, "trace_id", 6, _Field.TYPE_STRING)
    data = request.nested_type.add(name="ProtoData")
    # A ProtoSchema, which is made once and kept as bytes: the same on the wire.
    _add(data, "writer_schema", 1, _Field.TYPE_BYTES)
    _add(data, "rows", 2, _Field.TYPE_MESSAGE, "ProtoRows")
    rows = file.message_type.add(name="ProtoRows")
    _add(rows, "serialized_rows", 1, _Field.TYPE_BYTES, repeated=True)
    response = file.message_type.add(name="AppendRowsResponse")
    _add(response, "error", 2, _Field.TYPE_MESSAGE, "Status")
    _add(response, "row_errors", 4, _Field.TYPE_MESSAGE, "RowError", repeated=True)
    status = file.message_type.add(name="Status")
    _add(status, "code", 1, _Field.TYPE_INT32)
    _add(status, "message", 2, _Field.TYPE_STRING)
    _add(status, "details", 3, _Field.TYPE_MESSAGE, "Any", repeated=True)
    detail = file.message_type.add(name="Any")
    _add(detail, "type_url", 1, _Field.TYPE_STRING)
    _add(detail, "value", 2, _Field.TYPE_BYTES)
    storage = file.message_type.add(name="StorageError")
    _add(storage, "code", 1, _Field.TYPE_INT32)
    error = file.message_type.add(name="RowError")
    _add(error, "index", 1, _Field.TYPE_INT64)
    _add(error, "code", 2, _Field.TYPE_INT32)
    _add(error, "message", 3, _Field.TYPE_STRING)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


_pool = _declare()


def _message_class(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


AppendRowsRequest: Any = _message_class("AppendRowsRequest")
AppendRowsResponse: Any = _message_class("AppendRowsResponse")
_StorageError: Any = _message_class("StorageError")

# What only the deployment can mend: the table is missing, or older than the code that writes it.
_MISPLACED = frozenset({1, 3, 7})


def is_misplaced(status: Any) -> bool:
    """Whether an error of an answer concerns the table itself: missing, or without one of our columns."""
    return any(
        detail.type_url.endswith(".StorageError")
        and _StorageError.FromString(detail.value).code in _MISPLACED
        for detail in status.details
    )


def _row_descriptor(columns: Sequence[dict[str, str]]) -> Any:
    descriptor = descriptor_pb2.DescriptorProto(name="Row")
    for number, column in enumerate(columns, 1):
        descriptor.field.add(
            name=column["name"],
            number=number,
            type=_COLUMN_TYPES[column["type"]],
            label=_MODES[column["mode"]],
        )
    return descriptor


def row_class(columns: Sequence[dict[str, str]]) -> Any:
    """The message class of a table's row."""
    file = descriptor_pb2.FileDescriptorProto(name="row.proto", package="fulcrum", syntax="proto2")
    file.message_type.append(_row_descriptor(columns))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("fulcrum.Row"))


def writer_schema(columns: Sequence[dict[str, str]]) -> bytes:
    """A ``ProtoSchema`` (one field, 1: the descriptor), serialized."""
    descriptor: bytes = _row_descriptor(columns).SerializeToString()
    length = bytearray()
    size = len(descriptor)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return b"\x0a" + bytes(length) + bytes([size]) + descriptor
