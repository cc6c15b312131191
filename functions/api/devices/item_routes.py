"""Operations on one device: find it by an outside name, read, change, delete and verify it.

Apart from lists and creations, so that a function that was woken for one device loads no more.
"""

from typing import Annotated

from fastapi import Query, Response

from functions.api.devices import access, finding, showing
from functions.api.devices.parameters import ITEM, At, DeviceId
from functions.api.needs import Call, needs
from functions.api.resources import lists, patch
from functions.api.resources.answers import GONE, etag, problem
from functions.api.router import Router
from shared.model.device import DEVICE, Device
from shared.model.page import Deleted, Verified

router = Router("device")


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
    return await showing.one(call, stored)


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
        device = await showing.one(call, stored)
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
    openapi_extra={
        "requestBody": {
            "content": {"application/json": {"example": {"name": "Cold store 5", "metadata/floor": 2}}}
        }
    },
)
async def update(
    device_id: DeviceId,
    body: patch.Patch,
    response: Response,
    call: Annotated[Call, needs("device.update", anywhere=True)],
    if_match: lists.IfMatch = None,
) -> Device:
    # What changes need is loaded with the first of them.
    from functions.api.devices import changing

    stored = await changing.update(call, device_id, body, if_match)
    etag(response, stored)
    return await showing.one(call, stored)


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
    from functions.api.devices import changing

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
