"""A structured query: read and checked once, then run over documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from emulators.firestore import errors, fields, filters, names, values
from emulators.firestore.documents import Documents, Stored
from emulators.firestore.errors import invalid
from emulators.firestore.fields import Path
from emulators.firestore.values import Key

Order = tuple[Path, bool]
"""A field and whether it descends."""

_NAME_UP: Order = (fields.NAME, False)
Keys = tuple[Key, ...]


@dataclass(frozen=True)
class Cursor:
    """A place in the order: just before or just after all documents with these values."""

    keys: Keys
    before: bool


@dataclass(frozen=True)
class Query:
    """A checked query. ``orders`` is complete: implied fields and the name are in it."""

    parent: str
    collection_id: str
    all_descendants: bool
    where: filters.Node
    holds: Callable[[Stored], bool]
    orders: tuple[Order, ...]
    start: Cursor | None
    end: Cursor | None
    offset: int
    limit: int | None
    select: list[Path] | None

    def covers(self, name: names.Name) -> bool:
        """Whether a document of that name is in the collections that the query reads."""
        if self.collection_id and name.collection_id != self.collection_id:
            return False
        if self.all_descendants:
            return name.full.startswith(self.parent + "/")
        return name.collection == f"{self.parent}/{name.collection_id}"

    def covers_version(self, full: str, version: Stored | None) -> bool:
        """Whether a version of a document is, or would be, in the result, limits left aside."""
        return version is not None and self.covers(names.document(full)) and self.matches(version)

    def keys(self, stored: Stored) -> Keys | None:
        """Where a document stands in the order; None if it has not all fields of the order."""
        out: list[Key] = []
        for path, _ in self.orders:
            if path == fields.NAME:
                out.append((6, stored.name.key))
            else:
                value = fields.get(stored.fields, path)
                if value is None:
                    return None
                out.append(values.key(value))
        return tuple(out)

    def matches(self, stored: Stored) -> bool:
        """Whether a document of the right collection is in the result, limits left aside."""
        if not self.holds(stored):
            return False
        keys = self.keys(stored)
        return keys is not None and self._within(keys)

    def _within(self, keys: Keys) -> bool:
        return (self.start is None or not self._precedes(keys, self.start)) and (
            self.end is None or self._precedes(keys, self.end)
        )

    def _precedes(self, keys: Keys, cursor: Cursor) -> bool:
        for mine, theirs, (_, down) in zip(keys, cursor.keys, self.orders, strict=False):
            if mine != theirs:
                return (mine > theirs) if down else (mine < theirs)
        return not cursor.before

    def candidates(self, documents: Documents) -> Iterable[Stored]:
        """The documents of the query's collections, in the order of their names."""
        if not self.all_descendants and self.collection_id:
            return documents.in_collection(f"{self.parent}/{self.collection_id}")
        prefix = self.parent + "/"
        among: Iterable[str] = documents.collections
        if self.collection_id:
            among = documents.groups.get(self.collection_id, ())
        found = [path for path in among if path.startswith(prefix)]
        if not self.all_descendants:
            found = [path for path in found if "/" not in path[len(prefix) :]]
        return documents.in_collections(found)

    def run(self, candidates: Iterable[Stored]) -> Iterator[Stored]:
        """The result in order; ``candidates`` come in the order of their names."""
        stop = None if self.limit is None else self.offset + self.limit
        if self.orders == (_NAME_UP,):
            found: Iterable[Stored] = filter(self.holds, candidates)
            if self.start is not None or self.end is not None:
                found = (stored for stored in found if self._within(((6, stored.name.key),)))
            return islice(iter(found), self.offset, stop)
        return islice(iter(self._sorted(candidates)), self.offset, stop)

    def _sorted(self, candidates: Iterable[Stored]) -> list[Stored]:
        found: list[tuple[Keys, Stored]] = []
        for stored in candidates:
            if self.holds(stored):
                keys = self.keys(stored)
                if keys is not None and self._within(keys):
                    found.append((keys, stored))
        downs = [down for _, down in self.orders]
        if all(downs) or not any(downs):
            found.sort(key=lambda item: item[0], reverse=downs[0])
        else:
            for position in range(len(downs) - 1, -1, -1):
                found.sort(key=lambda item, at=position: item[0][at], reverse=downs[position])  # type: ignore[misc]  # a default in a lambda
        return [stored for _, stored in found]


