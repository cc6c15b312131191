"""AppendRows on the default stream, by the official clients."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import grpc.aio
import pytest
from google.api_core.exceptions import GoogleAPICallError, InvalidArgument, NotFound
from google.api_core.exceptions import MethodNotImplemented as Unimplemented
from google.api_core.retry import Retry
from google.cloud import bigquery
from google.cloud.bigquery_storage_v1 import BigQueryWriteClient, types
from google.cloud.bigquery_storage_v1.services.big_query_write import BigQueryWriteAsyncClient
from google.cloud.bigquery_storage_v1.services.big_query_write.transports import (
    BigQueryWriteGrpcAsyncIOTransport,
)
from google.cloud.bigquery_storage_v1.writer import AppendRowsStream
from google.protobuf import descriptor_pb2

from tests.integration.bigquery.conftest import control, events_table
from tests.integration.bigquery.proto import DEFAULT_STREAM, EVENT, EVENT_FIELDS, descriptor, message, request
from tests.support.emulators import Address

_P = descriptor_pb2.FieldDescriptorProto
DAY_US = 86_400_000_000


def now_us() -> int:
    return time.time_ns() // 1000


def event(name: str, **more: Any) -> Any:
    return EVENT(**{"id": name, "time": now_us(), **more})


def ids(client: bigquery.Client) -> list[str]:
    sql = "SELECT id FROM history.events WHERE time > '2000-01-01' ORDER BY id"
    return [row.id for row in client.query_and_wait(sql)]


def append(client: BigQueryWriteClient, *requests: types.AppendRowsRequest) -> list[Any]:
    return list(client.append_rows(iter(requests)))


def test_rows_of_several_appends_on_one_stream_are_read_at_once(
    client: bigquery.Client, writer: BigQueryWriteClient, calls: Callable[[], dict[str, int]]
) -> None:
    events_table(client)
    start = now_us()
    rows = [
        EVENT(id=f"e{i}", time=start + i, device="d", data=f'{{"t": {i}}}', n=i, f=i / 2, tags=["a", "b"])
        for i in range(10)
    ]
    answers = append(writer, request(rows[:5], EVENT_FIELDS), request(rows[5:]))
    assert [answer.error.code for answer in answers] == [0, 0]
    assert [answer.write_stream for answer in answers] == [DEFAULT_STREAM] * 2
    assert all("append_result" in answer and not answer.append_result.offset for answer in answers)
    found = client.query_and_wait(
        "SELECT id, UNIX_MICROS(time) AS at, LAX_INT64(data.t) AS t, n, f, tags FROM history.events "
        "WHERE time >= @since ORDER BY time",
        job_config=bigquery.QueryJobConfig(
            query_parameters=[bigquery.ScalarQueryParameter("since", "TIMESTAMP", "2020-01-01T00:00:00Z")]
        ),
    )
    assert [tuple(row) for row in found] == [(f"e{i}", start + i, i, i, i / 2, ["a", "b"]) for i in range(10)]
    assert calls()["AppendRows"] == 2


BAD_ROWS = [
    (lambda: EVENT(time=now_us()), "root.id: Missing required field"),
    (lambda: event("x", data="{broken"), "root.data"),
    (lambda: event("x", data="NaN"), "root.data"),
    (lambda: event("x", time=10**18), "out of range"),
    (lambda: event("x", time=now_us() - 1827 * DAY_US), "outside the allowed bounds"),
    (lambda: event("x", time=now_us() + 368 * DAY_US), "outside the allowed bounds"),
    (lambda: event("x", f=float("nan")), "NaN"),
    (lambda: b"\xff\xff", "."),
    (lambda: event("x").SerializeToString() + b"\xfa\x01\x01a", "unknown to BigQuery"),
    (lambda: event("x").SerializeToString() + b"\x1a\x01\xff", "."),
]


@pytest.mark.parametrize(("row", "error"), BAD_ROWS, ids=lambda item: item if isinstance(item, str) else "")
def test_one_corrupt_row_refuses_the_whole_append_by_name(
    client: bigquery.Client, writer: BigQueryWriteClient, row: Callable[[], Any], error: str
) -> None:
    events_table(client)
    rows = [event("a"), row(), event("b")]
    refused, taken = append(writer, request(rows, EVENT_FIELDS), request([event("c")]))
    assert refused.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert "Errors found while processing rows" in refused.error.message
    assert [(e.index, e.code) for e in refused.row_errors] == [(1, types.RowError.RowErrorCode.FIELDS_ERROR)]
    assert error == "." or error in refused.row_errors[0].message
    assert taken.error.code == 0
    assert ids(client) == ["c"]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({**EVENT_FIELDS, "other": _P.TYPE_STRING}, "extra fields: 'other'"),
        ({"id": _P.TYPE_STRING}, "'time'"),
        ({**EVENT_FIELDS, "n": _P.TYPE_STRING}, "mismatched with BigQuery field at n"),
        ({**EVENT_FIELDS, "tags": _P.TYPE_STRING}, "repeated"),
    ],
)
def test_a_writer_schema_that_does_not_fit_is_refused(
    client: bigquery.Client, writer: BigQueryWriteClient, fields: dict[str, int], error: str
) -> None:
    events_table(client)
    (answer,) = append(writer, request([message(fields)(id="a").SerializeToString()], fields))
    assert answer.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert error in answer.error.message
    assert ids(client) == []


def test_streams_tables_and_fields_that_cannot_be_end_the_call(
    client: bigquery.Client, writer: BigQueryWriteClient
) -> None:
    with pytest.raises(NotFound, match="tables/events"):
        append(writer, request([], EVENT_FIELDS))
    events_table(client)
    with pytest.raises(InvalidArgument, match="writer_schema"):
        append(writer, types.AppendRowsRequest(write_stream=DEFAULT_STREAM))
    with pytest.raises(InvalidArgument, match="write_stream"):
        append(writer, request([event("a")]))
    with pytest.raises(Unimplemented, match="_default"):
        append(writer, request([], EVENT_FIELDS, DEFAULT_STREAM.replace("_default", "s1")))
    with pytest.raises(InvalidArgument, match="Invalid stream name"):
        append(writer, request([], EVENT_FIELDS, "events"))
    first = request([event("a")], EVENT_FIELDS)
    first.offset = 0
    with pytest.raises(InvalidArgument, match="Offset"):
        append(writer, first)
    with pytest.raises(Unimplemented, match="CreateWriteStream"):
        writer.create_write_stream(parent="projects/test/datasets/history/tables/events", write_stream={})
    big = request([event("a", device="x" * 6_000_000), event("b", device="x" * 6_000_000)], EVENT_FIELDS)
    with pytest.raises(InvalidArgument, match="too large"):
        append(writer, big)
    assert ids(client) == []
    stream = writer.get_write_stream(name=DEFAULT_STREAM)
    assert [field.name for field in stream.table_schema.fields][:2] == ["id", "time"]


def test_a_changed_table_is_told_to_open_streams(
    client: bigquery.Client, writer: BigQueryWriteClient
) -> None:
    table = events_table(client)

    def requests() -> Any:
        yield request([event("a")], EVENT_FIELDS)
        table.schema = [*table.schema, bigquery.SchemaField("extra", "STRING")]
        client.update_table(table, ["schema"])
        yield request([event("b")])

    answers = list(writer.append_rows(requests()))
    assert [answer.error.code for answer in answers] == [0, 0]
    assert not answers[0].updated_schema.fields
    assert answers[1].updated_schema.fields[-1].name == "extra"
    assert ids(client) == ["a", "b"]


def test_the_high_level_stream(client: bigquery.Client, writer: BigQueryWriteClient) -> None:
    events_table(client)
    template = types.AppendRowsRequest(
        write_stream=DEFAULT_STREAM,
        proto_rows=types.AppendRowsRequest.ProtoData(
            writer_schema=types.ProtoSchema(proto_descriptor=descriptor(EVENT_FIELDS))
        ),
        trace_id="fulcrum:test",
    )
    stream = AppendRowsStream(writer, template)
    polling = Retry(initial=0.005, maximum=0.01, multiplier=1.0)
    sent = []
    for name in ("a", "b"):
        one = request([event(name)])
        one.write_stream = DEFAULT_STREAM
        sent.append(stream.send(one))
    assert [future.result(retry=polling).error.code for future in sent] == [0, 0]
    bad = request([event("c", data="{")])
    bad.write_stream = DEFAULT_STREAM
    with pytest.raises(GoogleAPICallError) as caught:
        stream.send(bad).result(retry=polling)
    assert caught.value.response.row_errors[0].index == 0
    stream.close()
    assert ids(client) == ["a", "b"]


async def test_the_async_client(client: bigquery.Client, emulator: Address) -> None:
    events_table(client)
    async with grpc.aio.insecure_channel(emulator.grpc) as channel:
        asynchronous = BigQueryWriteAsyncClient(transport=BigQueryWriteGrpcAsyncIOTransport(channel=channel))

        async def requests() -> AsyncIterator[types.AppendRowsRequest]:
            yield request([event("a")], EVENT_FIELDS)
            yield request([event("b")])

        answers = [answer async for answer in await asynchronous.append_rows(requests())]
    assert [answer.error.code for answer in answers] == [0, 0]
    assert ids(client) == ["a", "b"]


@pytest.mark.parametrize(
    ("rule", "expected"), [({"error_rate": 1.0}, []), ({"drop_answer_rate": 1.0}, ["a"])]
)
def test_faults_hit_single_appends(
    client: bigquery.Client,
    writer: BigQueryWriteClient,
    emulator: Address,
    calls: Callable[[], dict[str, int]],
    rule: dict[str, float],
    expected: list[str],
) -> None:
    events_table(client)
    control(emulator, "POST", "/faults", {"rules": [{"method": "AppendRows", "code": "ABORTED", **rule}]})
    with pytest.raises(GoogleAPICallError, match="injected fault") as caught:
        append(writer, request([event("a")], EVENT_FIELDS), request([event("b")]))
    assert caught.value.grpc_status_code is grpc.StatusCode.ABORTED
    control(emulator, "DELETE", "/faults")
    assert ids(client) == expected
    assert calls()["AppendRows"] == 1
