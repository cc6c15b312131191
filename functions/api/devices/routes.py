"""Operations on devices as resources: create, list, read, change, delete, verify, find by an outside name."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response

from functions.api.devices import access, changing, finding, listing
from functions.api.needs import Call, needs
from functions.api.resources import lists, once, patch
from functions.api.resources.answers import GONE, etag, problem
from functions.api.router import Router
from shared.model.device import DEVICE, Device, DeviceCreate
from shared.model.page import Deleted, Page, Verified
from shared.model.system import SYSTEM

router = Router("device")

EXAMPLE = {
    "name": "Cold store 4",
    "blueprintId": "5kRt0bW1yLr7sXe23Vc8Qn",
    "networkId": "farm-lora",
    "networkAliases": {"farm-lora": {"serial": "SN-0042"}},
    "tags": ["north"],
}
ITEM = GONE | {409: problem("An alias is taken, or the change meets another one")}
SystemId = Annotated[str, Path(max_length=200, description="The id of the system")]
ProjectId = Annotated[str, Path(max_length=200, description="The id of the project")]
DeviceId = Annotated[str, Path(max_length=200, description="The id of the device")]
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
At = Annotated[
    str | None,
    Query(
        max_length=40,
        description="The answer as it was at this instant, states too: epoch ms, or ISO 8601 with an "
        "offset. Read from history; refs are not given",
    ),
]
NamePrefix = Annotated[
    str | None, Query(alias="name", max_length=200, description="Whose names begin so; sorts by name")
]
_LIST = (
    "A page of the devices that you may read. Every filter and sort is answered by an index, so that a page "
)
_LIST += "costs the same however many devices there are."


def _body(example: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": example}}}}


@router.post(
    "/system/{system_id}/devices",
    status_code=201,
    operation_id="device_create",
    summary="Create a device",
    description="Creates a device in a system. Each alias (network, key, value) belongs to one device only: "
    "of several who take it at once, one wins. With an Idempotency-Key it is created once.",
    responses=ITEM | {422: problem("The key was used for another body")},
    openapi_extra=_body(EXAMPLE),
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
    return stored.model()


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


@router.get(
    "/device/getByNetworkAlias",
    operation_id="device_get_by_network_alias",
    summary="Find the device of an outside name",
    description="The one device that has an alias triple. Two reads, however many devices there are.",
    responses={404: problem("No device of the project has this alias")},
)
async def get_by_network_alias(
    network_id: finding.NetworkId,
    alias_key: finding.AliasKey,
    value: finding.AliasValue,
    response: Response,
    call: Annotated[Call, needs("device.readByNetworkAlias", anywhere=True)],
) -> Device:
    stored = await finding.by_alias(call, network_id, alias_key, value)
    etag(response, stored)
    return stored.model()


@router.get(
    "/device/{device_id}",
    operation_id="device_get",
    summary="Read a device",
    description="One device with its current state; its ETag says the version of its definition. One read. "
    "`paths` leaves out of the data what is not asked for. With `at` the device is answered as it was then, "
    "even if it was deleted since; without an ETag.",
    responses=GONE | {504: problem("The past took too long to read")},
)
async def get(
    device_id: DeviceId,
    response: Response,
    call: Annotated[Call, needs("device.read", anywhere=True)],
    paths: Annotated[
        str | None,
        Query(
            max_length=4000,
            description="Paths of its data, joined by commas",
            examples=["engine/temperature,door"],
        ),
    ] = None,
    at: At = None,
) -> Device:
    if at is not None:
        # What the past needs is loaded with the first look at it.
        from functions.api.search import past

        device = await past.one(call, device_id, at)
    else:
        stored = await access.load(call, "device.read", device_id)
        etag(response, stored)
        device = stored.model()
    if paths is not None:
        device.data = finding.selected(device.data or {}, paths)
    return device


@router.patch(
    "/device/{device_id}",
    operation_id="device_update",
    summary="Change a device",
    description="Changes what the body names: an array of {path, value, op}, or a plain object. May be "
    f"changed: {', '.join(sorted(DEVICE.patchable))}. Its data is changed by setValue, its relations by "
    "their own operations. Another networkId drops the aliases in the network that it leaves. With If-Match, "
    "only if nobody changed the definition meanwhile; events do not count.",
    responses=ITEM | {412: problem("It was changed meanwhile")},
    openapi_extra=_body({"name": "Cold store 5", "metadata/floor": 2}),
)
async def update(
    device_id: DeviceId,
    body: patch.Patch,
    response: Response,
    call: Annotated[Call, needs("device.update", anywhere=True)],
    if_match: lists.IfMatch = None,
) -> Device:
    stored = await changing.update(call, device_id, body, if_match)
    etag(response, stored)
    return stored.model()


@router.delete(
    "/device/{device_id}",
    operation_id="device_delete",
    summary="Delete a device",
    description="The device is gone at once, for events too; a job frees its aliases and tokens, cuts its "
    "relations and deletes what it owns. With If-Match, only if nobody changed it meanwhile.",
    responses=ITEM | {412: problem("It was changed meanwhile")},
)
async def delete(
    device_id: DeviceId,
    call: Annotated[Call, needs("device.delete", anywhere=True)],
    if_match: lists.IfMatch = None,
) -> Deleted:
    system_id, job_id = await changing.delete(call, device_id, if_match)
    return Deleted(status="deleted", id=device_id, system_id=system_id, job_id=job_id)


@router.get(
    "/device/{device_id}/verify",
    operation_id="device_verify",
    summary="Check a device",
    description="Whether all that a device refers to is there, and its aliases lead to it.",
    responses=GONE,
)
async def verify(device_id: DeviceId, call: Annotated[Call, needs("device.read", anywhere=True)]) -> Verified:
    return await finding.verified(call, await access.load(call, "device.read", device_id))
