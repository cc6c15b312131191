"""Transactions: who has read what, and who must wait for whom.

Pessimistic, as the service is by default: a read in a read-write transaction locks the document
(or what a query matched) against writers until the transaction ends. A writer waits for up to two
seconds and then gets ABORTED. Of two transactions that would wait for each other, the one that
closes the circle gets ABORTED at once. A read-only transaction locks nothing and goes on seeing
the documents as they were when it began.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from emulators.firestore import errors
from emulators.firestore.documents import Stored

LOCK_TIMEOUT = 2.0
# The service ends a transaction after 270 s, or 60 s without a call; a dead client must not block others.
_MAX_AGE = 270.0
_MAX_IDLE = 60.0

Matches = Callable[[str, Stored | None], bool]
"""Whether a document, in one of its versions, belongs to what a query saw: (name, version)."""


@dataclass(eq=False)
class Transaction:
    """One that is open."""

    id: bytes
    read_only: bool
    began: float
    used: float
    reads: set[str] = field(default_factory=set)
    queries: list[Matches] = field(default_factory=list)
    before: dict[str, Stored | None] = field(default_factory=dict)
    """Read-only: what documents were that have been written since."""
    waits_for: set[Transaction] = field(default_factory=set)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Transactions:
    """The transactions of one database."""

    def __init__(self) -> None:
        self._issued = 0
        self._open: dict[bytes, Transaction] = {}
        self._readers: dict[str, set[Transaction]] = {}
        self._queriers: set[Transaction] = set()
        self.snapshots: set[Transaction] = set()

    def begin(self, read_only: bool) -> Transaction:
        """Open a transaction."""
        self._expire()
        self._issued += 1
        now = time.monotonic()
        transaction = Transaction(b"\x11" + self._issued.to_bytes(8, "little"), read_only, now, now)
        self._open[transaction.id] = transaction
        if read_only:
            self.snapshots.add(transaction)
        return transaction

    def get(self, transaction_id: bytes) -> Transaction:
        """The open transaction of an id."""
        self._expire()
        transaction = self._open.get(transaction_id)
        if transaction is None:
            self.check_id(transaction_id)
            raise errors.closed_transaction()
        transaction.used = time.monotonic()
        return transaction

    def rollback(self, transaction_id: bytes) -> None:
        """Close a transaction; one that has ended already is no error."""
        self.check_id(transaction_id)
        transaction = self._open.get(transaction_id)
        if transaction is not None:
            self.end(transaction)

    def check_id(self, transaction_id: bytes) -> None:
        """Refuse an id that was never given out."""
        number = int.from_bytes(transaction_id[1:], "little")
        if len(transaction_id) != 9 or transaction_id[0] != 0x11 or not 0 < number <= self._issued:
            raise errors.unknown_transaction()

    def end(self, transaction: Transaction) -> None:
        """Close a transaction and let those go on that wait for it."""
        self._open.pop(transaction.id, None)
        self.snapshots.discard(transaction)
        self._queriers.discard(transaction)
        for name in transaction.reads:
            readers = self._readers.get(name)
            if readers is not None:
                readers.discard(transaction)
                if not readers:
                    del self._readers[name]
        transaction.ended.set()

    def end_all(self) -> None:
        """Close everything."""
        for transaction in list(self._open.values()):
            self.end(transaction)

    def read(self, transaction: Transaction, names: Iterable[str]) -> None:
        """Lock documents, there or not, against writers."""
        if transaction.read_only:
            return
        for name in names:
            transaction.reads.add(name)
            self._readers.setdefault(name, set()).add(transaction)

    def read_query(self, transaction: Transaction, matches: Matches) -> None:
        """Lock what a query matched, and what it would match, against writers."""
        if not transaction.read_only:
            transaction.queries.append(matches)
            self._queriers.add(transaction)

    @property
    def idle(self) -> bool:
        """Whether nobody holds a lock: writers need not look further."""
        return not self._readers and not self._queriers

    @property
    def queried(self) -> bool:
        """Whether a query holds a lock, so that the versions of what is written matter."""
        return bool(self._queriers)

    def blockers(
        self, writes: Iterable[tuple[str, tuple[Stored | None, ...]]], writer: Transaction | None
    ) -> set[Transaction]:
        """Who else holds a lock on documents to be written, each given with its versions."""
        found: set[Transaction] = set()
        for name, versions in writes:
            found.update(self._readers.get(name, ()))
            for querier in self._queriers - found:
                if any(matches(name, version) for matches in querier.queries for version in versions):
                    found.add(querier)
        if writer is not None:
            found.discard(writer)
        return found

    async def wait(self, blockers: set[Transaction], writer: Transaction | None, deadline: float) -> None:
        """Wait until one of the blockers has ended; ABORTED at the deadline or on a deadlock."""
        if writer is not None:
            writer.waits_for = blockers
            if self._circular(writer):
                raise errors.lock_timeout()
        self._expire()
        waiting = [asyncio.ensure_future(blocker.ended.wait()) for blocker in blockers]
        try:
            left = deadline - time.monotonic()
            done, _ = await asyncio.wait(waiting, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
            if writer is not None:
                writer.waits_for = set()
        if not done:
            raise errors.lock_timeout()

    @staticmethod
    def _circular(writer: Transaction) -> bool:
        seen: set[Transaction] = set()
        ahead = set(writer.waits_for)
        while ahead:
            other = ahead.pop()
            if other is writer:
                return True
            if other not in seen:
                seen.add(other)
                ahead |= other.waits_for
        return False

    def _expire(self) -> None:
        now = time.monotonic()
        for transaction in list(self._open.values()):
            if now - transaction.began > _MAX_AGE or now - transaction.used > _MAX_IDLE:
                self.end(transaction)
