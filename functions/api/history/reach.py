"""Whose rows a caller may read, and the device that a request names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from functions.api.needs import Call, denied
from shared import history_query, names, values
from shared.clients import firestore
from shared.errors import ApiError
from shared.store import query as queries
from shared.store.scope import not_found

# How deep devices stand in one another, as the platform walks them.
MAX_DEPTH = 16
_FACTS = ("systemId", "blueprintId", "networkId", "parentDeviceId", "deleted")
# Firestore's ``in`` takes so many values.
_IN = 30


@dataclass(frozen=True)
class Device:
    """What of a device is needed here."""

    id: str
    system_id: str | None
    blueprint_id: str | None
    network_id: str | None
    parent_id: str | None


async def device(call: Call, device_id: str, permission: str) -> Device:
    """A device on which the caller holds a permission; ApiError 404, 410 or 403."""
    found = await _device(call, device_id)
    if found is None:
        raise await _missing(call, device_id)
    allows = call.principal.allows
    chain = [device_id]
    if allows(permission, system=found.system_id, devices=chain):
        return found
    above = found.parent_id
    while above and len(chain) < MAX_DEPTH and above not in chain:
        chain.append(above)
        if allows(permission, devices=chain):
            return found
        parent = await _device(call, above)
        above = parent.parent_id if parent else None
    raise denied(permission)


async def of_device(call: Call, device_id: str, permission: str) -> history_query.Scope:
    """The rows of one device, those of its time in other systems among them."""
    await device(call, device_id, permission)
    return history_query.Scope(call.scope.project_id, device_ids=(device_id,))


async def of_system(call: Call, system_id: str, permission: str) -> history_query.Scope:
    """The rows of a system that the caller may read; ApiError 404 or 410 if there is no such system."""
    if not queries_id(system_id):
        raise not_found("system", system_id)
    name = names.document("projects", call.scope.project_id, "systems", system_id)
    if name not in await firestore.batch_get([name], ["name"]):
        raise await _gone(call, "system", system_id)
    project_id = call.scope.project_id
    if call.principal.allows(permission, system=system_id):
        return history_query.Scope(project_id, system_id=system_id)
    devices = await _readable(call, call.principal.readable(permission).devices)
    return history_query.Scope(project_id, system_id=system_id, readable_devices=devices)


async def of_project(call: Call, permission: str) -> history_query.Scope:
    """The rows of the project that the caller may read."""
    held = call.principal.readable(permission)
    if held.everything:
        return history_query.Scope(call.scope.project_id)
    devices = await _readable(call, held.devices)
    return history_query.Scope(
        call.scope.project_id, readable_devices=devices, readable_systems=sorted(held.systems)
    )


def queries_id(text: str) -> bool:
    """Whether a text can be the id of a document at all."""
    return 0 < len(text) <= 128 and text.isascii() and text.replace("-", "").replace("_", "").isalnum()


async def _device(call: Call, device_id: str) -> Device | None:
    if not queries_id(device_id):
        return None
    name = names.device(call.scope.project_id, device_id)
    document = (await firestore.batch_get([name], _FACTS)).get(name)
    if document is None:
        return None
    fields = values.from_fields(document.fields)
    if fields.get("deleted"):
        return None
    facts = [fields.get(key) if isinstance(fields.get(key), str) else None for key in _FACTS[:4]]
    return Device(device_id, *facts)


async def _missing(call: Call, device_id: str) -> ApiError:
    if not queries_id(device_id):
        return not_found("device", device_id)
    return await _gone(call, "device", device_id)


async def _gone(call: Call, kind: str, resource_id: str) -> ApiError:
    """410 for what was deleted, 404 for what never was here."""
    tombstone = call.scope.tombstone(kind, resource_id)
    found = (await firestore.batch_get([tombstone], ["time"])).get(tombstone)
    if found is None:
        return not_found(kind, resource_id)
    time = values.from_fields(found.fields).get("time")
    return ApiError(
        410,
        f"{kind}.gone",
        f"the {kind} {resource_id!r} was deleted at {time}",
        "Its history stands in the project's: ask there, with a condition on its id.",
    )


async def _readable(call: Call, held: frozenset[str]) -> list[str]:
    """Devices that are granted one by one, and all below them: a grant holds for children too."""
    known = set(held)
    level: Sequence[str] = sorted(held)
    parent = names.project(call.scope.project_id)
    for _ in range(MAX_DEPTH):
        below: set[str] = set()
        for start in range(0, len(level), _IN):
            part = list(level[start : start + _IN])
            where = queries.Query((queries.Where("parentDeviceId", "in", part),))
            found = await firestore.run_query(parent, queries.conditions("devices", where))
            below.update(document.id for document in found)
        level = sorted(below - known)
        known |= below
        if not level or len(known) > history_query.MAX_IDS:
            break
    return sorted(known)
