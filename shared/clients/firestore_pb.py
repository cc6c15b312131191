"""The protobuf messages of Firestore's protocol that Fulcrum uses, declared here instead of imported.

google-cloud-firestore declares all of them, wrapped in proto-plus, and cannot be imported without its whole
client: 200 ms and 25 MB of a function's cold start. Numbers and types are those of google/firestore/v1; a
test holds each against the official package. The pool is a private one, so that both can live in one
process. Fields that are not declared here are kept as bytes, as protobuf does with any that is not known.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

PACKAGE = "google.firestore.v1"

# A line is a field: its name, its number, its type. ``[]``: repeated. ``{}``: a map with text keys. ``?``: of
# the message's oneof, whose name stands behind the message's. Enums are written as int32, which is the same
# on the wire.
DECLARATIONS = """
ArrayValue
  values 1 Value[]
MapValue
  fields 1 Value{}
LatLng
  latitude 1 double
  longitude 2 double
Value value_type
  null_value 11 int32?
  boolean_value 1 bool?
  integer_value 2 int64?
  double_value 3 double?
  timestamp_value 10 Timestamp?
  string_value 17 string?
  bytes_value 18 bytes?
  reference_value 5 string?
  geo_point_value 8 LatLng?
  array_value 9 ArrayValue?
  map_value 6 MapValue?
Document
  name 1 string
  fields 2 Value{}
  create_time 3 Timestamp
  update_time 4 Timestamp
DocumentMask
  field_paths 1 string[]
Precondition condition_type
  exists 1 bool?
  update_time 2 Timestamp?
FieldTransform transform_type
  field_path 1 string
  set_to_server_value 2 int32?
  increment 3 Value?
  maximum 4 Value?
  minimum 5 Value?
  append_missing_elements 6 ArrayValue?
  remove_all_from_array 7 ArrayValue?
Write operation
  update 1 Document?
  delete 2 string?
  update_mask 3 DocumentMask
  update_transforms 7 FieldTransform[]
  current_document 4 Precondition
WriteResult
  update_time 1 Timestamp
  transform_results 2 Value[]
Status
  code 1 int32
  message 2 string
BatchGetDocumentsRequest
  database 1 string
  documents 2 string[]
  mask 3 DocumentMask
BatchGetDocumentsResponse result
  found 1 Document?
  missing 2 string?
  read_time 4 Timestamp
BatchWriteRequest
  database 1 string
  writes 2 Write[]
BatchWriteResponse
  write_results 1 WriteResult[]
  status 2 Status[]
CommitRequest
  database 1 string
  writes 2 Write[]
CommitResponse
  write_results 1 WriteResult[]
  commit_time 2 Timestamp
FieldReference
  field_path 2 string
Projection
  fields 2 FieldReference[]
CollectionSelector
  collection_id 2 string
  all_descendants 3 bool
FieldFilter
  field 1 FieldReference
  op 2 int32
  value 3 Value
UnaryFilter operand_type
  op 1 int32
  field 2 FieldReference?
CompositeFilter
  op 1 int32
  filters 2 Filter[]
Filter filter_type
  composite_filter 1 CompositeFilter?
  field_filter 2 FieldFilter?
  unary_filter 3 UnaryFilter?
Order
  field 1 FieldReference
  direction 2 int32
Cursor
  values 1 Value[]
  before 2 bool
Int32Value
  value 1 int32
Int64Value
  value 1 int64
StructuredQuery
  select 1 Projection
  from_ 2 CollectionSelector[]
  where 3 Filter
  order_by 4 Order[]
  start_at 7 Cursor
  end_at 8 Cursor
  offset 6 int32
  limit 5 Int32Value
RunQueryRequest query_type
  parent 1 string
  structured_query 2 StructuredQuery?
RunQueryResponse
  document 1 Document
  read_time 3 Timestamp
  skipped_results 4 int32
Count
  up_to 1 Int64Value
Aggregation operator
  count 1 Count?
  alias 7 string
StructuredAggregationQuery query_type
  structured_query 1 StructuredQuery?
  aggregations 3 Aggregation[]
RunAggregationQueryRequest query_type
  parent 1 string
  structured_aggregation_query 2 StructuredAggregationQuery?
AggregationResult
  aggregate_fields 2 Value{}
RunAggregationQueryResponse
  result 1 AggregationResult
  read_time 3 Timestamp
"""


class Messages(msgspec.Struct, frozen=True):
    """The classes that callers build or read; see the protocol's reference for their fields."""

    Value: Any
    Document: Any
    DocumentMask: Any
    Precondition: Any
    Write: Any
    FieldTransform: Any
    StructuredQuery: Any
    BatchGetDocumentsRequest: Any
    BatchGetDocumentsResponse: Any
    BatchWriteRequest: Any
    BatchWriteResponse: Any
    CommitRequest: Any
    CommitResponse: Any
    RunQueryRequest: Any
    RunQueryResponse: Any
    RunAggregationQueryRequest: Any
    RunAggregationQueryResponse: Any


@cache
def messages() -> Messages:
    """The classes; the first call imports protobuf and declares them."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    file = descriptor_pb2.FileDescriptorProto(
        name="firestore.proto", package=PACKAGE, syntax="proto3", dependency=[timestamp_pb2.DESCRIPTOR.name]
    )
    message: Any = None
    for line in DECLARATIONS.strip().splitlines():
        words = line.split()
        if line[0] != " ":
            message = file.message_type.add(name=words[0])
            if len(words) > 1:
                message.oneof_decl.add(name=words[1])
        else:
            _declare(descriptor_pb2.FieldDescriptorProto, message, *words)
    pool.Add(file)
    found = (pool.FindMessageTypeByName(f"{PACKAGE}.{name}") for name in Messages.__struct_fields__)
    return Messages(*map(message_factory.GetMessageClass, found))


def _declare(field_class: Any, message: Any, name: str, number: str, kind: str) -> None:
    kind, repeated, mapped, chosen = kind.rstrip("[]{}?"), "[]" in kind, "{}" in kind, "?" in kind
    label = field_class.LABEL_REPEATED if repeated or mapped else field_class.LABEL_OPTIONAL
    field = message.field.add(name=name, number=int(number), label=label)
    if mapped:
        # protobuf's own way to write a map: a repeated nested message named after the field.
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        _declare(field_class, entry, "key", "1", "string")
        _declare(field_class, entry, "value", "2", kind)
        field.type = field_class.TYPE_MESSAGE
        field.type_name = f".{PACKAGE}.{message.name}.{entry.name}"
    elif kind[0].islower():
        field.type = getattr(field_class, f"TYPE_{kind.upper()}")
    else:
        field.type = field_class.TYPE_MESSAGE
        field.type_name = ".google.protobuf.Timestamp" if kind == "Timestamp" else f".{PACKAGE}.{kind}"
    if chosen:
        field.oneof_index = 0
