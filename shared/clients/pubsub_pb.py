"""The two protobuf messages of publishing, declared here instead of imported.

The official package declares all of Pub/Sub's messages, which takes 10 ms of a function's cold start. Numbers
and types are those of google/pubsub/v1/pubsub.proto; a test holds them against the official package. The
pool is a private one, so that both can live in one process.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field: Any = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "google.pubsub.v1"


def _add(message: Any, name: str, number: int, kind: int, repeated: bool = False, of: str = "") -> None:
    label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    field = message.field.add(name=name, number=number, type=kind, label=label)
    if of:
        field.type_name = f".{_PACKAGE}.{of}"


def _declare() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="publish.proto", package=_PACKAGE, syntax="proto3")
    message = file.message_type.add(name="PubsubMessage")
    _add(message, "data", 1, _Field.TYPE_BYTES)
    _add(message, "attributes", 2, _Field.TYPE_MESSAGE, repeated=True, of="PubsubMessage.AttributesEntry")
    entry = message.nested_type.add(name="AttributesEntry")
    entry.options.map_entry = True
    _add(entry, "key", 1, _Field.TYPE_STRING)
    _add(entry, "value", 2, _Field.TYPE_STRING)
    request = file.message_type.add(name="PublishRequest")
    _add(request, "topic", 1, _Field.TYPE_STRING)
    _add(request, "messages", 2, _Field.TYPE_MESSAGE, repeated=True, of="PubsubMessage")
    response = file.message_type.add(name="PublishResponse")
    _add(response, "message_ids", 1, _Field.TYPE_STRING, repeated=True)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


_pool = _declare()


def _message_class(name: str) -> Any:
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


PublishRequest: Any = _message_class("PublishRequest")
PublishResponse: Any = _message_class("PublishResponse")
