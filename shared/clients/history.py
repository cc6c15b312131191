"""Appending rows to the history: one kept-open stream of the Storage Write API for each event loop.

The default stream takes rows at least once and shows them at once. Requests follow each other without
waiting for answers, which come in the order of the requests; so a failed stream costs its unanswered
requests one more try on the next stream, and nobody else anything.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, NamedTuple

from shared import history
from shared.clients import rpc
from shared.clients.channel import Opened, open_channel
from shared.config import settings
from shared.errors import Rejected, Transient

# A request may have 10 MB; a row has a few bytes of framing.
MAX_REQUEST_BYTES = 8_000_000

_HOST = "bigquerystorage.googleapis.com"
_SCOPES = ("https://www.googleapis.com/auth/bigquery.insertdata",)
_METHOD = "/google.cloud.bigquery.storage.v1.BigQueryWrite/AppendRows"
_ANSWER_SECONDS = 10.0
_TRIES = 4
_PAUSE = 0.05
_ROW_OVERHEAD = 8
_INVALID_ARGUMENT = 3


class _Broken(Exception):
    """The stream ended before this request was answered. ``status`` is the code's name."""

    def __init__(self, status: str, details: str) -> None:
        super().__init__(f"{status}: {details}")
        self.status = status


class _Stream:
    """An open stream: requests out, answers matched in order."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, channel: Any, table: str, schema: Callable[[], bytes]
    ) -> None:
        from shared import history_wire

        config = settings()
        table = f"projects/{config.cloud_project}/datasets/{config.bigquery_dataset}/tables/{table}"
        self.loop = loop
        self.name = f"{table}/streams/_default"
        self.broken: _Broken | None = None
        self._schema = schema
        self._request = history_wire.AppendRowsRequest
        self._pending: deque[asyncio.Future[Any]] = deque()
        self._order = asyncio.Lock()
        self._is_first = True
        self._channel = channel
        method = channel.stream_stream(
            _METHOD,
            request_serializer=history_wire.AppendRowsRequest.SerializeToString,
            response_deserializer=history_wire.AppendRowsResponse.FromString,
        )
        self._call = method(metadata=(("x-goog-request-params", f"write_stream={self.name}"),))
        self._reader = loop.create_task(self._read())

    async def send(self, rows: Sequence[bytes]) -> Any:
        """Send one request and return its answer; _Broken if the stream ends first."""
        request = self._request()
        request.proto_rows.rows.serialized_rows.extend(rows)
        async with self._order:
            if self.broken:
                raise _Broken("UNAVAILABLE", f"the stream has ended: {self.broken}")
            if self._is_first:
                # What the stream is told once.
                request.write_stream = self.name
                request.trace_id = "fulcrum"
                request.proto_rows.writer_schema = self._schema()
                self._is_first = False
            answer: asyncio.Future[Any] = self.loop.create_future()
            self._pending.append(answer)
            try:
                await self._call.write(request)
            except asyncio.CancelledError:
                # Whether the request went out is not known, so answers can no longer be matched.
                self._fail(_Broken("CANCELLED", "a request was given up half-way"))
                self._call.cancel()
                raise
            except Exception as error:
                # The reader learns the cause; it may just not have been told yet.
                await self._end(error)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            self._fail(_Broken("DEADLINE_EXCEEDED", f"no answer within {_ANSWER_SECONDS:g} s"))
            self._call.cancel()
            raise _Broken("DEADLINE_EXCEEDED", "no answer in time") from None

    async def _read(self) -> None:
        import grpc.aio

        try:
            ended = grpc.aio.EOF  # type: ignore[attr-defined]  # missing in the stubs
            while (answer := await self._call.read()) is not ended:
                if self._pending:
                    waiter = self._pending.popleft()
                    if not waiter.done():
                        waiter.set_result(answer)
        except grpc.aio.AioRpcError as error:
            self._fail(_Broken(error.code().name, str(error.details())))
        except asyncio.CancelledError:
            self._fail(_Broken("CANCELLED", "the stream was closed"))
            raise
        else:
            self._fail(_Broken("UNAVAILABLE", "the service ended the stream"))
        await self._channel.close()

    async def _end(self, error: Exception) -> None:
        await asyncio.wait({self._reader}, timeout=1.0)
        self._fail(_Broken("UNAVAILABLE", str(error)))

    def _fail(self, broken: _Broken) -> None:
        """End the wait of all. Which request ended the stream cannot be told: answers may be lost with it."""
        self.broken = self.broken or broken
        while self._pending:
            waiter = self._pending.popleft()
            if not waiter.done():
                waiter.set_exception(broken)

    async def close(self) -> None:
        """End the stream and its channel."""
        self._reader.cancel()
        await asyncio.wait({self._reader})
        await self._channel.close()


async def _open(endpoint: str) -> _Stream:
    channel = await open_channel(endpoint, _HOST, _SCOPES)
    return _Stream(asyncio.get_running_loop(), channel, history.TABLE, history.writer_schema)


async def _open_snapshots(endpoint: str) -> _Stream:
    # Only who writes snapshots needs it.
    from shared import device_rows

    channel = await open_channel(endpoint, _HOST, _SCOPES)
    return _Stream(asyncio.get_running_loop(), channel, device_rows.SNAPSHOTS, device_rows.writer_schema)


async def _open_runs(endpoint: str) -> _Stream:
    # Only who runs scripts needs it.
    from shared import script_runs

    channel = await open_channel(endpoint, _HOST, _SCOPES)
    return _Stream(asyncio.get_running_loop(), channel, script_runs.TABLE, script_runs.writer_schema)


class _Table(NamedTuple):
    """A table's stream that all share, and how one is opened that nobody shares."""

    opened: Opened[_Stream]
    open: Callable[[str], Awaitable[_Stream]]


