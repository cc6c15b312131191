"""Whose devices a caller may search, as a condition of the search."""

from __future__ import annotations

from functions.api.needs import Call
from shared import names
from shared.clients import firestore
from shared.errors import ApiError
from shared.search.conditions import Any_, Condition, Equals
from shared.search.fields import ID, definition_field
from shared.store import query as queries

PERMISSION = "device.read"
# How deep devices stand in one another, as the platform walks them.
_MAX_DEPTH = 16
# So many devices that were given one by one, with those below them, and systems.
MAX_IDS = 1_000
# Firestore's ``in`` takes so many values.
_IN = 30


async def condition(call: Call, system_id: str | None, permission: str = PERMISSION) -> Condition | None:
    """What holds of the devices on which the caller has a permission; None if he has it on all of them.

    A device that was given to him stands for those below it as well: they are looked up, by one query for
    thirty of them and at most so many reads as there are such devices. ApiError 400 ``list.tooWide``.
    """
    held = call.principal.readable(permission)
    if held.everything or call.principal.allows(permission, system=system_id):
        return None
    devices = await _with_below(call, held.devices)
    if len(devices) > MAX_IDS or len(held.systems) > MAX_IDS:
        raise ApiError(
            400,
            "list.tooWide",
            f"you see more than {MAX_IDS} single devices or systems, too many to search together",
            "Search in one system, or below one device with parent.",
        )
    systems = Equals(definition_field("systemId"), tuple(sorted(held.systems)))
    single = Equals(ID, tuple(sorted(devices)))
    if not devices:
        return systems
    return Any_((systems, single)) if held.systems else single


async def _with_below(call: Call, held: frozenset[str]) -> set[str]:
    known = set(held)
    level = sorted(held)
    parent = names.project(call.scope.project_id)
    for _ in range(_MAX_DEPTH):
        below: set[str] = set()
        for start in range(0, len(level), _IN):
            where = queries.Where("parentDeviceId", "in", level[start : start + _IN])
            asked = queries.conditions("devices", queries.Query((where,)))
            # Only the names are read.
            asked.select.fields.add(field_path="__name__")
            asked.limit.value = MAX_IDS + 1
            below.update(document.id for document in await firestore.run_query(parent, asked))
        level = sorted(below - known)
        known |= below
        if not level or len(known) > MAX_IDS:
            break
    return known
