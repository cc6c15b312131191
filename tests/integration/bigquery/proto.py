"""Writer schemas and rows for tests, built without generated code."""

from __future__ import annotations

from typing import Any

from google.cloud.bigquery_storage_v1 import types
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_P = descriptor_pb2.FieldDescriptorProto
EVENT_FIELDS = {
    "id": _P.TYPE_STRING,
    "time": _P.TYPE_INT64,
    "device": _P.TYPE_STRING,
    "data": _P.TYPE_STRING,
    "n": _P.TYPE_INT64,
    "f": _P.TYPE_DOUBLE,
    "tags": -_P.TYPE_STRING,
}
DEFAULT_STREAM = "projects/test/datasets/history/tables/events/streams/_default"


def descriptor(fields: dict[str, int]) -> descriptor_pb2.DescriptorProto:
    """A message ``Row``; a negative type means repeated."""
    proto = descriptor_pb2.DescriptorProto(name="Row")
    for number, (name, kind) in enumerate(fields.items(), 1):
        label = _P.LABEL_REPEATED if kind < 0 else _P.LABEL_OPTIONAL
        proto.field.add(name=name, number=number, type=abs(kind), label=label)
    return proto


def message(fields: dict[str, int]) -> Any:
    """The class of that message."""
    pool = descriptor_pool.DescriptorPool()
    file = descriptor_pb2.FileDescriptorProto(name="row.proto", syntax="proto2")
    file.message_type.add().CopyFrom(descriptor(fields))
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("Row"))


EVENT = message(EVENT_FIELDS)


def request(
    rows: list[Any], fields: dict[str, int] | None = None, stream: str = DEFAULT_STREAM
) -> types.AppendRowsRequest:
    """An append; with ``fields`` (and the stream) it may be the first one of a connection."""
    data = types.AppendRowsRequest.ProtoData()
    data.rows = types.ProtoRows(
        serialized_rows=[row if isinstance(row, bytes) else row.SerializeToString() for row in rows]
    )
    if fields is not None:
        data.writer_schema = types.ProtoSchema(proto_descriptor=descriptor(fields))
    return types.AppendRowsRequest(write_stream=stream if fields is not None else "", proto_rows=data)
