"""Making, changing and deleting devices: one commit each, tried again when somebody else was faster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fulcrum.core import ids
from functions.api.devices import access, definition, definition_rows
from functions.api.devices.definition_rows import Definition
from functions.api.needs import Call, denied
from functions.api.resources import items, once, patch
from functions.api.roles import chain
from shared.errors import ApiError
from shared.model.device import DEVICE, Device, DeviceFields
from shared.store import cascade
from shared.store.change import Change, check_match, retrying
from shared.store.scope import Stored

# What further belongs to the commit of a creation: it may add fields.
Further = Callable[[Change, str, dict[str, Any]], Awaitable[None]]


async def create(
    call: Call,
    system_id: str,
    body: DeviceFields,
    key: str | None,
    further: Further | None = None,
    operation: str = "device_create",
    **fixed: Any,
) -> Stored[Device]:
    """Create a device in a system. ``fixed``: fields that the body does not say.

    ``key``: the Idempotency-Key, of creations with the same ``operation``.
    """
    given = body.model_dump(by_alias=True, exclude_none=True, mode="json") | fixed
    # One id for all attempts: what is already in the history is then of this device.
    chosen = ids.new_id()

    async def attempt() -> Stored[Device]:
        change = call.change()
        said = {"systemId": system_id} | given
        known = await once.known(call, change, key, operation, said, DEVICE)
        if known is not None:
            return known
        device_id = change.planned_id or chosen
        fields = await definition.creating(call, change, device_id, system_id, given)
        if further is not None:
            await further(change, device_id, fields)
        change.create(DEVICE, fields, device_id)
        stamped = fields | {"created": change.now, "lastModified": change.now, "version": 1}
        await definition_rows.commit(change, Definition(device_id, stamped))
        return await call.scope.get(DEVICE, device_id)

    made: Stored[Device] = await persistent(attempt)
    return made


async def update(call: Call, device_id: str, body: patch.Patch, if_match: str | None) -> Stored[Device]:
    """Change a device's definition. ``If-Match`` holds for the definition: events in between do not count."""

    async def attempt() -> Stored[Device]:
        stored = await access.load(call, "device.update", device_id)
        check_match(stored, if_match)
        changed = patch.apply("device", DEVICE.patchable, stored.fields, body)
        whole = items.validated(DEVICE, stored, changed)
        for required in ("metadata", "tags", "networkAliases", "simulated"):
            if required in changed and changed[required] is None:
                changed[required] = whole.get(required)
        after = {k: v for k, v in (stored.fields | changed).items() if v is not None}
        after |= {key: whole[key] for key in changed if key in whole}
        change = call.change()
        await definition.updating(call, change, device_id, stored.fields, after)
        await _require_parent(call, stored, after)
        touched = {*changed, "networkAliases"}
        if not change.update(stored, {key: after.get(key) for key in touched}):
            return stored
        await commit_update(change, stored, after)
        return await call.scope.get(DEVICE, device_id)

    found: Stored[Device] = await persistent(attempt)
    return found


async def commit_update(change: Change, stored: Stored[Device], after: Mapping[str, Any]) -> None:
    """Commit an update of a device together with its row in the history of definitions."""
    stamped = {**after, "lastModified": change.now, "version": stored.version + 1}
    await definition_rows.commit(change, Definition(stored.id, stamped))
    chain.forget(change.scope.project_id, stored.id)


async def delete(call: Call, device_id: str, if_match: str | None = None) -> tuple[str | None, str | None]:
    """Delete a device; returns its system, and the job that clears what hung on it.

    One commit removes the document and leaves a tombstone and the job, so that the device is unknown to
    events and requests at once. A request that is sent again starts a job that could not be started before.
    """

    async def attempt() -> tuple[str | None, str | None]:
        if await call.scope.find(DEVICE, device_id) is None and call.principal.allows("device.delete"):
            job_id = await cascade.resume(call.scope, "device", device_id)
            if job_id is not None:
                return None, job_id
        stored = await access.load(call, "device.delete", device_id)
        check_match(stored, if_match)
        change = call.change()
        job_id = await cascade.begin(change, stored)
        change.delete(stored)
        change.affect_events()
        last = {**stored.fields, "version": stored.version + 1}
        await definition_rows.commit(change, Definition(device_id, last, deleted=True))
        chain.forget(call.scope.project_id, device_id)
        await cascade.publish(call.scope, job_id)
        return stored.fields.get("systemId"), job_id

    found: tuple[str | None, str | None] = await persistent(attempt)
    return found


async def _require_parent(call: Call, stored: Stored[Device], after: Mapping[str, Any]) -> None:
    """Who places a device under another one changes who may see it, and must be let at both."""
    parent_id = after.get("parentDeviceId")
    if not parent_id or parent_id == stored.fields.get("parentDeviceId"):
        return
    parent = await call.scope.get(DEVICE, parent_id)
    await access.require(call, ["device.update"], parent)
    await access.require_no_gain(call, stored, parent)


async def require_create(
    call: Call, system_id: str, blueprint_id: str, parent: Stored[Device] | None
) -> None:
    """ApiError 403 unless the caller may create such a device in a system, or under a device of it."""
    wanted = access.to_create(blueprint_id)
    if access.on_system(call, wanted, system_id):
        return
    if parent is None or not await access.permitted(call, wanted, [parent]):
        raise denied(wanted[0])


async def persistent(attempt: Callable[[], Awaitable[Any]]) -> Any:
    """As the store's own ``retrying``, with more patience: events of a busy device win races, too."""
    async with definition_rows.settled():
        try:
            return await retrying(attempt)
        except ApiError as error:
            if error.error != "change.contended":
                raise
        return await retrying(attempt)
