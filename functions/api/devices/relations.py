"""Links between devices: each stands on the child, and is written in one commit with what follows from it.

A link is ``"<attributeId>:<parentId>"`` in the child's ``links``. A relationship with at most one child keeps
a lock for each parent that has one; at most one parent is read off the child itself. An owned relationship
places the child under its parent (``parentDeviceId``), one that forwards data adds the parent to the child's
``forwardTo``.
"""

from __future__ import annotations

from typing import Any

from functions.api.devices import access, changing, definitions, holding, placement
from functions.api.devices.definitions import Relation
from functions.api.needs import Call, denied
from shared import names
from shared.clients import firestore
from shared.errors import ApiError
from shared.model.device import DEVICE, Device, DeviceFields
from shared.store.change import Change, lock_name
from shared.store.query import Query, Where
from shared.store.scope import Found, Stored

MAX_LINKS = 200


def link_of(relation_id: str, parent_id: str) -> str:
    """How a link stands on the child."""
    return f"{relation_id}:{parent_id}"


async def relation_of(call: Call, parent: Stored[Device], text: str, known: int | None = None) -> Relation:
    """A relationship of a device's blueprint by its path or id; ApiError 404 ``relation.notFound``."""
    known = await definitions.revision(call.scope) if known is None else known
    blueprint = await definitions.blueprint(call.scope, str(parent.fields.get("blueprintId")), known)
    for relation in blueprint.relations.values():
        if text in (relation.path, relation.id):
            return relation
    raise ApiError(
        404,
        "relation.notFound",
        f"the blueprint of the device {parent.id!r} has no relationship {text[:300]!r}",
        f"use one of: {', '.join(sorted(blueprint.relations)) or 'none; make one on the blueprint first'}",
    )


async def children(
    call: Call, parent: Stored[Device], relation: Relation, per_page: int, cursor: str | None
) -> Found[Device]:
    """A page of a device's children by a relationship, of those that the caller may read."""
    link = link_of(relation.id, parent.id)
    query = Query((Where("links", "array-contains", link),), limit=per_page, after=cursor)
    found = await call.scope.page(DEVICE, query)
    if access.on_system(call, ["device.read"], parent.fields.get("systemId")):
        return found
    return Found(await access.permitted(call, ["device.read"], found.items), found.next)


async def link(call: Call, parent_id: str, text: str, child_id: str) -> Stored[Device]:
    """Link a device below another one; the child as it is then. Linking again changes nothing.

    ApiError 400 for another blueprint or system, 409 where the relationship allows no further one.
    """

    async def attempt() -> Stored[Device]:
        parent = await call.scope.get(DEVICE, parent_id)
        relation = await relation_of(call, parent, text)
        child = await call.scope.get(DEVICE, child_id)
        for stored in (parent, child):
            await access.require(call, access.to_relate(relation.id), stored)
        if relation.owned:
            await access.require_no_gain(call, child, parent)
        change, after = call.change(), dict(child.fields)
        await attach(change, child.id, after, relation, parent, new=False)
        return await _update(call, change, child, after)

    made: Stored[Device] = await changing.persistent(attempt)
    return made


async def unlink(call: Call, parent_id: str, text: str, child_id: str) -> Stored[Device]:
    """Cut a link; the child stays. ApiError 404 if there is no such link."""

    async def attempt() -> Stored[Device]:
        parent = await access.load(call, "device.deleteRelationship", parent_id)
        known = await definitions.revision(call.scope)
        relation = await relation_of(call, parent, text, known)
        child = await call.scope.get(DEVICE, child_id)
        if link_of(relation.id, parent.id) not in (child.fields.get("links") or []):
            raise ApiError(
                404,
                "relation.notLinked",
                f"the device {child_id!r} is no child of {parent_id!r} by {relation.path!r}",
                "list the children of the relationship to see who is",
            )
        blueprint = await definitions.blueprint(call.scope, relation.parent_blueprint, known)
        change, after = call.change(), dict(child.fields)
        detach(change, after, relation, parent.id, list(blueprint.relations.values()))
        return await _update(call, change, child, after)

    made: Stored[Device] = await changing.persistent(attempt)
    return made


