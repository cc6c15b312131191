"""Who may do what with a device: by the project, its system, itself, or a device above it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from functions.api.needs import Call, denied
from functions.api.roles import chain, generated
from shared.errors import ApiError
from shared.model.device import DEVICE, Device
from shared.store.scope import Stored


def to_create(blueprint_id: str | None) -> tuple[str, ...]:
    """The permissions each of which lets create a device of a blueprint."""
    return (generated.CREATE_DEVICE, *((generated.create_device(blueprint_id),) if blueprint_id else ()))


def to_relate(attribute_id: str) -> tuple[str, ...]:
    """The permissions each of which lets link devices by a relationship."""
    return ("device.createRelationship", generated.create_related(attribute_id))


def on_system(call: Call, permissions: Sequence[str], system_id: str | None) -> bool:
    """Whether one of these permissions is held on a whole system, or on the project."""
    return any(call.principal.allows(permission, system=system_id) for permission in permissions)


def require_system(call: Call, permissions: Sequence[str], system_id: str) -> None:
    """ApiError 403 unless one of these permissions is held on a system."""
    if not on_system(call, permissions, system_id):
        raise denied(permissions[0])


async def load(call: Call, permission: str, device_id: str) -> Stored[Device]:
    """A device for somebody who has a permission on it; ApiError 404, 410 or 403."""
    stored = await call.scope.get(DEVICE, device_id)
    await require(call, [permission], stored)
    return stored


async def require(call: Call, permissions: Sequence[str], stored: Stored[Device]) -> None:
    """ApiError 403 unless one of these permissions is held on a device."""
    if not await permitted(call, permissions, [stored]):
        raise denied(permissions[0])


async def permitted(
    call: Call, permissions: Sequence[str], items: Iterable[Stored[Device]]
) -> list[Stored[Device]]:
    """Those of some devices on which one of these permissions is held.

    Reads nothing for what the project, the system or the device itself decides; else the devices above, all
    of one level in one call.
    """
    listed = list(items)
    granted = _granted(call, permissions)
    held: set[str] = set()
    undecided: dict[str, Stored[Device]] = {}
    for stored in listed:
        if stored.id in granted or on_system(call, permissions, stored.fields.get("systemId")):
            held.add(stored.id)
        elif granted and stored.fields.get("parentDeviceId"):
            undecided[stored.id] = stored
    if undecided:
        chains = await chain.of_many(
            call.scope.project_id, {stored.id: stored.fields for stored in undecided.values()}
        )
        held |= {device_id for device_id, found in chains.items() if granted.intersection(found.devices)}
    return [stored for stored in listed if stored.id in held]


async def require_no_gain(call: Call, child: Stored[Device], parent: Stored[Device] | None) -> None:
    """ApiError 403 ``device.exceedsYours`` for who would hold more on a device once it stands under another.

    What is held on a device is held on all below it, and nobody gives himself what he does not hold. A parent
    that is only being made (None) may come to stand anywhere.
    """
    on_devices = [grant for grant in call.principal.grants if grant.resource_kind == "device"]
    if parent is not None and on_devices:
        above = (await chain.of(call.scope.project_id, parent.id, parent.fields)).devices
        on_devices = [grant for grant in on_devices if grant.resource_id in above]
    gained = {permission for grant in on_devices for permission in grant.permissions}
    if not gained:
        return
    own = await chain.of(call.scope.project_id, child.id, child.fields)
    lacking = sorted(one for one in gained if not call.allows(one, system=own.system, devices=own.devices))
    if lacking:
        raise ApiError(
            403,
            "device.exceedsYours",
            f"there you would hold more on {child.id!r} than you do now: {', '.join(lacking[:5])}",
            "have somebody place it there who holds as much on both",
        )


def _granted(call: Call, permissions: Sequence[str]) -> frozenset[str]:
    """The devices on which one of these permissions was given."""
    return frozenset().union(*(call.principal.readable(permission).devices for permission in permissions))


def not_here(device: str) -> ApiError:
    """404 for a device, by its id or the relation that leads to it, that is not where a path says it is."""
    return ApiError(
        404,
        "device.notFound",
        f"there is no device {device[:128]!r} here",
        "check the id, and that the device stands where the path says",
    )
