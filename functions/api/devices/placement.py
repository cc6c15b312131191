"""Under which device a device stands: in the same system, never in a circle, never too deep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from functions.api.devices import holding
from shared.errors import ApiError
from shared.model.device import DEVICE, Device
from shared.store.change import Change
from shared.store.scope import Scope, Stored

# How many devices may stand above one another.
MAX_DEPTH = 16


async def check(
    change: Change, device_id: str, system_id: str, parent_id: str, *, new: bool
) -> Stored[Device]:
    """The parent, if a device may stand under it, held by the change; ApiError 400 or 409 if it may not.

    ``new``: the device is just being created, so that nothing can stand under it.
    """
    if not new:
        await holding.in_turn(change, system_id)
    parent = await member(change.scope, system_id, parent_id)
    await _check_chain(change.scope, device_id, parent)
    holding.exists(change, parent.name)
    return parent


async def member(scope: Scope, system_id: str, device_id: str) -> Stored[Device]:
    """A device of a system; ApiError 400 ``device.unknownDevice`` or ``device.otherSystem``."""
    stored = await scope.find(DEVICE, device_id)
    if stored is None:
        raise ApiError(
            400,
            "device.unknownDevice",
            f"this project has no device {device_id[:128]!r}",
            "check the id of the other device",
        )
    if stored.fields.get("systemId") != system_id:
        raise ApiError(
            400,
            "device.otherSystem",
            f"the device {device_id!r} is in another system",
            "systems are separate: relate devices of one system",
        )
    return stored


async def _check_chain(scope: Scope, device_id: str, parent: Stored[Device]) -> None:
    above: Stored[Device] | None = parent
    for _ in range(MAX_DEPTH):
        if above is None:
            return
        if above.id == device_id:
            raise ApiError(
                409,
                "device.circle",
                f"the device {parent.id!r} stands under {device_id!r} itself",
                "take it out from under it first",
            )
        upper = above.fields.get("parentDeviceId")
        above = await scope.find(DEVICE, upper) if upper else None
    if above is not None:
        raise ApiError(
            409,
            "device.tooDeep",
            f"more than {MAX_DEPTH} devices would stand above {device_id!r}",
            "place it higher",
        )


async def move(change: Change, device_id: str, before: Mapping[str, Any], parent_id: str | None) -> None:
    """Check that a device may be placed under another one, or under none, by its ``parentDeviceId``."""
    check_not_owned(before)
    if parent_id:
        await check(change, device_id, str(before.get("systemId")), parent_id, new=False)


def check_not_owned(fields: Mapping[str, Any]) -> None:
    """ApiError 409 ``device.owned`` for a device that stands where it does by a relation."""
    present = fields.get("parentDeviceId")
    if present and any(link.endswith(f":{present}") for link in fields.get("links") or ()):
        raise ApiError(
            409,
            "device.owned",
            f"the device stands under {present!r} by a relation",
            "remove that relation instead",
        )
