"""Devices with all that stand below them: what was given on a device holds for those too."""

from __future__ import annotations

from collections.abc import Iterable

from functions.api.roles.chain import MAX_DEPTH
from shared import names
from shared.clients import firestore
from shared.store import query as queries

# Firestore's ``in`` takes so many values.
_IN = 30


async def with_below(project_id: str, held: Iterable[str], most: int) -> set[str]:
    """The ids of devices and of all below them, one query for thirty of them.

    Once there are more than ``most``, no others are looked for: the answer is then incomplete, and longer
    than ``most``. Names alone are read.
    """
    known = set(held)
    level = sorted(known)
    parent = names.project(project_id)
    for _ in range(MAX_DEPTH):
        below: set[str] = set()
        for start in range(0, len(level), _IN):
            where = queries.Where("parentDeviceId", "in", level[start : start + _IN])
            asked = queries.conditions("devices", queries.Query((where,)))
            asked.select.fields.add(field_path="__name__")
            asked.limit.value = most + 1
            below.update(document.id for document in await firestore.run_query(parent, asked))
            if len(known | below) > most:
                return known | below
        level = sorted(below - known)
        known |= below
        if not level:
            break
    return known
