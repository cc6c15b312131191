"""What a listener has asked for, what it has been told, and what it must be told next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from emulators.firestore import wire
from emulators.firestore.documents import Stored
from emulators.firestore.query import Query
from emulators.firestore.reads import masked
from emulators.firestore.state import Changes, Database

_DOCUMENT_CHANGE, _DOCUMENT_DELETE, _DOCUMENT_REMOVE = 3, 4, 6


class Target(ABC):
    """One target of a stream. ``known`` are the versions that the listener has."""

    def __init__(self, target_id: int, database: Database) -> None:
        self.id = target_id
        self._database = database
        self._known: dict[str, Stored] = {}
        self._packed_id = wire.varint(target_id)

    @abstractmethod
    def snapshot(self) -> Iterator[bytes]:
        """The answers that tell a listener who knows nothing."""

    @abstractmethod
    def update(self, changes: Changes) -> Iterator[bytes]:
        """The answers that tell of changes."""

    def _changed(self, stored: Stored, mask: list[tuple[str, ...]] | None = None) -> bytes:
        self._known[stored.name.full] = stored
        return wire.delimited(
            _DOCUMENT_CHANGE,
            wire.delimited(1, masked(stored, mask)) + wire.delimited(5, self._packed_id),
        )

    def _deleted(self, full: str) -> bytes:
        self._known.pop(full, None)
        return wire.delimited(
            _DOCUMENT_DELETE,
            wire.delimited(1, full.encode()) + self._read_time() + wire.delimited(6, self._packed_id),
        )

    def _removed(self, full: str) -> bytes:
        """The document is there, but no longer in the result."""
        del self._known[full]
        return wire.delimited(
            _DOCUMENT_REMOVE,
            wire.delimited(1, full.encode()) + wire.delimited(2, self._packed_id) + self._read_time(),
        )

    def _read_time(self) -> bytes:
        return wire.delimited(4, wire.timestamp(self._database.tick()))


class DocumentsTarget(Target):
    """Some documents by name."""

    def __init__(self, target_id: int, database: Database, wanted: Iterable[str]) -> None:
        super().__init__(target_id, database)
        self._wanted = list(dict.fromkeys(wanted))

    def snapshot(self) -> Iterator[bytes]:
        return self._tell({full: self._database.get(full) for full in self._wanted})

    def update(self, changes: Changes) -> Iterator[bytes]:
        changed = {full: changes[full] for full in self._wanted if full in changes}
        return self._tell(
            {full: version for full, version in changed.items() if self._known.get(full) is not version}
        )

    def _tell(self, versions: Changes) -> Iterator[bytes]:
        for full, version in versions.items():
            yield self._deleted(full) if version is None else self._changed(version)


class QueryTarget(Target):
    """The result of a query."""

    def __init__(self, target_id: int, database: Database, query: Query) -> None:
        super().__init__(target_id, database)
        self._query = query
        self._bounded = query.limit is not None or query.offset > 0

    def snapshot(self) -> Iterator[bytes]:
        for stored in list(self._database.run(self._query)):
            yield self._changed(stored, self._query.select)

    def update(self, changes: Changes) -> Iterator[bytes]:
        touched = {
            full: version
            for full, version in changes.items()
            if full in self._known or self._query.covers_version(full, version)
        }
        if not touched:
            return
        if self._bounded:
            # One that leaves lets another in: only the whole result tells which.
            now = {stored.name.full: stored for stored in self._database.run(self._query)}
            touched = {full: self._database.get(full) for full in self._known if full not in now}
            touched.update(now)
            inside = set(now)
        else:
            inside = {full for full, version in touched.items() if self._query.covers_version(full, version)}
        for full, version in touched.items():
            if version is not None and full in inside:
                if self._known.get(full) is not version:
                    yield self._changed(version, self._query.select)
            elif full in self._known:
                yield self._deleted(full) if version is None else self._removed(full)
