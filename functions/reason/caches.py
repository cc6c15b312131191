"""Scripts' caches for devices, as one instance remembers them. None is used that the store does not confirm.

To read a cache is a message and a paid read for each. What an instance has read or written it keeps, with
the mark of its write, which no other write has: one count for each thirty marks says whether all of them are
still what stands in the store. If not, those are read. What was never read is asked for by name, because
many devices have no cache.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from functions.reason import queries
from shared import names
from shared.clients import firestore
from shared.clients.firestore import Document

COLLECTION = "caches"
MASK = ("value", "mark")
_MAX_KEPT = 20_000
_MAX_CHARACTERS = 32_000_000
# Where other instances write the same caches all the time, asking first is in vain: so many reads go without.
_MOST_DOUBTS = 31


class Cache(msgspec.Struct, frozen=True):
    """A cache as it stands in the store. ``value``: JSON text; ``mark``: of its write, if it has one."""

    value: str
    mark: str
    update_time: Any


class Caches:
    """What one instance remembers, by document name. Belongs to one event loop."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Cache] = OrderedDict()
        self._characters = 0
        # By project and script: how many reads do not ask first, and how many of them are still to come.
        self._doubts: dict[tuple[str, str], tuple[int, int]] = {}

    async def read(self, project_id: str, script_id: str, wanted: Sequence[str]) -> dict[str, Cache]:
        """Caches as they are now, by name; those that are not there are absent. Transient."""
        parent = names.project(project_id)
        unknown = [name for name in wanted if name not in self._kept]
        known = [(name, self._kept[name]) for name in wanted if name in self._kept]
        asking = [self._named(parent, part) for part in queries.parts(unknown)]
        doubts, left = self._doubts.get((project_id, script_id), (0, 0))
        if left:
            self._doubts[project_id, script_id] = (doubts, left - 1)
            asking.append(self._fetched([name for name, _ in known]))
            return _joined(await asyncio.gather(*asking))
        found, confirmed = await asyncio.gather(
            asyncio.gather(*asking),
            asyncio.gather(*(_are_current(parent, part) for part in queries.parts(known))),
        )
        old: list[str] = []
        for part, is_current in zip(queries.parts(known), confirmed, strict=True):
            if is_current:
                found.append(dict(part))
            else:
                old += [name for name, _ in part]
        if old:
            doubts = min(2 * doubts + 1, _MOST_DOUBTS)
            self._doubts[project_id, script_id] = (doubts, doubts)
            found.append(await self._fetched(old))
        elif known:
            self._doubts.pop((project_id, script_id), None)
        return _joined(found)

    def wrote(self, written: Mapping[str, Mapping[str, Any]], times: Sequence[Any]) -> None:
        """Remember documents as they were written (fields by name), with their update times."""
        for (name, fields), time in zip(written.items(), times, strict=True):
            if "mark" in fields:
                self._keep(name, Cache(fields["value"], fields["mark"], time))

    async def _named(self, parent: str, part: Sequence[str]) -> dict[str, Cache]:
        return self._took(await firestore.run_query(parent, queries.named(COLLECTION, part, MASK)))

    async def _fetched(self, wanted: Sequence[str]) -> dict[str, Cache]:
        found = await firestore.batch_get(wanted, MASK)
        for name in wanted:
            if name not in found:
                self._forget(name)
        return self._took(found.values())

    def _took(self, documents: Any) -> dict[str, Cache]:
        caches = {document.name: of(document) for document in documents}
        for name, cache in caches.items():
            self._keep(name, cache)
        return caches

    def _keep(self, name: str, cache: Cache) -> None:
        self._forget(name)
        if not cache.mark:
            return
        self._kept[name] = cache
        self._characters += len(cache.value)
        while len(self._kept) > _MAX_KEPT or self._characters > _MAX_CHARACTERS:
            _, oldest = self._kept.popitem(last=False)
            self._characters -= len(oldest.value)

    def _forget(self, name: str) -> None:
        if (cache := self._kept.pop(name, None)) is not None:
            self._characters -= len(cache.value)


def of(document: Document) -> Cache:
    """A cache from its document."""
    value, mark = (document.fields[key].string_value if key in document.fields else "" for key in MASK)
    return Cache(value or "null", mark, document.update_time)


async def _are_current(parent: str, part: Sequence[tuple[str, Cache]]) -> bool:
    """Whether all of these stand in the store as they are here."""
    query = queries.having(COLLECTION, "mark", [cache.mark for _, cache in part])
    return await firestore.count(parent, query) == len(part)


def _joined(parts: Sequence[Mapping[str, Cache]]) -> dict[str, Cache]:
    return {name: cache for part in parts for name, cache in part.items()}
