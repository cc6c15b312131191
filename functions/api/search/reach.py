"""Whose devices a caller may search, as a condition of the search."""

from __future__ import annotations

from functions.api.devices.below import with_below
from functions.api.needs import Call
from shared.errors import ApiError
from shared.search.conditions import Any_, Condition, Equals
from shared.search.fields import ID, definition_field

PERMISSION = "device.read"
# So many devices that were given one by one, with those below them, and systems.
MAX_IDS = 1_000


async def condition(call: Call, system_id: str | None, permission: str = PERMISSION) -> Condition | None:
    """What holds of the devices on which the caller has a permission; None if he has it on all of them.

    A device that was given to him stands for those below it as well: they are looked up, by one query for
    thirty of them and at most so many reads as there are such devices. ApiError 400 ``list.tooWide``.
    """
    held = call.principal.readable(permission)
    if held.everything or call.principal.allows(permission, system=system_id):
        return None
    devices = await with_below(call.scope.project_id, held.devices, MAX_IDS)
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