_opened = Opened(_open)
_EVENTS = _Table(_opened, _open)
_SNAPSHOTS = _Table(Opened(_open_snapshots), _open_snapshots)
_RUNS = _Table(Opened(_open_runs), _open_runs)


async def close() -> None:
    """Close the streams of the running loop, if it has any."""
    for table in (_EVENTS, _SNAPSHOTS, _RUNS):
        if (stream := await table.opened.take()) is not None:
            await stream.close()


async def append(rows: Sequence[bytes], within: float = 20.0) -> dict[int, str]:
    """Append encoded rows (:func:`shared.history.encode`); returns ``{index: message}`` of refused rows.

    All other rows are stored when it returns. Raises Transient where the same call may work later (rows
    may be stored all the same), also after ``within`` seconds, and Rejected ``history.refused`` where the
    service refuses a request without naming rows.
    """
    return await _append_all(_EVENTS, rows, within)


async def append_snapshots(rows: Sequence[bytes], within: float = 20.0) -> dict[int, str]:
    """:func:`append` for rows of snapshots (:func:`shared.device_rows.encode`)."""
    return await _append_all(_SNAPSHOTS, rows, within)


async def append_runs(rows: Sequence[bytes], within: float = 20.0) -> dict[int, str]:
    """:func:`append` for rows of scripts' runs (:func:`shared.script_runs.encode`)."""
    return await _append_all(_RUNS, rows, within)


async def _append_all(table: _Table, rows: Sequence[bytes], within: float) -> dict[int, str]:
    refused: dict[int, str] = {}
    deadline = time.monotonic() + within
    chunks = list(_chunks(rows))
    await asyncio.gather(*(_append(table, rows, list(chunk), refused, deadline) for chunk in chunks))
    return refused


def _chunks(rows: Sequence[bytes]) -> Iterator[range]:
    start = size = 0
    for index, row in enumerate(rows):
        size += len(row) + _ROW_OVERHEAD
        if size > MAX_REQUEST_BYTES and index > start:
            yield range(start, index)
            start, size = index, len(row) + _ROW_OVERHEAD
    if start < len(rows):
        yield range(start, len(rows))


async def _append(
    table: _Table, rows: Sequence[bytes], indexes: list[int], refused: dict[int, str], deadline: float
) -> None:
    """Append some of the rows. A row that is refused takes its whole request with it: the rest goes again."""
    from shared import history_wire

    failures = 0
    alone = False
    while indexes:
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                answer = await (_send_alone if alone else _send)(table, [rows[index] for index in indexes])
        except TimeoutError:
            raise Transient("appending to the history took too long") from None
        except _Broken as error:
            if error.status == "INVALID_ARGUMENT" and not alone:
                # One of those who shared the stream is refused: each goes again by itself.
                alone = True
                continue
            status, text = error.status, str(error)
        else:
            if answer.row_errors:
                named = {indexes[row.index]: row.message for row in answer.row_errors}
                refused.update(named)
                indexes = [index for index in indexes if index not in named]
                continue
            if not answer.error.code:
                return
            status, text = _name(answer.error.code), answer.error.message
            if history_wire.is_misplaced(answer.error):
                status = "NOT_FOUND"
        failures += 1
        if status == "INVALID_ARGUMENT":
            raise Rejected("history.refused", f"AppendRows: {text}")
        # A table that is missing or lacks a column is the deployment's fault, never the event's.
        if failures >= _TRIES or status not in rpc.RETRYABLE:
            raise Transient(f"AppendRows: {status}: {text}")
        await asyncio.sleep(_PAUSE * 2**failures * random.uniform(0.5, 1.5))


async def _send(table: _Table, rows: Sequence[bytes]) -> Any:
    """Send on the stream that all share; a new one if that has ended."""
    endpoint = settings().bigquery_storage_endpoint
    stream = await table.opened.get(endpoint)
    if stream.broken is not None:
        table.opened.forget(stream)
        stream = await table.opened.get(endpoint)
    return await stream.send(rows)


async def _send_alone(table: _Table, rows: Sequence[bytes]) -> Any:
    """Send on a stream that nobody shares, so that its end is this request's answer."""
    stream = await table.open(settings().bigquery_storage_endpoint)
    try:
        return await stream.send(rows)
    finally:
        await stream.close()


def _name(code: int) -> str:
    import grpc

    names = {status.value[0]: status.name for status in grpc.StatusCode}
    return names.get(code, "UNKNOWN")