async def create(
    call: Call, parent: Stored[Device], relation: Relation, body: DeviceFields, key: str | None
) -> Stored[Device]:
    """Create a device and link it below another one, in one commit."""
    if not await access.permitted(call, access.to_relate(relation.id)[1:], [parent]):
        await access.require(call, ["device.createRelationship"], parent)
        if not await access.permitted(call, access.to_create(relation.child_blueprint), [parent]):
            raise denied("device.create")

    async def linked(change: Change, device_id: str, fields: dict[str, Any]) -> None:
        await attach(change, device_id, fields, relation, parent, new=True)

    system_id = str(parent.fields.get("systemId"))
    below = link_of(relation.id, parent.id)
    return await changing.create(
        call, system_id, body, key, linked, f"device_create:{below}", blueprintId=relation.child_blueprint
    )


async def attach(
    change: Change,
    child_id: str,
    fields: dict[str, Any],
    relation: Relation,
    parent: Stored[Device],
    *,
    new: bool,
) -> None:
    """Add a link to a child's ``fields``, and to the change what keeps the relationship's rules."""
    link = link_of(relation.id, parent.id)
    links = list(fields.get("links") or [])
    if link in links:
        return
    if fields.get("blueprintId") != relation.child_blueprint:
        raise ApiError(
            400,
            "relation.otherBlueprint",
            f"{relation.path!r} is for devices of the blueprint {relation.child_blueprint!r}",
            f"the device {child_id!r} is of {fields.get('blueprintId')!r}: choose another one",
        )
    await _check_room(change, child_id, links, relation, parent)
    if relation.owned:
        owner = fields.get("parentDeviceId")
        if owner and owner != parent.id:
            raise ApiError(
                409,
                "device.owned",
                f"the device {child_id!r} stands under {owner!r}",
                "a device has one owner: take it out from there first",
            )
        system_id = str(fields.get("systemId"))
        await placement.check(change, child_id, system_id, parent.id, new=new)
        fields["parentDeviceId"] = parent.id
        change.affect_events()
    else:
        if child_id == parent.id:
            raise ApiError(409, "device.circle", "a device is no child of itself", "choose another one")
        await placement.member(change.scope, str(fields.get("systemId")), parent.id)
        holding.exists(change, parent.name)
    holding.exists(change, names.document("projects", change.scope.project_id, "attributes", relation.id))
    fields["links"] = [*links, link]
    if relation.forward_data:
        forward_to = fields.get("forwardTo") or []
        fields["forwardTo"] = forward_to if parent.id in forward_to else [*forward_to, parent.id]


def detach(
    change: Change, fields: dict[str, Any], relation: Relation, parent_id: str, siblings: list[Relation]
) -> None:
    """Take a link out of a child's ``fields``; ``siblings``: all relationships of the parent's blueprint."""
    links = [one for one in fields.get("links") or [] if one != link_of(relation.id, parent_id)]
    fields["links"] = links
    if relation.one_child:
        change.free("device", "child", relation.id, parent_id)
    still = [one for one in siblings if link_of(one.id, parent_id) in links]
    if fields.get("parentDeviceId") == parent_id and relation.owned and not any(one.owned for one in still):
        fields["parentDeviceId"] = None
        change.affect_events()
    if not any(one.forward_data for one in still):
        forward_to = [one for one in fields.get("forwardTo") or [] if one != parent_id]
        fields["forwardTo"] = forward_to or None


async def _check_room(
    change: Change, child_id: str, links: list[str], relation: Relation, parent: Stored[Device]
) -> None:
    if len(links) >= MAX_LINKS:
        raise ApiError(
            400,
            "relation.tooMany",
            f"the device {child_id!r} has {len(links)} links already",
            f"a device has at most {MAX_LINKS} devices above it",
        )
    if relation.one_parent and any(one.startswith(f"{relation.id}:") for one in links):
        raise ApiError(
            409,
            "relation.parentTaken",
            f"the device {child_id!r} has its one parent by {relation.path!r} already",
            "remove that relation first",
        )
    if relation.one_child:
        lock = lock_name(change.scope, "device", "child", relation.id, parent.id)
        if lock in await firestore.batch_get([lock], ["holder"]):
            raise ApiError(
                409,
                "device.childTaken",
                f"the device {parent.id!r} has its one child by {relation.path!r} already",
                "remove that relation first",
            )
        change.take("device", "child", relation.id, parent.id, holder=child_id)


async def _update(call: Call, change: Change, child: Stored[Device], after: dict[str, Any]) -> Stored[Device]:
    touched = ("links", "parentDeviceId", "forwardTo")
    if not change.update(child, {key: after.get(key) for key in touched}):
        return child
    kept = {key: value for key, value in after.items() if value is not None}
    await changing.commit_update(change, child, kept)
    return await call.scope.get(DEVICE, child.id)
