"""The methods of the service: take the request apart, ask the state, put the answer together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from emulators.firestore import errors, fields, names, wire
from emulators.firestore.documents import Stored, times
from emulators.firestore.state import Database, Store
from emulators.firestore.transactions import Transaction
from emulators.kit.rpc import Method, ServerStream, Unary


def masked(stored: Stored, mask: list[fields.Path] | None) -> bytes:
    """A serialised Document, whole or with what a mask leaves."""
    if mask is None:
        return stored.encoded
    document = wire.Document(name=stored.name.full)
    fields.project(stored.fields, mask, document.fields)
    raw: bytes = document.SerializeToString()
    return raw + times(stored.created, stored.updated)


def mask_of(request: Any, field: str = "mask") -> list[fields.Path] | None:
    """The paths of a document mask; None if the request has none."""
    if not request.HasField(field):
        return None
    return [fields.parse(path) for path in getattr(request, field).field_paths]


def selected(database: Database, request: Any) -> tuple[Transaction | None, bool]:
    """The transaction that a read belongs to, and whether the read has just begun it."""
    selector = request.WhichOneof("consistency_selector")
    if selector is None:
        return None, False
    if selector == "transaction":
        return database.transactions.get(request.transaction), False
    if selector == "new_transaction":
        return begin(database, request.new_transaction), True
    raise errors.unsupported(f"{selector} of {type(request).__name__}")


def begin(database: Database, options: Any) -> Transaction:
    """Begin a transaction with the options of a request."""
    if options.WhichOneof("mode") == "read_only":
        if options.read_only.WhichOneof("consistency_selector"):
            raise errors.unsupported("read_time of a read-only transaction")
        return database.transactions.begin(True)
    if options.read_write.concurrency_mode == 1:
        raise errors.unsupported("OPTIMISTIC concurrency")
    if options.read_write.retry_transaction:
        database.transactions.check_id(options.read_write.retry_transaction)
    return database.transactions.begin(False)


class Reads:
    """GetDocument and BatchGetDocuments."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, request: Any) -> Any:
        name = names.document(request.name)
        mask = mask_of(request)
        database = self._store.database(name.database)
        transaction, _ = selected(database, request)
        if transaction is not None:
            database.transactions.read(transaction, [name.full])
        stored = database.get(name.full, transaction)
        if stored is None:
            raise errors.not_found(name.full)
        return wire.Encoded(masked(stored, mask))

    async def batch_get(self, request: Any) -> AsyncIterator[Any]:
        database = self._store.database(request.database)
        mask = mask_of(request)
        wanted = list(dict.fromkeys(request.documents))
        for full in wanted:
            if names.document(full).database != database.name:
                raise errors.invalid(f'Document name "{full}" is not within database "{database.name}".')
        transaction, new = selected(database, request)
        if transaction is not None:
            database.transactions.read(transaction, wanted)
        found = [database.get(full, transaction) for full in wanted]
        read_time = wire.delimited(4, wire.timestamp(self._store.tick()))
        if transaction is not None and new:
            yield wire.Encoded(wire.delimited(3, transaction.id))
        for full, stored in zip(wanted, found, strict=True):
            answer = (
                wire.delimited(2, full.encode())
                if stored is None
                else wire.delimited(1, masked(stored, mask))
            )
            yield wire.Encoded(answer + read_time)


class Writes:
    """Commit, BatchWrite and the methods that write one document."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def commit(self, request: Any) -> Any:
        database = self._store.database(request.database)
        answer = wire.CommitResponse()
        at = await database.commit(request.writes, request.transaction, answer.write_results)
        if request.writes:
            answer.commit_time.seconds, micros = divmod(at, 1_000_000)
            answer.commit_time.nanos = micros * 1000
        return answer

    async def batch_write(self, request: Any) -> Any:
        if len(request.writes) > 500:
            raise errors.invalid("maximum 500 writes allowed per request")
        answer = wire.BatchWriteResponse()
        failed = await self._store.database(request.database).batch_write(
            request.writes, answer.write_results
        )
        for error in failed:
            status = answer.status.add()
            if error is not None:
                status.code = error.code.value[0]
                status.message = error.message
        return answer


class TransactionMethods:
    """BeginTransaction and Rollback."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def begin(self, request: Any) -> Any:
        transaction = begin(self._store.database(request.database), request.options)
        return wire.BeginTransactionResponse(transaction=transaction.id)

    async def rollback(self, request: Any) -> Any:
        self._store.database(request.database).transactions.rollback(request.transaction)
        return wire.Encoded(b"")


def methods(store: Store) -> dict[str, Method]:
    """All methods by name."""
    reads, writes, transactions = Reads(store), Writes(store), TransactionMethods(store)
    return {
        "GetDocument": Unary(wire.GetDocumentRequest, reads.get),
        "BatchGetDocuments": ServerStream(wire.BatchGetDocumentsRequest, reads.batch_get),
        "Commit": Unary(wire.CommitRequest, writes.commit),
        "BatchWrite": Unary(wire.BatchWriteRequest, writes.batch_write),
        "BeginTransaction": Unary(wire.BeginTransactionRequest, transactions.begin),
        "Rollback": Unary(wire.RollbackRequest, transactions.rollback),
    }
