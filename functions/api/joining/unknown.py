"""Unknown devices: which outside names sent events and belong to no device, and making devices of them."""

import contextlib
from typing import Annotated, Any

import msgspec
from fastapi import Path, Response
from fastapi import Query as Parameter

from functions.api.devices import changing
from functions.api.joining.setting_free import check_project
from functions.api.needs import Call, needs
from functions.api.resources import lists
from functions.api.resources.answers import GONE, etag, problem
from functions.api.router import Router
from shared import names, values
from shared.clients import firestore
from shared.errors import ApiError
from shared.model.base import NAME_LENGTH
from shared.model.device import DEVICE, Device, DeviceCreate
from shared.model.page import Deleted, Page
from shared.model.unknown_device import UNKNOWN_DEVICE, Adoption, UnknownDevice
from shared.store.change import Change, retrying
from shared.store.query import Query, Where
from shared.store.scope import Stored

router = Router("unknownDevice")

UnknownId = Annotated[str, Path(max_length=200, description="The id of the unknown device")]


@router.get(
    "/project/{project_id}/unknownDevices",
    operation_id="unknown_device_list",
    summary="List unknown devices",
    description="A page of the outside names that sent events and belong to no device, the latest seen "
    "first. Each is forgotten 30 days after its last event. A name that a device has got meanwhile is left "
    "out of its page, which is shorter then; total counts it.",
    responses=GONE,
)
async def list_(
    project_id: Annotated[str, Path(max_length=200, description="The id of the project")],
    call: Annotated[Call, needs("unknownDevice.list")],
    network_id: Annotated[
        str | None, Parameter(alias="networkId", max_length=200, description="Only of this network")
    ] = None,
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
) -> Page[UnknownDevice]:
    check_project(call)
    where = (Where("networkId", "==", network_id),) if network_id else ()
    query = Query(where, order="lastSeen", descending=True, limit=per_page, after=cursor)
    found = await call.scope.page(UNKNOWN_DEVICE, query)
    if not found.items and cursor is None:
        await call.scope.must_exist()
    items = await _still_unknown(found.items)
    return Page(
        count=len(items),
        per_page=per_page,
        total=await call.scope.count(UNKNOWN_DEVICE, query) if total else None,
        next=found.next,
        items=[_model(stored) for stored in items],
    )


async def _still_unknown(items: list[Stored[UnknownDevice]]) -> list[Stored[UnknownDevice]]:
    """Those of some outside names that no device has; one call.

    A device that gets its name otherwise than by adoption leaves the record of it, and an event that was
    underway writes it once more.
    """
    aliases = {stored.id: names.document("aliases", stored.id) for stored in items}
    taken = await firestore.batch_get(aliases.values(), ["deviceId"])
    return [stored for stored in items if aliases[stored.id] not in taken]


@router.get(
    "/unknownDevice/{unknown_device_id}",
    operation_id="unknown_device_get",
    summary="Read an unknown device",
    description="An outside name that belongs to no device, with the last event that was kept.",
    responses=GONE,
)
async def get(
    unknown_device_id: UnknownId, call: Annotated[Call, needs("unknownDevice.read")]
) -> UnknownDevice:
    check_project(call)
    return _model(await call.scope.get(UNKNOWN_DEVICE, unknown_device_id))


@router.delete(
    "/unknownDevice/{unknown_device_id}",
    operation_id="unknown_device_delete",
    summary="Forget an unknown device",
    description="Forgets the outside name. It is listed again when it sends another event.",
    responses=GONE,
)
async def delete(
    unknown_device_id: UnknownId, call: Annotated[Call, needs("unknownDevice.delete")]
) -> Deleted:
    async def attempt() -> None:
        stored = await call.scope.get(UNKNOWN_DEVICE, unknown_device_id)
        change = call.change()
        change.remove(stored.name)
        change.note("deleted", UNKNOWN_DEVICE, stored.id, _named(stored), {})
        await change.commit()

    await retrying(attempt)
    return Deleted(status="deleted", id=unknown_device_id)


@router.post(
    "/unknownDevice/{unknown_device_id}/adopt",
    status_code=201,
    operation_id="unknown_device_adopt",
    summary="Make a device of an unknown one",
    description="Creates a device with the outside name, and forgets the unknown device, in one commit: of "
    "many who adopt it at once, one wins. Its events arrive from then on, within 10 seconds; those before "
    "are gone. Needs the permission to create such a device as well.",
    responses=GONE | {409: problem("Somebody has adopted it, or a device has its outside name")},
    openapi_extra={
        "requestBody": {
            "content": {
                "application/json": {
                    "example": {
                        "blueprintId": "5kRt0bW1yLr7sXe23Vc8Qn",
                        "systemId": "3Vc8Qn0kZ5tWb1yLr7sXe2",
                        "name": "Cold store 4",
                    }
                }
            }
        }
    },
)
async def adopt(
    unknown_device_id: UnknownId,
    body: Adoption,
    response: Response,
    call: Annotated[Call, needs("unknownDevice.update")],
) -> Device:
    parent = await call.scope.find(DEVICE, body.parent_device_id) if body.parent_device_id else None
    await changing.require_create(call, body.system_id, body.blueprint_id, parent)
    found = await call.scope.find(UNKNOWN_DEVICE, unknown_device_id)
    if found is None:
        await _refuse_adopted(call, unknown_device_id)
        found = await call.scope.get(UNKNOWN_DEVICE, unknown_device_id)
    named = _named(found)

    async def forget(change: Change, device_id: str, fields: dict[str, Any]) -> None:
        change.remove(found.name)
        change.put(
            call.scope.tombstone("unknownDevice", found.id),
            {"kind": "unknownDevice", "resourceId": found.id, "time": change.now, "deviceId": device_id},
        )
        change.note("adopted", UNKNOWN_DEVICE, found.id, named, {})

    stored = await changing.create(call, body.system_id, _device(body, named), None, forget)
    etag(response, stored)
    return stored.model()


async def _refuse_adopted(call: Call, unknown_id: str) -> None:
    """ApiError 409 for who comes after the one who has adopted an unknown device."""
    name = call.scope.tombstone("unknownDevice", unknown_id)
    document = (await firestore.batch_get([name], ["deviceId"])).get(name)
    device_id = values.from_fields(document.fields).get("deviceId") if document else None
    if device_id:
        raise ApiError(
            409,
            "unknownDevice.adopted",
            f"it has become the device {device_id!r} already",
            "read that device, and change it if it is not as it should be",
        )


def _device(body: Adoption, named: dict[str, Any]) -> DeviceCreate:
    network_id, key, value = (named.get(part) for part in ("networkId", "aliasKey", "value"))
    return DeviceCreate(
        name=(body.name or value or "?")[:NAME_LENGTH],
        blueprint_id=body.blueprint_id,
        network_id=network_id,
        network_aliases={network_id: {key: value}} if network_id and key and value else {},
        parent_device_id=body.parent_device_id,
        message_route_id=body.message_route_id,
        tags=body.tags,
        metadata=body.metadata,
    )


def _named(stored: Stored[Any]) -> dict[str, Any]:
    return {key: stored.fields[key] for key in ("networkId", "aliasKey", "value") if stored.fields.get(key)}


def _model(stored: Stored[UnknownDevice]) -> UnknownDevice:
    sample = stored.fields.get("sample")
    if isinstance(sample, str):
        # What is no JSON is shown as the text that came.
        with contextlib.suppress(msgspec.DecodeError):
            sample = msgspec.json.decode(sample)
    return stored._replace(fields={**stored.fields, "sample": sample}).model()
