"""The databases: documents, commits, batches of writes, and who is told of changes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from emulators.firestore import errors, names, wire, writes
from emulators.firestore.documents import Documents, Stored
from emulators.firestore.names import Name
from emulators.firestore.query import Query
from emulators.firestore.transactions import LOCK_TIMEOUT, Transaction, Transactions
from emulators.kit.records import Records
from emulators.kit.rpc import StatusError
from shared import clock

Changes = dict[str, Stored | None]
Outcome = tuple[Any, StatusError | None]
"""A WriteResult, and why the write failed if it did."""

_KIND = "document"


class Database:
    """One database: everything between two awaits happens at once."""

    def __init__(self, name: str, records: Records, tick: Callable[[], int]) -> None:
        self.name = name
        self.documents = Documents()
        self.transactions = Transactions()
        self.watchers: set[Callable[[Changes], None]] = set()
        self._records = records
        self.tick = tick

    def get(self, name: str, transaction: Transaction | None = None) -> Stored | None:
        """A document, as a transaction sees it if one is given."""
        if transaction is not None and name in transaction.before:
            return transaction.before[name]
        return self.documents.by_name.get(name)

    def run(self, asked: Query, transaction: Transaction | None = None) -> Iterator[Stored]:
        """The result of a query, as a transaction sees it if one is given."""
        candidates = asked.candidates(self.documents)
        if transaction is not None and transaction.before:
            before = transaction.before
            then = [stored for stored in candidates if stored.name.full not in before]
            then += [stored for stored in before.values() if stored is not None and asked.covers(stored.name)]
            then.sort(key=lambda stored: stored.name.key)
            candidates = then
        return asked.run(candidates)

    async def commit(self, pbs: Sequence[Any], transaction_id: bytes, results: Any) -> int:
        """Apply all writes or none; returns the commit time in microseconds.

        ``results`` is the repeated field of WriteResults to fill.
        """
        transaction = self.transactions.get(transaction_id) if transaction_id else None
        try:
            checked = [writes.check(pb, self.name) for pb in pbs]
            if transaction is not None and transaction.read_only and checked:
                raise errors.read_only_transaction()
            if not self.transactions.idle:
                await self._lock(checked, transaction)
            return self._commit(checked, results)
        finally:
            if transaction is not None:
                self.transactions.end(transaction)

    def _commit(self, checked: list[writes.Checked], results: Any) -> int:
        now = self.tick()
        pending: Changes = {}
        for write in checked:
            full = write.name.full
            current = pending[full] if full in pending else self.documents.by_name.get(full)
            writes.check_precondition(write, current)
            raw = writes.apply(write, current, now, results.add())
            pending[full] = self._version(write.name, raw, current, now)
        self._apply(pending)
        for write, result in zip(checked, results, strict=True):
            _set_time(result, self.documents.by_name.get(write.name.full))
        return now

    def _version(self, name: Name, raw: bytes | None, current: Stored | None, now: int) -> Stored | None:
        if raw is None:
            return None
        if current is None:
            return Stored(name, raw, now, now)
        # A write that changes nothing leaves the time of the last update.
        return current if current.raw == raw else Stored(name, raw, current.created, now)

    async def batch_write(self, pbs: Sequence[Any], results: Any) -> list[StatusError | None]:
        """Apply each write on its own; returns what was wrong with each, in order."""
        checked = [writes.check(pb, self.name) for pb in pbs]
        if len({write.name.full for write in checked}) != len(checked):
            raise errors.invalid("the same document cannot be written more than once in a single request")
        failed: list[StatusError | None] = []
        pending: Changes = {}
        locked: dict[int, StatusError] = {}
        if not self.transactions.idle:
            locked = await self._lock_each(checked)
        for position, write in enumerate(checked):
            result = results.add()
            try:
                if position in locked:
                    raise locked[position]
                full = write.name.full
                current = self.documents.by_name.get(full)
                writes.check_precondition(write, current)
                now = self.tick()
                version = self._version(write.name, writes.apply(write, current, now, result), current, now)
            except StatusError as error:
                result.Clear()
                failed.append(error)
            else:
                pending[full] = version
                _set_time(result, version)
                failed.append(None)
        self._apply(pending)
        return failed

    def _apply(self, pending: Changes) -> None:
        documents = self.documents
        changed: Changes = {
            full: version for full, version in pending.items() if documents.by_name.get(full) is not version
        }
        if not changed:
            return
        self._persist(changed)
        for snapshot in self.transactions.snapshots:
            for full in changed:
                snapshot.before.setdefault(full, documents.by_name.get(full))
        for full, version in changed.items():
            if version is None:
                documents.remove(names.document(full))
            else:
                documents.put(version)
        for watcher in self.watchers:
            watcher(changed)

    def _persist(self, changed: Changes) -> None:
        if not self._records.durable:
            return
        self._records.write(
            [(_KIND, full, version.encoded) for full, version in changed.items() if version is not None],
            [(_KIND, full) for full, version in changed.items() if version is None],
        )

    async def _lock(
        self,
        checked: Iterable[writes.Checked],
        transaction: Transaction | None,
        deadline: float | None = None,
    ) -> None:
        """Wait until no other transaction holds a lock on what is to be written."""
        if deadline is None:
            deadline = time.monotonic() + LOCK_TIMEOUT
        while True:
            wanted = [(write.name.full, self._versions(write)) for write in checked]
            blockers = self.transactions.blockers(wanted, transaction)
            if not blockers:
                return
            await self.transactions.wait(blockers, transaction, deadline)
            if transaction is not None:
                self.transactions.get(transaction.id)

    async def _lock_each(self, checked: list[writes.Checked]) -> dict[int, StatusError]:
        """Which writes of a batch lose against a lock; all of them wait together, not in turn."""
        deadline = time.monotonic() + LOCK_TIMEOUT
        for write in checked:
            with suppress(StatusError):  # looked at again below, when nobody is waited for
                await self._lock([write], None, deadline)
        return {
            position: errors.lock_timeout()
            for position, write in enumerate(checked)
            if self.transactions.blockers([(write.name.full, self._versions(write))], None)
        }

    def _versions(self, write: writes.Checked) -> tuple[Stored | None, ...]:
        """A document before a write and after it; nothing unless a query has a lock."""
        if not self.transactions.queried:
            return ()
        current = self.documents.by_name.get(write.name.full)
        try:
            raw = writes.apply(write, current, 0, wire.WriteResult())
        except StatusError:
            return (current,)  # the write will fail by itself
        return (current, None if raw is None else Stored(write.name, raw, 0, 0))


def _set_time(result: Any, stored: Stored | None) -> None:
    if stored is not None:
        seconds, micros = divmod(stored.updated, 1_000_000)
        result.update_time.seconds = seconds
        result.update_time.nanos = micros * 1000


class Store:
    """All databases of the emulator, each made when it is first named."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._databases: dict[str, Database] = {}
        self._last = 0
        for full, raw in records.read(_KIND):
            self._restore(full, raw)

    def database(self, name: str) -> Database:
        """The database of a name; raises INVALID_ARGUMENT for what is none."""
        found = self._databases.get(name)
        if found is None:
            found = Database(names.database(name), self._records, self.tick)
            self._databases[name] = found
        return found

    def tick(self) -> int:
        """The present in microseconds, later than any before it."""
        self._last = max(self._last + 1, clock.now_ns() // 1000)
        return self._last

    def reset(self) -> None:
        """Forget all documents; those who listen are told so."""
        self._records.clear()
        for database in self._databases.values():
            database.transactions.end_all()
            gone: Changes = dict.fromkeys(database.documents.by_name)
            database.documents = Documents()
            for watcher in database.watchers:
                watcher(gone)

    def _restore(self, full: str, encoded: bytes) -> None:
        document = wire.Document.FromString(encoded)
        created, updated = (
            at.seconds * 1_000_000 + at.nanos // 1000 for at in (document.create_time, document.update_time)
        )
        document.ClearField("create_time")
        document.ClearField("update_time")
        name = names.document(full)
        raw = document.SerializeToString(deterministic=True)
        self.database(name.database).documents.put(Stored(name, raw, created, updated))
        self._last = max(self._last, updated)
