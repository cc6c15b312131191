"""Handlers that read documents by name: GetDocument, BatchGetDocuments, and the two listings."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

from emulators.firestore import errors, fields, names, query, wire
from emulators.firestore.documents import Stored, times
from emulators.firestore.state import Database, Store
from emulators.firestore.transactions import Transaction

_PAGE = 100


def masked(stored: Stored, mask: list[fields.Path] | None) -> bytes:
    """A serialised Document, whole or with what a mask leaves."""
    if mask is None:
        return stored.encoded
    document = wire.Document(name=stored.name.full)
    fields.project(stored.fields, mask, document.fields)
    raw: bytes = document.SerializeToString()
    return raw + times(stored.created, stored.updated)


def mask_of(request: Any) -> list[fields.Path] | None:
    """The paths of a request's document mask; None if it has none."""
    if not request.HasField("mask"):
        return None
    return [fields.parse(path) for path in request.mask.field_paths]


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
        raise errors.unsupported("concurrency_mode OPTIMISTIC")
    if options.read_write.retry_transaction:
        database.transactions.check_id(options.read_write.retry_transaction)
    return database.transactions.begin(False)


def page_size(request: Any) -> int:
    """How many results a page may hold."""
    if request.page_size < 0:
        raise errors.invalid("Page size must be nonnegative.")
    return request.page_size or _PAGE


def page_start(token: str) -> str:
    """What a page token says: the last result of the page before."""
    try:
        return base64.urlsafe_b64decode(token.encode("ascii", "replace")).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise errors.invalid("invalid page token") from None


def page_token(last: str) -> str:
    """The token of the page that follows a result."""
    return base64.urlsafe_b64encode(last.encode()).decode()


class Reads:
    """See the module."""

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
                raise errors.foreign_document(full, database.name)
        transaction, new = selected(database, request)
        if transaction is not None:
            database.transactions.read(transaction, wanted)
        found = [database.get(full, transaction) for full in wanted]
        read_time = wire.delimited(4, wire.timestamp(self._store.tick()))
        if transaction is not None and new:
            yield wire.Encoded(wire.delimited(3, transaction.id))
        for full, stored in zip(wanted, found, strict=True):
            if stored is None:
                yield wire.Encoded(wire.delimited(2, full.encode()) + read_time)
            else:
                yield wire.Encoded(wire.delimited(1, masked(stored, mask)) + read_time)

    async def list_documents(self, request: Any) -> Any:
        database = self._store.database(names.parent(request.parent))
        size, mask = page_size(request), mask_of(request)
        if request.show_missing and request.order_by:
            raise errors.invalid("cannot specify an order when show_missing is true")
        asked = query.read(request.parent, _listing(request))
        transaction, _ = selected(database, request)
        if transaction is not None:
            database.transactions.read_query(transaction, asked.covers_version)
        found: list[tuple[str, Stored | None]] = [
            (stored.name.full, stored) for stored in database.run(asked, transaction)
        ]
        if request.show_missing:
            found += [
                (full, None) for full in database.documents.missing(request.parent, request.collection_id)
            ]
            found.sort(key=lambda item: item[0].split("/"))
        last = page_start(request.page_token)
        if last:
            listed = [full for full, _ in found]
            # A result that is gone since then: names are in order unless another order was asked for.
            first = listed.index(last) + 1 if last in listed else sum(full <= last for full in listed)
            found = found[first:]
        answer = bytearray()
        for full, stored in islice(found, size):
            raw = wire.delimited(1, full.encode()) if stored is None else masked(stored, mask)
            answer += wire.delimited(1, raw)
        if len(found) > size:
            answer += wire.delimited(2, page_token(found[size - 1][0]).encode())
        return wire.Encoded(bytes(answer))

    async def list_collection_ids(self, request: Any) -> Any:
        database = self._store.database(names.parent(request.parent))
        if request.WhichOneof("consistency_selector"):
            raise errors.unsupported("read_time of ListCollectionIdsRequest")
        size = page_size(request)
        last = page_start(request.page_token)
        found = [item for item in database.documents.collection_ids(request.parent) if item > last]
        more = page_token(found[size - 1]) if len(found) > size else ""
        return wire.ListCollectionIdsResponse(collection_ids=found[:size], next_page_token=more)


def _listing(request: Any) -> Any:
    """The query that a ListDocuments request amounts to."""
    pb = wire.StructuredQuery()
    pb.from_.add().collection_id = request.collection_id
    for clause in request.order_by.split(",") if request.order_by else ():
        words = clause.split()
        if not 1 <= len(words) <= 2 or words[1:] not in ([], ["asc"], ["desc"]):
            raise errors.invalid(f'Invalid order by clause "{clause.strip()}".')
        order = pb.order_by.add()
        order.field.field_path = words[0]
        order.direction = 2 if words[1:] == ["desc"] else 1
    return pb
