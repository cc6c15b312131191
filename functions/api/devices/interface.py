"""What the interface does at the end of a walk, beside reading."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import ValidationError

from functions.api.devices import changing, finding, relations
from functions.api.devices.reaching import Reach
from functions.api.devices.walk import Walk
from functions.api.needs import Call
from shared.errors import ApiError
from shared.model.device import Device, DeviceFields
from shared.model.page import Deleted
from shared.store.scope import Found, Stored


async def page(call: Call, walk: Walk, per_page: int, cursor: str | None) -> Found[Device]:
    """A page of the devices that a walk ends on."""
    return await Reach(call, walk).page(per_page, cursor)


async def by_alias(
    call: Call, walk: Walk, network_id: str | None, alias_key: str | None, value: str | None
) -> Stored[Device]:
    """The device of an alias triple, if the walk leads to it."""
    if not (network_id and alias_key and value):
        raise ApiError(
            400,
            "request.invalid",
            "networkId, aliasKey and value are needed",
            "add the three as query parameters",
        )
    stored = await finding.by_alias(call, network_id, alias_key, value)
    last = msgspec.structs.replace(walk.last, pick=stored.id)
    exact = Walk(walk.system_id, (*walk.steps[:-1], last))
    return await Reach(call, exact, "device.readByNetworkAlias").one()


async def creation(call: Call) -> dict[str, Any]:
    """The body of a creation or a link, as JSON; ApiError 400 for what is no object."""
    try:
        body = msgspec.json.decode(await call.request.body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ApiError(400, "request.invalid", f"body: {error}", "send a JSON object") from None
    if not isinstance(body, dict):
        raise ApiError(400, "request.invalid", "body: it is no object", "send a JSON object")
    return body


async def created(
    call: Call, walk: Walk, body: dict[str, Any], key: str | None
) -> tuple[Stored[Device], bool]:
    """Create a device at the end of a walk, linked to what stands above, or link one that is there."""
    last = walk.last
    if walk.action not in ("", "create") or last.pick is not None:
        raise no_action(walk)
    if last.relation is None:
        if walk.action != "create":
            raise no_action(walk)
        made = _fields(body, last.blueprint_id)
        await changing.require_create(call, walk.system_id, last.blueprint_id, None)
        stored = await changing.create(call, walk.system_id, made, key, blueprintId=last.blueprint_id)
        return stored, True
    parent = await Reach(call, walk).parent()
    if set(body) == {"deviceId"} and isinstance(body["deviceId"], str):
        return await relations.link(call, parent.id, last.relation.id, body["deviceId"]), False
    made = _fields(body, last.blueprint_id)
    return await relations.create(call, parent, last.relation, made, key), True


async def unlinked(call: Call, walk: Walk) -> Deleted:
    """Cut the last link of a walk; the device stays."""
    if walk.last.relation is None or walk.action:
        raise ApiError(
            400, "interface.noLink", "the path ends on no link", "name a device behind a relationship"
        )
    child = await Reach(call, walk, "device.deleteRelationship").one()
    parent = await Reach(call, walk, "device.deleteRelationship").parent()
    await relations.unlink(call, parent.id, walk.last.relation.id, child.id)
    return Deleted(status="unlinked", id=child.id, system_id=walk.system_id)


def no_action(walk: Walk) -> ApiError:
    """405 for what a path does not do with this method."""
    return ApiError(
        405,
        "method.notAllowed",
        f"the path does not end on what this method is for{f': {walk.action}' if walk.action else ''}",
        "POST to <root>/create or to a relationship; GET, PATCH and DELETE a device",
    )


def _fields(body: dict[str, Any], blueprint_id: str) -> DeviceFields:
    said = body.get("blueprintId")
    if said not in (None, blueprint_id):
        raise ApiError(
            400,
            "relation.otherBlueprint",
            f"the path leads to devices of {blueprint_id!r}, the body says {str(said)[:128]!r}",
            "leave blueprintId out, or name the path's",
        )
    try:
        return DeviceFields.model_validate({k: v for k, v in body.items() if k != "blueprintId"})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ApiError(
            400, "request.invalid", f"body.{place}: {first['msg']}", "correct what is named"
        ) from None
