"""Our declarations of the Storage Write API against the official messages, and the SQL that people use."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.bigquery_storage_v1 import types
from google.protobuf.descriptor import FieldDescriptor

from shared import history, history_sql, history_wire


def _compare(ours: Any, official: Any) -> None:
    for field in ours.fields:
        place = f"{ours.name}.{field.name}"
        theirs = official.fields_by_number[field.number]
        assert (field.name, field.is_repeated) == (theirs.name, theirs.is_repeated), place
        if place == "ProtoData.writer_schema":
            # Kept as bytes: the same on the wire.
            assert (field.type, theirs.type) == (FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_MESSAGE)
        elif theirs.type == FieldDescriptor.TYPE_ENUM:
            assert field.type == FieldDescriptor.TYPE_INT32, place
        else:
            assert field.type == theirs.type, place
        if field.message_type is not None:
            _compare(field.message_type, theirs.message_type)


@pytest.mark.parametrize(
    ("ours", "official"),
    [
        (history_wire.AppendRowsRequest, types.AppendRowsRequest),
        (history_wire.AppendRowsResponse, types.AppendRowsResponse),
        (history_wire._StorageError, types.StorageError),
    ],
)
def test_every_declared_field_is_the_official_one(ours: Any, official: Any) -> None:
    assert list(ours.DESCRIPTOR.fields)
    _compare(ours.DESCRIPTOR, official.pb().DESCRIPTOR)


def test_a_request_is_read_by_the_official_message() -> None:
    ours = history_wire.AppendRowsRequest(write_stream="s", trace_id="t")
    ours.proto_rows.writer_schema = history.writer_schema()
    ours.proto_rows.rows.serialized_rows.extend([b"1", b"2"])
    official = types.AppendRowsRequest.deserialize(ours.SerializeToString())
    assert (official.write_stream, official.trace_id) == ("s", "t")
    assert list(official.proto_rows.rows.serialized_rows) == [b"1", b"2"]
    fields = official.proto_rows.writer_schema.proto_descriptor.field
    assert [field.name for field in fields] == [column["name"] for column in history.schema()]


def test_an_answer_of_the_official_message_is_read_by_ours() -> None:
    official = types.AppendRowsResponse(
        error={"code": 3, "message": "bad"},
        row_errors=[{"index": 4, "code": 1, "message": "row"}],
        write_stream="s",
    )
    ours = history_wire.AppendRowsResponse.FromString(types.AppendRowsResponse.serialize(official))
    assert (ours.error.code, ours.error.message) == (3, "bad")
    assert [(row.index, row.code, row.message) for row in ours.row_errors] == [(4, 1, "row")]
    fine = types.AppendRowsResponse(append_result={"offset": 7})
    read = history_wire.AppendRowsResponse.FromString(types.AppendRowsResponse.serialize(fine))
    assert not read.HasField("error")
    assert not read.row_errors


def test_the_table_functions_filter_project_and_time_where_they_drop_repeats() -> None:
    events, records = history_sql.create_functions("history")
    for sql in (events, records):
        for part in sql.split("FROM `history.device_events`")[1:]:
            inner = part.split("QUALIFY")[0]
            assert "project_id = project" in inner
            assert "time >= since" in inner
    assert "`history.events`(project STRING, since TIMESTAMP, until TIMESTAMP)" in events


def test_the_table_has_its_partitions_and_refuses_queries_without_them() -> None:
    ddl = history_sql.create_table("history")
    assert "PARTITION BY TIMESTAMP_TRUNC(time, DAY)" in ddl
    assert "require_partition_filter = TRUE" in ddl
    assert "cleared ARRAY<STRING>" in ddl
    assert "event_id STRING NOT NULL" in ddl
