"""Firestore, asynchronously, by prebuilt protobufs: batch reads, queries, counts and writes, nothing else.

Names are full document names (``shared.names``), values protobufs (``shared.values``). The protocol's
messages stand in ``firestore_pb``; ``FIRESTORE_EMULATOR_HOST`` is honoured as Google's own client does. One
channel for each event loop, opened at the first call.

Every call raises Transient where the same call may work later, and Rejected (``store.invalid``) where
Firestore refuses it for good. One refused write of :func:`batch_write` (a document over 1 MiB, a reserved
id, a document twice) refuses the whole call: whoever mixes foreign data bisects.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from shared import names
from shared.clients import rpc
from shared.clients.channel import Opened, open_channel
from shared.clients.firestore_pb import messages
from shared.config import settings
from shared.errors import Rejected

MAX_WRITES = 500
MAX_READS = 1000
# Firestore takes requests of 10 MiB, its emulator of 4 MiB.
MAX_REQUEST_BYTES = 4_000_000

_HOST = "firestore.googleapis.com"
_SCOPES = ("https://www.googleapis.com/auth/datastore",)
_SERVICE = "/google.firestore.v1.Firestore/"
_READ_TIMEOUT = 10.0
_WRITE_TIMEOUT = 20.0
_READ_TRIES = 3
_READ_RETRY_CODES = frozenset({"UNAVAILABLE", "INTERNAL", "ABORTED"})
_PRECONDITION_CODES = frozenset({"FAILED_PRECONDITION", "ALREADY_EXISTS", "NOT_FOUND"})


class Document(msgspec.Struct, frozen=True):
    """A document as read. ``fields`` maps names to protobuf values, ``update_time`` is a Timestamp."""

    name: str
    fields: Mapping[str, Any]
    update_time: Any

    @property
    def id(self) -> str:
        """The last segment of the name."""
        return self.name.rpartition("/")[2]


class Written(NamedTuple):
    """What became of one write: its status code, and the document's new update time if that is 0."""

    code: int
    update_time: Any


class PreconditionFailed(Rejected):
    """A commit's precondition did not hold; nothing of it was written."""


class _Connection:
    """A channel with the calls in use."""

    def __init__(self, channel: Any, emulator: str) -> None:
        self.channel = channel
        database = names.database()
        self.metadata = [
            ("google-cloud-resource-prefix", database),
            ("x-goog-request-params", f"database={quote(database, safe='')}"),
        ]
        if emulator:
            # What Google's client sends too: its emulator lets nobody else write batches.
            self.metadata.append(("authorization", "Bearer owner"))
        pb = messages()
        unary, stream = channel.unary_unary, channel.unary_stream
        self.batch_get = stream(
            _SERVICE + "BatchGetDocuments",
            pb.BatchGetDocumentsRequest.SerializeToString,
            pb.BatchGetDocumentsResponse.FromString,
        )
        self.run_query = stream(
            _SERVICE + "RunQuery", pb.RunQueryRequest.SerializeToString, pb.RunQueryResponse.FromString
        )
        self.run_aggregation = stream(
            _SERVICE + "RunAggregationQuery",
            pb.RunAggregationQueryRequest.SerializeToString,
            pb.RunAggregationQueryResponse.FromString,
        )
        # Serialised by the caller, who has to know the size.
        self.batch_write = unary(_SERVICE + "BatchWrite", None, pb.BatchWriteResponse.FromString)
        self.commit = unary(
            _SERVICE + "Commit", pb.CommitRequest.SerializeToString, pb.CommitResponse.FromString
        )


async def _open(emulator: str) -> _Connection:
    return _Connection(await open_channel(emulator, _HOST, _SCOPES), emulator)


_opened = Opened(_open)


async def _connect() -> _Connection:
    return await _opened.get(settings().firestore_emulator)


async def close() -> None:
    """Close the channel of the running loop, if it has one."""
    if (connection := await _opened.take()) is not None:
        await connection.channel.close()


async def batch_get(document_names: Iterable[str], mask: Sequence[str] | None = None) -> dict[str, Document]:
    """Read documents by name in one call (one more for every 1,000); those that are missing are absent.

    ``mask`` names the field paths to return; all of them without it.
    """
    wanted = list(dict.fromkeys(document_names))
    if not wanted:
        return {}
    pb = messages()
    found: dict[str, Document] = {}
    for start in range(0, len(wanted), MAX_READS):
        request = pb.BatchGetDocumentsRequest(
            database=names.database(), documents=wanted[start : start + MAX_READS]
        )
        if mask is not None:
            request.mask.field_paths.extend(mask)
        for answer in await _read(lambda c: c.batch_get, request, "BatchGetDocuments"):
            if answer.WhichOneof("result") == "found":
                document = answer.found
                found[document.name] = Document(document.name, document.fields, document.update_time)
    return found


