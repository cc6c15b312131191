"""Operations on the devices of a system or project: create and list them."""

from typing import Annotated, Literal

from fastapi import Path, Query, Response

from functions.api.devices import changing, listing, showing
from functions.api.devices.parameters import ITEM, At
from functions.api.needs import Call, needs
from functions.api.resources import lists, once
from functions.api.resources.answers import GONE, etag, problem
from functions.api.router import Router
from shared.model.device import DEVICE, Device, DeviceCreate
from shared.model.page import Page
from shared.model.system import SYSTEM

router = Router("device")

EXAMPLE = {
    "name": "Cold store 4",
    "blueprintId": "5kRt0bW1yLr7sXe23Vc8Qn",
    "networkId": "farm-lora",
    "networkAliases": {"farm-lora": {"serial": "SN-0042"}},
    "tags": ["north"],
}
SystemId = Annotated[str, Path(max_length=200, description="The id of the system")]
ProjectId = Annotated[str, Path(max_length=200, description="The id of the project")]
Sort = Annotated[
    Literal["id", "name", "-name"], Query(description="By what the list is sorted; '-': downwards")
]
BlueprintId = Annotated[
    str | None, Query(alias="blueprintId", max_length=200, description="Of one blueprint")
]
ParentId = Annotated[
    str | None, Query(alias="parentDeviceId", max_length=200, description="Directly below one device")
]
Tag = Annotated[str | None, Query(max_length=100, description="With this tag")]
NamePrefix = Annotated[
    str | None, Query(alias="name", max_length=200, description="Whose names begin so; sorts by name")
]
_LIST = (
    "A page of the devices that you may read. Every filter and sort is answered by an index, so that a page "
    "costs the same however many devices there are."
)


@router.post(
    "/system/{system_id}/devices",
    status_code=201,
    operation_id="device_create",
    summary="Create a device",
    description="Creates a device in a system. Each alias (network, key, value) belongs to one device only: "
    "of several who take it at once, one wins. With an Idempotency-Key it is created once.",
    responses=ITEM | {422: problem("The key was used for another body")},
    openapi_extra={"requestBody": {"content": {"application/json": {"example": EXAMPLE}}}},
)
async def create(
    system_id: SystemId,
    body: DeviceCreate,
    response: Response,
    call: Annotated[Call, needs("device.create", anywhere=True, others=["device.create:"])],
    idempotency_key: once.Key = None,
) -> Device:
    parent = await call.scope.find(DEVICE, body.parent_device_id) if body.parent_device_id else None
    await changing.require_create(call, system_id, body.blueprint_id, parent)
    stored = await changing.create(call, system_id, body, idempotency_key)
    etag(response, stored)
    return await showing.one(call, stored)


@router.get(
    "/system/{system_id}/devices",
    operation_id="system_devices_list",
    summary="List the devices of a system",
    description=_LIST,
    responses=GONE,
)
async def list_of_system(
    system_id: SystemId,
    call: Annotated[Call, needs("device.list", anywhere=True)],
    blueprint_id: BlueprintId = None,
    parent_device_id: ParentId = None,
    tag: Tag = None,
    name: NamePrefix = None,
    sort: Sort = "id",
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
    refs: lists.Refs = False,
    at: At = None,
) -> Page[Device]:
    wanted = listing.Wanted(system_id, blueprint_id, parent_device_id, tag, name, sort)
    if at is not None:
        # What the past needs is loaded with the first look at it.
        from functions.api.search import past

        page = await past.listed(call, wanted, at, per_page, cursor, total)
        if not page.items:
            await past.must_have_been(call, system_id, at)
        return page
    page = await listing.page(call, wanted, per_page, cursor, total, refs)
    if not page.items:
        await call.scope.get(SYSTEM, system_id)  # 404 for a system that is not there
    return page


@router.get(
    "/project/{project_id}/devices",
    operation_id="device_list",
    summary="List the devices of a project",
    description=_LIST,
    responses=GONE,
)
async def list_of_project(
    project_id: ProjectId,
    call: Annotated[Call, needs("device.list", anywhere=True)],
    system_id: Annotated[
        str | None, Query(alias="systemId", max_length=200, description="Of one system")
    ] = None,
    blueprint_id: BlueprintId = None,
    parent_device_id: ParentId = None,
    tag: Tag = None,
    name: NamePrefix = None,
    sort: Sort = "id",
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
    refs: lists.Refs = False,
    at: At = None,
) -> Page[Device]:
    wanted = listing.Wanted(system_id, blueprint_id, parent_device_id, tag, name, sort)
    if at is not None:
        # What the past needs is loaded with the first look at it.
        from functions.api.search import past

        return await past.listed(call, wanted, at, per_page, cursor, total)
    page = await listing.page(call, wanted, per_page, cursor, total, refs)
    if not page.items:
        await call.scope.must_exist()
    return page
