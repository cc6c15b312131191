"""The declared messages against those of google-cloud-firestore."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from google.cloud.firestore_v1 import types
from google.protobuf import wrappers_pb2
from google.protobuf.descriptor import FieldDescriptor

from shared.clients.firestore_pb import Messages, messages

_ELSEWHERE = {
    "Timestamp": None,
    "Int32Value": wrappers_pb2.Int32Value.DESCRIPTOR,
    "Int64Value": wrappers_pb2.Int64Value.DESCRIPTOR,
    "Count": types.StructuredAggregationQuery.Aggregation.Count.pb().DESCRIPTOR,
    "Aggregation": types.StructuredAggregationQuery.Aggregation.pb().DESCRIPTOR,
    "AggregationResult": types.AggregationResult.pb().DESCRIPTOR,
    "Status": types.BatchWriteResponse.pb().DESCRIPTOR.fields_by_name["status"].message_type,
    "LatLng": types.Value.pb().DESCRIPTOR.fields_by_name["geo_point_value"].message_type,
    "FieldTransform": types.DocumentTransform.FieldTransform.pb().DESCRIPTOR,
    "Cursor": types.Cursor.pb().DESCRIPTOR,
    "DocumentMask": types.DocumentMask.pb().DESCRIPTOR,
    "Precondition": types.Precondition.pb().DESCRIPTOR,
}


def _official(name: str) -> Any:
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    found = getattr(types, name, None) or getattr(types.StructuredQuery, name)
    return found.pb().DESCRIPTOR


def _wire_type(field: Any) -> int:
    # An enum is an int32 on the wire.
    kind: int = field.type
    return FieldDescriptor.TYPE_INT32 if kind == FieldDescriptor.TYPE_ENUM else kind


def _compare(ours: Any, official: Any, seen: set[str]) -> None:
    if ours.name in seen or official is None:
        return
    seen.add(ours.name)
    for field in ours.fields:
        place = f"{ours.name}.{field.name}"
        theirs = official.fields_by_number[field.number]
        assert field.name == theirs.name, place
        assert field.is_repeated == theirs.is_repeated, place
        oneof = theirs.containing_oneof
        if ours.name not in ("RunQueryResponse", "BatchGetDocumentsRequest", "CommitRequest"):
            assert (field.containing_oneof is None) == (oneof is None), place
        if field.containing_oneof is not None:
            assert field.containing_oneof.name == oneof.name, place
        assert _wire_type(field) == _wire_type(theirs), place
        if field.message_type is None:
            continue
        assert field.message_type.name == theirs.message_type.name, place
        if field.message_type.GetOptions().map_entry:
            assert theirs.message_type.GetOptions().map_entry, place
            _compare(field.message_type, theirs.message_type, seen)
        elif field.message_type.full_name != theirs.message_type.full_name:
            _compare(field.message_type, theirs.message_type, seen)
        else:
            _compare(field.message_type, _official(field.message_type.name), seen)


@pytest.mark.parametrize("name", Messages.__struct_fields__)
def test_every_declared_field_is_the_official_one(name: str) -> None:
    _compare(getattr(messages(), name).DESCRIPTOR, _official(name), set())


def test_what_is_written_is_read_by_the_official_package() -> None:
    pb = messages()
    write = pb.Write(update=pb.Document(name="n"), update_mask=pb.DocumentMask(field_paths=["a"]))
    write.update.fields["a"].map_value.fields["b"].array_value.values.add().double_value = 1.5
    write.update.fields["z"].null_value = 0
    write.current_document.update_time.seconds = 7
    write.update_transforms.add(field_path="c").increment.integer_value = 3
    read = types.Write.deserialize(write.SerializeToString())
    assert read.update.fields["a"].map_value.fields["b"].array_value.values[0].double_value == 1.5
    assert types.Value.pb(read.update.fields["z"]).WhichOneof("value_type") == "null_value"
    assert read.current_document.update_time.timestamp() == 7
    assert read.update_transforms[0].increment.integer_value == 3
    assert pb.Write.FromString(types.Write.serialize(read)) == write


def test_the_client_is_not_loaded_for_its_messages() -> None:
    code = (
        "import sys\nfrom shared.clients.firestore_pb import messages\nfrom shared.clients import firestore\n"
        "assert not {'google.protobuf', 'grpc'} & set(sys.modules)\n"
        "messages()\nimport grpc.aio\n"
        "heavy = {'google.cloud.firestore_v1', 'proto', 'google.api_core', 'requests', 'cryptography'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
