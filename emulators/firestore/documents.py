"""Stored documents, and the index of names that a database keeps of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Any

from emulators.firestore import names, wire
from emulators.firestore.names import Name


class Stored:
    """One version of a document; never changed once made.

    ``raw`` holds name and fields as a serialised Document, with the maps in a fixed order, so that
    equal documents have equal bytes. Times are microseconds since the epoch.
    """

    __slots__ = ("_encoded", "_parsed", "created", "name", "raw", "updated")

    def __init__(self, name: Name, raw: bytes, created: int, updated: int) -> None:
        self.name = name
        self.raw = raw
        self.created = created
        self.updated = updated
        self._parsed: Any = None
        self._encoded: bytes | None = None

    @property
    def fields(self) -> Any:
        """The map of fields, to read only."""
        if self._parsed is None:
            self._parsed = wire.Document.FromString(self.raw)
        return self._parsed.fields

    @property
    def encoded(self) -> bytes:
        """The serialised Document with its times, as answers carry it."""
        if self._encoded is None:
            self._encoded = self.raw + times(self.created, self.updated)
        return self._encoded


def times(created: int, updated: int) -> bytes:
    """The serialised time fields of a Document."""
    return wire.delimited(3, wire.timestamp(created)) + wire.delimited(4, wire.timestamp(updated))


def _place(full: str) -> str:
    """What a document sorts by within its collection; code points sort as UTF-8 bytes do."""
    return names.place(full[full.rindex("/") + 1 :])


class Documents:
    """All documents of a database, found by name, by collection and by collection id."""

    def __init__(self) -> None:
        self.by_name: dict[str, Stored] = {}
        self.collections: dict[str, dict[str, Stored]] = {}
        self.groups: dict[str, set[str]] = {}
        # Names of a collection in order, made when first asked for and kept up from then on.
        self._sorted: dict[str, list[str]] = {}

    def put(self, stored: Stored) -> None:
        """Add or replace a document."""
        name = stored.name
        self.by_name[name.full] = stored
        held = self.collections.get(name.collection)
        if held is None:
            held = self.collections[name.collection] = {}
            self.groups.setdefault(name.collection_id, set()).add(name.collection)
        if name.full not in held:
            self._sorted.pop(name.collection, None)
        held[name.full] = stored

    def remove(self, name: Name) -> None:
        """Remove a document, if it is there."""
        if self.by_name.pop(name.full, None) is None:
            return
        held = self.collections[name.collection]
        del held[name.full]
        order = self._sorted.get(name.collection)
        if order is not None:
            del order[bisect_left(order, name.key[-1], key=_place)]
        if not held:
            del self.collections[name.collection]
            self._sorted.pop(name.collection, None)
            group = self.groups[name.collection_id]
            group.discard(name.collection)
            if not group:
                del self.groups[name.collection_id]

    def in_collection(self, collection: str) -> Iterator[Stored]:
        """The documents of a collection in the order of their names."""
        held = self.collections.get(collection)
        if held is None:
            return iter(())
        order = self._sorted.get(collection)
        if order is None:
            order = self._sorted[collection] = sorted(held, key=_place)
        return map(held.__getitem__, order)

    def in_collections(self, collections: Iterable[str]) -> list[Stored]:
        """The documents of several collections in the order of their names."""
        found = [stored for path in collections for stored in self.collections[path].values()]
        found.sort(key=lambda stored: stored.name.key)
        return found

    def collection_ids(self, parent: str) -> list[str]:
        """The ids of the collections just below a document or the root, in order."""
        prefix = parent + "/"
        return sorted(
            {path[len(prefix) :].partition("/")[0] for path in self.collections if path.startswith(prefix)}
        )

    def missing(self, parent: str, collection_id: str) -> set[str]:
        """The names in a collection that have documents below them but are none themselves."""
        prefix = f"{parent}/{collection_id}/"
        found = {
            prefix + path[len(prefix) :].partition("/")[0]
            for path in self.collections
            if path.startswith(prefix)
        }
        return found - self.by_name.keys()
