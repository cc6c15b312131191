"""The client of the history against a server that behaves and misbehaves as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc.aio
import pytest
from google.cloud.bigquery_storage_v1 import types
from google.protobuf import any_pb2

from shared import history_wire
from shared.clients import history
from shared.config import settings
from shared.errors import Rejected, Transient

Answer = Any
Script = Callable[["Server", Any], Any]


class Server:
    """Appends; ``script`` may answer a request instead, wait, or end the stream by raising."""

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.requests: list[Any] = []
        self.streams = 0
        self.script: Script | None = None

    async def append(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        self.streams += 1
        first = True
        async for request in requests:
            self.requests.append(request)
            assert bool(request.write_stream) == first
            assert bool(request.proto_rows.writer_schema) == first
            first = False
            answer = None
            if self.script is not None:
                answer = await self.script(self, context)
            if answer is None:
                self.rows += request.proto_rows.rows.serialized_rows
                answer = history_wire.AppendRowsResponse()
            yield answer


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    state = Server()
    handler = grpc.stream_stream_rpc_method_handler(
        state.append,
        request_deserializer=history_wire.AppendRowsRequest.FromString,
        response_serializer=history_wire.AppendRowsResponse.SerializeToString,
    )
    running = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    service = "google.cloud.bigquery.storage.v1.BigQueryWrite"
    running.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(service, {"AppendRows": handler}),)
    )
    port = running.add_insecure_port("127.0.0.1:0")
    await running.start()
    monkeypatch.setenv("FULCRUM_BIGQUERY_STORAGE_ENDPOINT", f"127.0.0.1:{port}")
    monkeypatch.setattr(history, "_PAUSE", 0.001)
    settings.cache_clear()
    yield state
    await history.close()
    await running.stop(0)


def answers(*scripted: Any) -> Script:
    """Each request in turn gets one of these: None = as usual, a status to end the stream, an answer."""
    left = list(scripted)

    async def script(server: Server, context: Any) -> Any:
        answer = left.pop(0) if left else None
        if isinstance(answer, grpc.StatusCode):
            await context.abort(answer, "as told")
        return answer

    return script


def row_errors(**messages: str) -> Any:
    answer = history_wire.AppendRowsResponse()
    answer.error.code = 3
    for index, text in messages.items():
        answer.row_errors.add(index=int(index[1:]), code=1, message=text)
    return answer


def failed(code: int) -> Any:
    answer = history_wire.AppendRowsResponse()
    answer.error.code = code
    answer.error.message = "in the stream"
    return answer


async def test_appends_share_one_stream_and_tell_it_the_schema_once(server: Server) -> None:
    for n in range(5):
        assert await history.append([b"%d" % n]) == {}
    await asyncio.gather(*(history.append([b"x"]) for _ in range(20)))
    assert server.streams == 1
    assert server.rows[:5] == [b"0", b"1", b"2", b"3", b"4"]
    assert len(server.rows) == 25
    assert await history.append([]) == {}
    assert server.requests[0].write_stream.endswith("/datasets/history/tables/device_events/streams/_default")


async def test_requests_do_not_wait_for_answers_and_answers_find_their_requests(server: Server) -> None:
    everybody = asyncio.Event()
    seen = 0

    async def script(_: Server, context: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == 1:
            await everybody.wait()
        return failed(3) if seen == 3 else None

    server.script = script
    calls = [asyncio.ensure_future(history.append([b"%d" % n])) for n in range(4)]
    await asyncio.sleep(0.05)
    assert not any(call.done() for call in calls)
    everybody.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(result) for result in results] == [dict, dict, Rejected, dict]
    assert server.rows == [b"0", b"1", b"3"]


async def test_rows_that_are_named_are_left_out_and_the_rest_goes_again(server: Server) -> None:
    server.script = answers(row_errors(_1="bad", _3="worse"), row_errors(_0="hidden till now"))
    refused = await history.append([b"0", b"1", b"2", b"3", b"4"])
    assert refused == {1: "bad", 3: "worse", 0: "hidden till now"}
    assert server.rows == [b"2", b"4"]
    server.script = answers(row_errors(_0="bad"))
    assert await history.append([b"only"]) == {0: "bad"}


@pytest.mark.parametrize("code", ["UNAVAILABLE", "ABORTED", "INTERNAL", "RESOURCE_EXHAUSTED"])
async def test_a_stream_that_ends_is_opened_again(server: Server, code: str) -> None:
    await history.append([b"0"])
    server.script = answers(grpc.StatusCode[code])
    results = await asyncio.gather(*(history.append([b"%d" % n]) for n in range(1, 6)))
    assert results == [{}] * 5
    assert sorted(set(server.rows)) == [b"%d" % n for n in range(6)]
    assert server.streams == 2


async def test_a_stream_that_was_ended_in_silence_costs_nothing(server: Server) -> None:
    await history.append([b"0"])
    stream = await history._opened.get(settings().bigquery_storage_endpoint)
    stream._call.cancel()
    await asyncio.sleep(0.02)
    assert await history.append([b"1"]) == {}
    assert server.streams == 2


@pytest.mark.parametrize("answer", [grpc.StatusCode.UNAVAILABLE, failed(14), failed(8), failed(2)])
async def test_what_keeps_failing_is_transient(server: Server, answer: Any) -> None:
    server.script = answers(*[answer] * 10)
    with pytest.raises(Transient):
        await history.append([b"0"])
    server.script = None
    assert await history.append([b"1"]) == {}


@pytest.mark.parametrize("answer", [grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED])
async def test_a_deployment_that_is_wrong_is_transient(server: Server, answer: Any) -> None:
    server.script = answers(*[answer] * 10)
    with pytest.raises(Transient, match=answer.name):
        await history.append([b"0"])


async def test_a_table_that_lacks_a_column_is_transient(server: Server) -> None:
    detail = types.StorageError(code=types.StorageError.StorageErrorCode.SCHEMA_MISMATCH_EXTRA_FIELDS)
    packed = any_pb2.Any()
    packed.Pack(types.StorageError.pb(detail))
    official = types.AppendRowsResponse(error={"code": 3, "message": "extra", "details": [packed]})
    answer = history_wire.AppendRowsResponse.FromString(types.AppendRowsResponse.serialize(official))
    server.script = answers(answer)
    with pytest.raises(Transient, match="extra"):
        await history.append([b"0"])


@pytest.mark.parametrize("answer", [grpc.StatusCode.INVALID_ARGUMENT, failed(3)])
async def test_a_request_that_is_refused_is_rejected_and_its_neighbours_are_not(
    server: Server, answer: Any
) -> None:
    await history.append([b"0"])

    async def refuse_two(_: Server, context: Any) -> Any:
        if server.requests[-1].proto_rows.rows.serialized_rows[0] == b"2":
            return await answers(answer)(server, context)
        return None

    server.script = refuse_two
    results = await asyncio.gather(
        *(history.append([b"%d" % n]) for n in range(1, 5)), return_exceptions=True
    )
    assert [type(result) for result in results] == [dict, Rejected, dict, dict]
    assert b"2" not in server.rows


async def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_ANSWER_SECONDS", 0.05)
    never = asyncio.Event()

    async def hang(_: Server, context: Any) -> Any:
        await never.wait()

    server.script = hang
    with pytest.raises(Transient):
        await history.append([b"0"])
    server.script = None
    assert await history.append([b"1"]) == {}
    with pytest.raises(Transient):
        await history.append([b"2"], within=0)


async def test_who_gives_up_waiting_does_not_shift_the_answers_of_others(server: Server) -> None:
    go = asyncio.Event()
    count = 0

    async def script(_: Server, context: Any) -> Any:
        nonlocal count
        count += 1
        await go.wait()
        return row_errors(_0=f"answer {count}") if count > 1 else None

    # Connected first, so that the requests go out at once.
    await history.append([b"first"])
    server.script = script
    calls = [asyncio.ensure_future(history.append([b"%d" % n])) for n in range(3)]
    stream = await history._opened.get(settings().bigquery_storage_endpoint)
    async with asyncio.timeout(5):
        while len(stream._pending) < 3 or stream._order.locked():  # noqa: ASYNC110 gRPC tells nobody
            await asyncio.sleep(0.005)
    calls[1].cancel()
    go.set()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert results[0] == {}
    assert isinstance(results[1], asyncio.CancelledError)
    assert results[2] == {0: "answer 3"}


async def test_many_bytes_go_in_several_requests(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_REQUEST_BYTES", 100)
    rows = [b"%02d" % n * 20 for n in range(7)] + [b"x" * 300]
    assert await history.append(rows) == {}
    assert sorted(server.rows) == sorted(rows)
    assert [len(r.proto_rows.rows.serialized_rows) for r in server.requests] == [2, 2, 2, 1, 1]
    server.script = answers(None, row_errors(_1="bad"))
    assert await history.append(rows) == {3: "bad"}


async def test_without_a_server_it_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULCRUM_BIGQUERY_STORAGE_ENDPOINT", "127.0.0.1:9")
    monkeypatch.setattr(history, "_PAUSE", 0.001)
    settings.cache_clear()
    with pytest.raises(Transient):
        await history.append([b"0"])
    await history.close()
