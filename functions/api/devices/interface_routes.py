"""The interface: devices along the relationships of their blueprints, to any depth."""

from typing import Annotated, Any

from fastapi import Path, Query, Response

from functions.api.devices import changing, interface, listing, showing
from functions.api.devices.parameters import ITEM
from functions.api.devices.reaching import Reach
from functions.api.devices.walk import parse
from functions.api.needs import Call, needs
from functions.api.resources import lists, once, patch
from functions.api.resources.answers import GONE, etag, problem
from functions.api.router import Router
from functions.api.search.models import SearchPage
from shared.model.device import Device
from shared.model.page import Deleted, Page

router = Router("interface")

System = Annotated[str, Path(max_length=200, description="The system, by its id or alias")]
Blueprint = Annotated[str, Path(max_length=200, description="The blueprint of the root, by its id or alias")]
Rest = Annotated[
    str,
    Path(
        max_length=4000,
        description="Ids and relationships in turn: :id/<relation>/:id/<relation>…; '*' stands for all, and "
        "behind a relationship with one child no id is needed",
        examples=["3Vc8Qn0kZ5tWb1yLr7sXe2/building/rooms"],
    ),
]
_CREATE = needs("device.create", anywhere=True, others=["device.create:", "relationship.create:"])
_READ = needs(
    "device.read",
    anywhere=True,
    others=["device.readHistory", "device.readEvents", "device.readByNetworkAlias"],
)
_MORE = {
    405: problem("The path does not end on what the method is for"),
    504: problem("The query took too long"),
}
_READS = "Reads a bounded number of devices whatever the path: a page may be short, and 'next' goes on."


def _body(example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}, "example": example}}
    return {"requestBody": {"content": content}}


def _queries() -> Any:
    # What searches and histories need is loaded with the first of them.
    from functions.api.devices import interface_queries

    return interface_queries


@router.get(
    "/interface/{system_id}/{blueprint_id}",
    operation_id="interface_list",
    summary="List the devices of a blueprint in a system",
    description="A page of the devices that you may read, by id.",
    responses=GONE,
)
async def list_(
    system_id: System,
    blueprint_id: Blueprint,
    call: Annotated[Call, needs("device.read", anywhere=True)],
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    refs: lists.Refs = False,
) -> Page[Device]:
    walk = await parse(call, system_id, blueprint_id, "")
    found = await interface.page(call, walk, per_page, cursor)
    return await listing.answered(call, found, per_page, refs=refs)


@router.get(
    "/interface/{system_id}/{blueprint_id}/{path:path}",
    operation_id="interface_get",
    summary="Walk to devices along relationships",
    description="Ends on a device (its id, or a relationship with one child): that device. Ends on a "
    "relationship or '*': a page of devices. Ends on getDeviceByNetworkAlias, history or events: those of "
    f"what stands before, by query parameters. {_READS}",
    responses=GONE
    | _MORE
    | {200: {"model": Device | Page[Device], "description": "The device, a page, or what history answers"}},
    response_model=None,
)
async def get(
    system_id: System,
    blueprint_id: Blueprint,
    path: Rest,
    response: Response,
    call: Annotated[Call, _READ],
    network_id: Annotated[
        str | None,
        Query(alias="networkId", max_length=128, description="Of getDeviceByNetworkAlias: the network"),
    ] = None,
    alias_key: Annotated[
        str | None,
        Query(alias="aliasKey", max_length=128, description="Of getDeviceByNetworkAlias: the alias key"),
    ] = None,
    value: Annotated[
        str | None, Query(max_length=128, description="Of getDeviceByNetworkAlias: the value")
    ] = None,
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    refs: lists.Refs = False,
) -> Any:
    walk = await parse(call, system_id, blueprint_id, path)
    if walk.action in ("history", "events"):
        return await _queries().queried(call, walk)
    if walk.action == "getDeviceByNetworkAlias":
        stored = await interface.by_alias(call, walk, network_id, alias_key, value)
    elif walk.action:
        raise interface.no_action(walk)
    elif walk.is_one:
        stored = await Reach(call, walk).one()
    else:
        found = await interface.page(call, walk, per_page, cursor)
        page = await listing.answered(call, found, per_page, refs=refs)
        return page.model_dump(by_alias=True, exclude_none=True, mode="json")
    etag(response, stored)
    return (await showing.one(call, stored)).wire()