async def run_query(parent: str, query: Any) -> list[Document]:
    """Run a StructuredQuery below ``parent``, a document's name or ``<database>/documents``."""
    request = messages().RunQueryRequest(parent=parent, structured_query=query)
    answers = await _read(lambda c: c.run_query, request, "RunQuery")
    return [
        Document(a.document.name, a.document.fields, a.document.update_time)
        for a in answers
        if a.HasField("document")
    ]


async def count(parent: str, query: Any, limit: int | None = None) -> int:
    """How many documents a StructuredQuery has, counted by Firestore; at most ``limit`` if that is given.

    Google bills one read for each 1,000 index entries that are counted.
    """
    request = messages().RunAggregationQueryRequest(parent=parent)
    structured = request.structured_aggregation_query
    structured.structured_query.CopyFrom(query)
    aggregation = structured.aggregations.add(alias="count")
    aggregation.count.SetInParent()
    if limit is not None:
        aggregation.count.up_to.value = limit
    answers = await _read(lambda c: c.run_aggregation, request, "RunAggregationQuery")
    found = [a.result.aggregate_fields["count"].integer_value for a in answers if a.HasField("result")]
    return int(sum(found))


async def batch_write(writes: Sequence[Any]) -> list[int]:
    """Apply writes independently of each other; one status code each (0 = done, 9 = precondition failed).

    Split into calls of at most 500 writes and 4 MB, which run at the same time. No document may be
    named twice.
    """
    return [written.code for written in await batch_write_timed(writes)]


async def batch_write_timed(writes: Sequence[Any]) -> list[Written]:
    """:func:`batch_write` that also says the update time that each document has now."""
    chunks = [writes[start : start + MAX_WRITES] for start in range(0, len(writes), MAX_WRITES)]
    results = await asyncio.gather(*(_write_chunk(chunk) for chunk in chunks))
    return [written for chunk in results for written in chunk]


async def commit(writes: Sequence[Any]) -> list[Any]:
    """Apply writes all together or not at all; PreconditionFailed where one's precondition does not hold.

    Returns the update time (a Timestamp) that each write's document has now: one that changes nothing has the
    old one.
    """
    import grpc.aio

    connection = await _connect()
    request = messages().CommitRequest(database=names.database(), writes=writes)
    try:
        answer = await connection.commit(request, timeout=_WRITE_TIMEOUT, metadata=connection.metadata)
    except grpc.aio.AioRpcError as error:
        if error.code().name in _PRECONDITION_CODES:
            raise PreconditionFailed("store.precondition", f"Commit: {error.details()}") from error
        raise rpc.failure(error, "Commit", "store.invalid") from error
    return [result.update_time for result in answer.write_results]


async def _write_chunk(writes: Sequence[Any]) -> list[Written]:
    import grpc.aio

    connection = await _connect()
    request = messages().BatchWriteRequest(database=names.database(), writes=writes).SerializeToString()
    if len(request) > MAX_REQUEST_BYTES and len(writes) > 1:
        middle = len(writes) // 2
        return await _write_chunk(writes[:middle]) + await _write_chunk(writes[middle:])
    try:
        answer = await connection.batch_write(request, timeout=_WRITE_TIMEOUT, metadata=connection.metadata)
    except grpc.aio.AioRpcError as error:
        raise rpc.failure(error, "BatchWrite", "store.invalid") from error
    return [
        Written(status.code, result.update_time)
        for status, result in zip(answer.status, answer.write_results, strict=True)
    ]


async def _read(call: Callable[[_Connection], Any], request: Any, what: str) -> list[Any]:
    """All answers of a streaming read, tried again a few times at once: reads change nothing."""
    import grpc.aio

    connection = await _connect()
    tries = 0
    while True:
        tries += 1
        try:
            stream = call(connection)(request, timeout=_READ_TIMEOUT, metadata=connection.metadata)
            return [answer async for answer in stream]
        except grpc.aio.AioRpcError as error:
            if tries >= _READ_TRIES or error.code().name not in _READ_RETRY_CODES:
                raise rpc.failure(error, what, "store.invalid") from error
        await asyncio.sleep(0.02 * 2**tries * (0.5 + random.random()))
