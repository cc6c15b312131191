"""Strict mode: which indexes a query needs, and whether firestore.indexes.json has them.

The rules are those of the service's documentation ("Index types", "Index merging"):

- Every field has an ascending, a descending and an array-contains index over single collections,
  unless a fieldOverride lists other ones; over collection groups it has those of a fieldOverride.
- Conditions of equality and array-contains are answered by merging indexes. All of those merged
  end in the same fields in the same order: the query's order, inequalities included.
- An index is not read backwards: the other direction is another index.
- So a query by equality alone needs no composite index, one in the order of a single field and
  without any other condition neither, and all others do.
- Each alternative of an OR must be answerable by itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from emulators.firestore import errors, fields
from emulators.firestore.fields import Path
from emulators.firestore.filters import CONTAINS, INEQUALITIES, Leaf, normal_form
from emulators.firestore.query import Order, Query

_UP, _DOWN, _CONTAINS = "ASCENDING", "DESCENDING", "CONTAINS"
_COLLECTION, _GROUP = "COLLECTION", "COLLECTION_GROUP"
_DEFAULT = frozenset(((_COLLECTION, _UP), (_COLLECTION, _DOWN), (_COLLECTION, _CONTAINS)))

Entry = tuple[Path, str]
"""A field of an index and its mode."""


@dataclass(frozen=True, slots=True)
class Composite:
    """A composite index. The name at its end goes the way of the last field unless it is listed."""

    collection: str
    scope: str
    entries: tuple[Entry, ...]
    name_down: bool


@dataclass(frozen=True, slots=True)
class _Need:
    """What one alternative of a query needs: merged prefixes, and the common end."""

    equal: frozenset[Path]
    contains: frozenset[Path]
    end: tuple[Order, ...]
    name_down: bool


class Indexes:
    """The indexes of a file."""

    def __init__(
        self, composites: list[Composite], overrides: dict[tuple[str, Path], frozenset[Any]]
    ) -> None:
        self._composites = composites
        self._overrides = overrides

    @classmethod
    def load(cls, path: FilePath | None) -> Indexes:
        """Read a firestore.indexes.json; without one there are only the automatic indexes."""
        content = json.loads(path.read_text()) if path is not None else {}
        composites = [
            _composite(item)
            for item in content.get("indexes", [])
            # Vector search is not done here, and its indexes serve nothing else.
            if not any("vectorConfig" in field for field in item["fields"])
        ]
        overrides = {
            (item["collectionGroup"], _override_path(item["fieldPath"])): frozenset(
                (index.get("queryScope", _COLLECTION), index.get("order") or index.get("arrayConfig"))
                for index in item.get("indexes", [])
            )
            for item in content.get("fieldOverrides", [])
        }
        return cls(composites, overrides)

    def check(self, asked: Query, aggregated: list[Path] | None = None) -> None:
        """Refuse a query with FAILED_PRECONDITION if an index that it needs is not there.

        ``aggregated`` are the fields of sums and averages, which must be in the index too.
        """
        for alternative in normal_form(asked.where):
            need = _need(alternative, asked, aggregated or [])
            self._check(need, asked)

    def _check(self, need: _Need, asked: Query) -> None:
        collection = asked.collection_id
        scope = _GROUP if asked.all_descendants else _COLLECTION
        wanted = need.equal | need.contains
        if not wanted and not need.end:
            return
        end = tuple((path, _DOWN if down else _UP) for path, down in need.end)
        covered = self._covered(need, collection, scope, end)
        if covered is None or not wanted <= covered:
            self._refuse(need, collection, scope)

    def _covered(self, need: _Need, collection: str, scope: str, end: tuple[Entry, ...]) -> set[Path] | None:
        """The fields before ``end`` in all indexes that can be merged; None if there is no index."""
        covered: set[Path] = set()
        found = False
        for index in self._composites:
            if index.collection != collection or index.scope != scope:
                continue
            split = len(index.entries) - len(end)
            if split < 0 or index.entries[split:] != end or (end and index.name_down != need.name_down):
                continue
            if all(_serves(entry, need) for entry in index.entries[:split]):
                covered |= {path for path, _ in index.entries[:split]}
                found = True
        if not end:
            covered |= {path for path in need.equal if self._single(collection, path, scope, _UP, _DOWN)}
            covered |= {path for path in need.contains if self._single(collection, path, scope, _CONTAINS)}
            found = True
        elif len(end) == 1 and (end[0][1] == _DOWN) == need.name_down:
            found = found or self._single(collection, end[0][0], scope, end[0][1])
        return covered if found else None

    def _single(self, collection: str, path: Path, scope: str, *modes: str) -> bool:
        enabled = self._enabled(collection, path)
        return any((scope, mode) in enabled for mode in modes)

    def _enabled(self, collection: str, path: Path) -> frozenset[Any]:
        # What is said of a map holds for what is in it, unless that has an override of its own.
        for length in range(len(path), 0, -1):
            found = self._overrides.get((collection, path[:length]))
            if found is not None:
                return found
        return self._overrides.get((collection, ("*",)), _DEFAULT)

    def _refuse(self, need: _Need, collection: str, scope: str) -> None:
        entries: list[dict[str, str]] = [
            {"fieldPath": fields.text(path), "order": _UP} for path in sorted(need.equal)
        ]
        entries += [
            {"fieldPath": fields.text(path), "arrayConfig": _CONTAINS} for path in sorted(need.contains)
        ]
        entries += [
            {"fieldPath": fields.text(path), "order": _DOWN if down else _UP} for path, down in need.end
        ]
        if len(entries) == 1 and (not need.end or need.end[-1][1] == need.name_down):
            mode = entries[0].get("order") or entries[0]["arrayConfig"]
            raise errors.exempted_field(collection, entries[0]["fieldPath"], f"{scope} {mode}")
        wanted = {"collectionGroup": collection, "queryScope": scope, "fields": entries}
        raise errors.needs_index(json.dumps(wanted))


def _entry(field: dict[str, str]) -> Entry:
    return fields.parse(field["fieldPath"]), field.get("order") or field["arrayConfig"]


def _composite(item: dict[str, Any]) -> Composite:
    listed = [_entry(field) for field in item["fields"]]
    entries = tuple(entry for entry in listed if entry[0] != fields.NAME)
    name_down = bool(listed) and listed[-1][1] == _DOWN
    return Composite(item["collectionGroup"], item.get("queryScope", _COLLECTION), entries, name_down)


def _override_path(text: str) -> Path:
    return ("*",) if text == "*" else fields.parse(text)


def _serves(entry: Entry, need: _Need) -> bool:
    path, mode = entry
    return path in (need.contains if mode == _CONTAINS else need.equal)


def _need(alternative: tuple[Leaf, ...], asked: Query, aggregated: list[Path]) -> _Need:
    leaves = [leaf for leaf in alternative if leaf.path != fields.NAME]
    contains = frozenset(leaf.path for leaf in leaves if leaf.op in CONTAINS)
    equal = frozenset(leaf.path for leaf in leaves if leaf.op not in CONTAINS and leaf.op not in INEQUALITIES)
    # A field that is held equal is in any order already.
    end = [order for order in asked.orders if order[0] != fields.NAME and order[0] not in equal]
    last = asked.orders[-1]
    name_down = last[1] if last[0] == fields.NAME else (end[-1][1] if end else False)
    ordered = {path for path, _ in end}
    end += [(path, name_down) for path in sorted(set(aggregated) - ordered - equal)]
    return _Need(equal, contains, tuple(end), name_down)