def read(parent: str, pb: Any) -> Query:
    """A StructuredQuery below ``parent``; raises INVALID_ARGUMENT as the service words it."""
    names.parent(parent)
    if len(pb.from_) > 1:
        raise invalid("StructuredQuery.from cannot have more than one collection selector.")
    if pb.HasField("find_nearest"):
        raise errors.unsupported("find_nearest of a query")
    collection_id = pb.from_[0].collection_id if pb.from_ else ""
    all_descendants = bool(pb.from_) and pb.from_[0].all_descendants
    names.check_collection_id(collection_id)
    where: filters.Node = filters.Group(False, ())
    if pb.HasField("where"):
        where = filters.read(pb.where)
        filters.check(where)
    explicit = _orders(pb.order_by)
    _check_scope(parent, collection_id, all_descendants, where, explicit)
    if pb.offset < 0:
        raise invalid("offset is negative")
    limit = pb.limit.value if pb.HasField("limit") else None
    if limit is not None and limit < 0:
        raise invalid("limit is negative")
    select = None
    if pb.HasField("select"):
        select = [fields.parse(field.field_path) for field in pb.select.fields]
    orders = _complete(explicit, where)
    if orders == ((fields.NAME, True),) and all(leaf.path == fields.NAME for leaf in filters.leaves(where)):
        raise errors.descending_names()
    return Query(
        parent,
        collection_id,
        all_descendants,
        where,
        filters.predicate(where),
        orders,
        _cursor(pb, "start_at", explicit),
        _cursor(pb, "end_at", explicit),
        pb.offset,
        limit,
        select,
    )


def _orders(pbs: Any) -> list[Order]:
    out: list[Order] = []
    for pb in pbs:
        path = fields.parse(pb.field.field_path)
        if any(path == earlier for earlier, _ in out):
            raise invalid(f"order by clause cannot contain duplicate fields {fields.text(path)}")
        if out and out[-1][0] == fields.NAME:
            raise invalid("order by clause cannot contain more fields after the key")
        out.append((path, pb.direction == 2))
    return out


def _complete(explicit: list[Order], where: filters.Node) -> tuple[Order, ...]:
    """The order with what is implied: fields of inequalities, and the name."""
    orders = list(explicit)
    given = {path for path, _ in orders}
    if fields.NAME in given:
        return tuple(orders)
    down = orders[-1][1] if orders else False
    ranged = {leaf.path for leaf in filters.leaves(where) if leaf.op in filters.INEQUALITIES}
    orders += [(path, down) for path in sorted(ranged - given - {fields.NAME})]
    return (*orders, (fields.NAME, down))


def _check_scope(
    parent: str, collection_id: str, all_descendants: bool, where: filters.Node, orders: list[Order]
) -> None:
    """Only names can be asked for across collections of all ids, or of one id below a document."""
    filtered = [leaf.path for leaf in filters.leaves(where) if leaf.path != fields.NAME]
    ordered = [order for order in orders if order != _NAME_UP]
    if all_descendants and (filtered or ordered) and not parent.endswith("/documents"):
        raise invalid("collection group queries are only allowed at the root parent")
    if collection_id:
        return
    if filtered:
        raise invalid(f"kind is required for filter: {fields.text(filtered[0])}")
    if ordered:
        raise invalid("kind is required for all orders except __key__ ascending")


def _cursor(pb: Any, field: str, explicit: list[Order]) -> Cursor | None:
    if not pb.HasField(field):
        return None
    cursor = getattr(pb, field)
    if len(cursor.values) > len(explicit):
        raise invalid("Cursor has too many values.")
    for value, (path, _) in zip(cursor.values, explicit, strict=False):
        if path == fields.NAME and not value.HasField("reference_value"):
            raise invalid("Cursor __key__ value is not a document reference.")
    keys = tuple(map(values.key, cursor.values))
    # Without values a cursor is at the very start or the very end, and bounds nothing.
    return Cursor(keys, cursor.before) if keys else None
