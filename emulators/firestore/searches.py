"""Handlers that run queries: RunQuery and RunAggregationQuery."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from emulators.firestore import aggregate, errors, names, query, wire
from emulators.firestore.indexes import Indexes
from emulators.firestore.reads import masked, selected
from emulators.firestore.state import Store

_DONE = b"\x30\x01"


class Searches:
    """See the module. ``indexes`` is None unless the emulator is strict."""

    def __init__(self, store: Store, indexes: Indexes | None) -> None:
        self._store = store
        self._indexes = indexes

    def read(self, parent: str, pb: Any) -> query.Query:
        """Check a query, its indexes included."""
        asked = query.read(parent, pb)
        if self._indexes is not None:
            self._indexes.check(asked)
        return asked

    async def run_query(self, request: Any) -> AsyncIterator[Any]:
        if request.WhichOneof("query_type") is None:
            raise errors.invalid("only structured queries are supported")
        if request.HasField("explain_options"):
            raise errors.unsupported("explain_options of RunQueryRequest")
        database = self._store.database(names.parent(request.parent))
        asked = self.read(request.parent, request.structured_query)
        transaction, new = selected(database, request)
        found = list(database.run(asked, transaction))
        if transaction is not None:
            database.transactions.read(transaction, [stored.name.full for stored in found])
            database.transactions.read_query(transaction, asked.covers_version)
        read_time = wire.delimited(3, wire.timestamp(self._store.tick()))
        if transaction is not None and new:
            yield wire.Encoded(wire.delimited(2, transaction.id))
        if not found:
            yield wire.Encoded(read_time + _DONE)
        for position, stored in enumerate(found, 1):
            answer = wire.delimited(1, masked(stored, asked.select)) + read_time
            yield wire.Encoded(answer + _DONE if position == len(found) else answer)

    async def run_aggregation(self, request: Any) -> AsyncIterator[Any]:
        if request.WhichOneof("query_type") is None:
            raise errors.invalid("Only structured aggregation queries are supported.")
        if request.HasField("explain_options"):
            raise errors.unsupported("explain_options of RunAggregationQueryRequest")
        structured = request.structured_aggregation_query
        database = self._store.database(names.parent(request.parent))
        aggregations = aggregate.read(structured.aggregations)
        asked = query.read(request.parent, structured.structured_query)
        if self._indexes is not None:
            self._indexes.check(asked, [item.path for item in aggregations if item.path is not None])
        transaction, new = selected(database, request)
        found = list(database.run(asked, transaction))
        if transaction is not None:
            database.transactions.read(transaction, [stored.name.full for stored in found])
            database.transactions.read_query(transaction, asked.covers_version)
        if transaction is not None and new:
            yield wire.Encoded(wire.delimited(2, transaction.id))
        answer = wire.RunAggregationQueryResponse()
        answer.read_time.seconds, micros = divmod(self._store.tick(), 1_000_000)
        answer.read_time.nanos = micros * 1000
        for alias, value in aggregate.run(aggregations, found).items():
            answer.result.aggregate_fields[alias].CopyFrom(value)
        yield answer
