"""The methods of the service by name, and the handlers of those that write."""

from __future__ import annotations

import secrets
import string
from typing import Any

from emulators.firestore import errors, names, wire
from emulators.firestore.indexes import Indexes
from emulators.firestore.listen import Listens
from emulators.firestore.reads import Reads, begin, mask_of, masked
from emulators.firestore.searches import Searches
from emulators.firestore.state import Store
from emulators.kit.faults import Faults
from emulators.kit.rpc import BidiStream, Method, ServerStream, Unary

_ID_LETTERS = string.ascii_letters + string.digits


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

    async def create(self, request: Any) -> Any:
        names.parent(request.parent)
        if request.document.name:
            raise errors.invalid("document.name must not be set")
        if not request.collection_id:
            raise errors.invalid("collectionId is the empty string.")
        names.check_collection_id(request.collection_id)
        names.check_document_id(request.document_id)
        document_id = request.document_id or "".join(secrets.choice(_ID_LETTERS) for _ in range(20))
        write = wire.Write()
        write.update.CopyFrom(request.document)
        write.update.name = f"{request.parent}/{request.collection_id}/{document_id}"
        write.current_document.exists = False
        return await self._one(write, request)

    async def update(self, request: Any) -> Any:
        write = wire.Write(update=request.document)
        if request.HasField("update_mask"):
            write.update_mask.CopyFrom(request.update_mask)
        if request.HasField("current_document"):
            write.current_document.CopyFrom(request.current_document)
        return await self._one(write, request)

    async def _one(self, write: Any, request: Any) -> Any:
        """Apply one write; the answer is the document after it, masked."""
        name, mask = names.document(write.update.name), mask_of(request)
        database = self._store.database(name.database)
        await database.commit([write], b"", wire.CommitResponse().write_results)
        stored = database.documents.by_name[name.full]
        return wire.Encoded(masked(stored, mask))

    async def delete(self, request: Any) -> Any:
        write = wire.Write(delete=request.name)
        if request.HasField("current_document"):
            write.current_document.CopyFrom(request.current_document)
        database = self._store.database(names.document(request.name).database)
        await database.commit([write], b"", wire.CommitResponse().write_results)
        return wire.Encoded(b"")


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


def methods(store: Store, indexes: Indexes | None, faults: Faults) -> dict[str, Method]:
    """All methods by name; queries are refused for want of an index where ``indexes`` are given."""
    reads, writes, transactions = Reads(store), Writes(store), TransactionMethods(store)
    searches = Searches(store, indexes)
    return {
        "GetDocument": Unary(wire.GetDocumentRequest, reads.get),
        "BatchGetDocuments": ServerStream(wire.BatchGetDocumentsRequest, reads.batch_get),
        "ListDocuments": Unary(wire.ListDocumentsRequest, reads.list_documents),
        "ListCollectionIds": Unary(wire.ListCollectionIdsRequest, reads.list_collection_ids),
        "CreateDocument": Unary(wire.CreateDocumentRequest, writes.create),
        "UpdateDocument": Unary(wire.UpdateDocumentRequest, writes.update),
        "DeleteDocument": Unary(wire.DeleteDocumentRequest, writes.delete),
        "Commit": Unary(wire.CommitRequest, writes.commit),
        "BatchWrite": Unary(wire.BatchWriteRequest, writes.batch_write),
        "BeginTransaction": Unary(wire.BeginTransactionRequest, transactions.begin),
        "Rollback": Unary(wire.RollbackRequest, transactions.rollback),
        "RunQuery": ServerStream(wire.RunQueryRequest, searches.run_query),
        "RunAggregationQuery": ServerStream(wire.RunAggregationQueryRequest, searches.run_aggregation),
        "Listen": BidiStream(wire.ListenRequest, Listens(store, searches, faults).listen),
    }
