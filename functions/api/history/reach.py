"""Whose rows a caller may read."""

from __future__ import annotations

from functions.api.devices import access
from functions.api.devices.below import with_below
from functions.api.needs import Call
from shared import history_query
from shared.model.system import SYSTEM


async def of_device(call: Call, device_id: str, permission: str) -> history_query.Scope:
    """The rows of one device, those of its time in other systems among them."""
    stored = await access.load(call, permission, device_id)
    # A device keeps its blueprint for life, and the table is clustered by blueprint before device: with both,
    # BigQuery reads the blocks of the device instead of the project's.
    blueprint_id = stored.fields.get("blueprintId")
    return history_query.Scope(call.scope.project_id, device_ids=(device_id,), blueprint_id=blueprint_id)


async def of_system(call: Call, system_id: str, permission: str) -> history_query.Scope:
    """The rows of a system that the caller may read; ApiError 404 or 410 if there is no such system."""
    await call.scope.get(SYSTEM, system_id)
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


async def _readable(call: Call, held: frozenset[str]) -> list[str]:
    """Devices that are granted one by one, and all below them; more than a query takes if there are more."""
    return sorted(await with_below(call.scope.project_id, held, history_query.MAX_IDS))