@router.post(
    "/interface/{system_id}/{blueprint_id}",
    operation_id="interface_search_root",
    summary="Search the devices of a blueprint in a system",
    description="The path ends on .search; the body is that of a search.",
    responses=GONE | _MORE | {200: {"model": SearchPage, "description": "A page of the devices that match"}},
    response_model=None,
    openapi_extra=_body({"filter": {"type": "equals", "field": "tags", "value": "north"}}),
)
async def search_root(
    system_id: System, blueprint_id: Blueprint, call: Annotated[Call, needs("device.read", anywhere=True)]
) -> Any:
    walk = await parse(call, system_id, blueprint_id, "", posted=True)
    if walk.action != "search":
        raise interface.no_action(walk)
    return (await _queries().searched(call, walk)).wire()


@router.post(
    "/interface/{system_id}/{blueprint_id}/{path:path}",
    status_code=200,
    operation_id="interface_create",
    summary="Create, link or search devices along relationships",
    description="On a root: /create makes a device. On a relationship: makes a device and links it in one "
    "commit, or links the one that 'deviceId' names. Ends on .search: searches what stands before, and on "
    "history or events: queries them. With an Idempotency-Key a device is created once.",
    responses=ITEM
    | _MORE
    | {
        200: {"model": Device | SearchPage, "description": "The linked device, or what was searched for"},
        201: {"model": Device, "description": "The new device"},
        422: problem("The key was used for another body"),
    },
    response_model=None,
    openapi_extra=_body({"name": "Room 4", "tags": ["north"]}),
)
async def create(
    system_id: System,
    blueprint_id: Blueprint,
    path: Rest,
    response: Response,
    call: Annotated[
        Call,
        needs(
            "device.create",
            anywhere=True,
            others=[
                *("device.create:", "relationship.create:", "device.createRelationship"),
                *("device.read", "device.readHistory", "device.readEvents"),
            ],
        ),
    ],
    idempotency_key: once.Key = None,
) -> Any:
    walk = await parse(call, system_id, blueprint_id, path, posted=True)
    if walk.action == "search":
        return (await _queries().searched(call, walk)).wire()
    if walk.action in ("history", "events"):
        return await _queries().queried(call, walk)
    body = await interface.creation(call)
    stored, is_new = await interface.created(call, walk, body, idempotency_key)
    etag(response, stored)
    response.status_code = 201 if is_new else 200
    return (await showing.one(call, stored)).wire()


@router.patch(
    "/interface/{system_id}/{blueprint_id}/{path:path}",
    operation_id="interface_update",
    summary="Change a device at the end of a walk",
    description="As device_update, for the device that the path ends on.",
    responses=ITEM | {412: problem("It was changed meanwhile")},
)
async def update(
    system_id: System,
    blueprint_id: Blueprint,
    path: Rest,
    body: patch.Patch,
    response: Response,
    call: Annotated[Call, needs("device.update", anywhere=True)],
    if_match: lists.IfMatch = None,
) -> Device:
    walk = await parse(call, system_id, blueprint_id, path)
    device = await Reach(call, walk, "device.update").one()
    stored = await changing.update(call, device.id, body, if_match)
    etag(response, stored)
    return await showing.one(call, stored)


@router.delete(
    "/interface/{system_id}/{blueprint_id}/{path:path}",
    operation_id="interface_delete",
    summary="Delete a device at the end of a walk, or cut its link",
    description="Deletes the device as device_delete does. With unlink=true only the last link of the path "
    "is cut, and the device stays.",
    responses=ITEM | {412: problem("It was changed meanwhile")},
)
async def delete(
    system_id: System,
    blueprint_id: Blueprint,
    path: Rest,
    call: Annotated[Call, needs("device.delete", anywhere=True, others=["device.deleteRelationship"])],
    unlink: Annotated[bool, Query(description="Cut the link, and keep the device")] = False,
    if_match: lists.IfMatch = None,
) -> Deleted:
    walk = await parse(call, system_id, blueprint_id, path)
    if unlink:
        return await interface.unlinked(call, walk)
    device = await Reach(call, walk, "device.delete").one()
    gone_from, job_id = await changing.delete(call, device.id, if_match)
    return Deleted(status="deleted", id=device.id, system_id=gone_from, job_id=job_id)
