"""Listen: streams on which clients add and remove targets and are told of changes.

The order on a stream is the service's: ADD, the documents, CURRENT, and a NO_CHANGE with a read time
whenever what was sent so far is consistent; then changes, each followed by such a NO_CHANGE.
A target that is resumed starts with RESET: the client forgets and is told everything again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from emulators.firestore import errors, names, wire
from emulators.firestore.searches import Searches
from emulators.firestore.state import Changes, Database, Store
from emulators.firestore.targets import DocumentsTarget, QueryTarget, Target
from emulators.kit.faults import Faults
from emulators.kit.rpc import StatusError

_NO_CHANGE, _ADD, _REMOVE, _CURRENT, _RESET = range(5)
_CHANGED = object()
_CLOSED = object()


class Listens:
    """See the module."""

    def __init__(self, store: Store, searches: Searches, faults: Faults) -> None:
        self._store = store
        self._searches = searches
        self._faults = faults

    async def listen(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        await self._faults.before("Listen")
        stream = _Stream(self._store, self._searches)
        reader = asyncio.ensure_future(stream.read(requests))
        try:
            while True:
                item = await stream.events.get()
                if item is _CLOSED:
                    return
                for answer in stream.changes() if item is _CHANGED else stream.request(item):
                    yield wire.Encoded(answer)
                self._faults.after("Listen")
        finally:
            reader.cancel()
            stream.close()


class _Stream:
    """The state of one stream."""

    def __init__(self, store: Store, searches: Searches) -> None:
        self.events: asyncio.Queue[Any] = asyncio.Queue()
        self._store = store
        self._searches = searches
        self._database: Database | None = None
        self._targets: dict[int, Target] = {}
        self._pending: Changes = {}

    async def read(self, requests: AsyncIterator[Any]) -> None:
        """Move requests into the queue until the client closes its side."""
        async for request in requests:
            self.events.put_nowait(request)
        self.events.put_nowait(_CLOSED)

    def close(self) -> None:
        """Hear of no more changes."""
        if self._database is not None:
            self._database.watchers.discard(self._notice)

    def _notice(self, changes: Changes) -> None:
        if not self._pending:
            self.events.put_nowait(_CHANGED)
        self._pending.update(changes)

    def changes(self) -> Iterator[bytes]:
        """The answers that tell of what has changed since they were last asked for."""
        changes, self._pending = self._pending, {}
        told = False
        for target in list(self._targets.values()):
            for answer in target.update(changes):
                told = True
                yield answer
        if told:
            yield self._consistent()

    def request(self, request: Any) -> Iterator[bytes]:
        """The answers to one request."""
        database = self._store.database(request.database)
        if self._database is None:
            self._database = database
            database.watchers.add(self._notice)
        elif database is not self._database:
            raise errors.invalid("A stream listens to one database.")
        kind = request.WhichOneof("target_change")
        if kind == "add_target":
            return self._add(request.add_target, database)
        if kind == "remove_target":
            self._targets.pop(request.remove_target, None)
            return iter((_target_change(_REMOVE, request.remove_target),))
        raise errors.invalid("A ListenRequest must add or remove a target.")

    def _add(self, pb: Any, database: Database) -> Iterator[bytes]:
        if pb.once:
            raise errors.unsupported("once of a Target")
        target_id = pb.target_id or max(self._targets, default=0) + 1
        if target_id in self._targets:
            raise errors.invalid(f"Target id {target_id} is in use on this stream.")
        yield _target_change(_ADD, target_id)
        try:
            target = self._target(pb, target_id, database)
        except StatusError as error:
            yield _target_change(_REMOVE, target_id, error)
            return
        self._targets[target_id] = target
        if pb.WhichOneof("resume_type"):
            yield _target_change(_RESET, target_id)
        yield from target.snapshot()
        yield _target_change(_CURRENT, target_id, None, *self._now())
        yield self._consistent()

    def _target(self, pb: Any, target_id: int, database: Database) -> Target:
        if pb.HasField("documents"):
            for full in pb.documents.documents:
                if names.document(full).database != database.name:
                    raise errors.foreign_document(full, database.name)
            return DocumentsTarget(target_id, database, pb.documents.documents)
        if pb.HasField("query") and pb.query.HasField("structured_query"):
            if names.parent(pb.query.parent) != database.name:
                raise errors.foreign_document(pb.query.parent, database.name)
            asked = self._searches.read(pb.query.parent, pb.query.structured_query)
            return QueryTarget(target_id, database, asked)
        raise errors.unsupported("a Target of this kind")

    def _now(self) -> tuple[bytes, int]:
        now = self._store.tick()
        return now.to_bytes(8, "big"), now

    def _consistent(self) -> bytes:
        return _target_change(_NO_CHANGE, 0, None, *self._now())


def _target_change(
    kind: int, target_id: int, error: StatusError | None = None, token: bytes = b"", read_us: int = 0
) -> bytes:
    answer = wire.ListenResponse()
    change = answer.target_change
    change.target_change_type = kind
    if target_id:
        change.target_ids.append(target_id)
    if error is not None:
        change.cause.code = error.code.value[0]
        change.cause.message = error.message
    if read_us:
        change.resume_token = token
        change.read_time.seconds, micros = divmod(read_us, 1_000_000)
        change.read_time.nanos = micros * 1000
    raw: bytes = answer.SerializeToString()
    return raw
