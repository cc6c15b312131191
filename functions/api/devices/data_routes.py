"""Operations on a device's data: reading parts of its state, and writing them as events."""

from typing import Annotated, Any

from fastapi import Body, Path, Query
from starlette.responses import JSONResponse

from fulcrum.core import ids, paths
from functions.api.devices import access, bodies, sending
from functions.api.devices.bodies import Accepted, SetValue
from functions.api.devices.parameters import DeviceId
from functions.api.needs import Call, needs
from functions.api.resources import once
from functions.api.resources.answers import GONE, problem
from functions.api.router import Router
from shared.errors import ApiError
from shared.messages import Write
from shared.model.device import DEVICE

router = Router("device")

_HOW = "The values go the way of all events, so that state and history agree; it is answered when the event "
_HOW += "is safe, and takes effect a moment later. With updateData the values must fit the blueprint's "
_HOW += "attributes; {value, unit} is converted to the attribute's unit. updateAnyData writes anything."
_WRITES = GONE | {422: problem("The key was used for another body")}
DataPath = Annotated[str, Path(max_length=paths.MAX_LENGTH, description="A path of the data")]
Value = Annotated[Any, Body(description="Any JSON value", examples=[81.5])]
_WRITE = needs("device.updateData", anywhere=True, others=["device.updateAnyData"])


@router.post(
    "/device/{device_id}/setValue",
    status_code=202,
    operation_id="device_set_value",
    summary="Set values of a device",
    description="Takes {values: [{path, value}]}, [{path, value}], {path, value} and {keyValue: {path: "
    f"value}}}}. {_HOW} With an Idempotency-Key it is one event.",
    responses=_WRITES,
    openapi_extra={
        "requestBody": {
            "content": {"application/json": {"example": {"path": "engine/temperature", "value": 81.5}}}
        }
    },
)
async def set_value(
    device_id: DeviceId,
    body: SetValue,
    call: Annotated[Call, _WRITE],
    idempotency_key: once.Key = None,
) -> Accepted:
    stored = await call.scope.get(DEVICE, device_id)
    return await sending.send(call, stored, bodies.writes(body), idempotency_key)


@router.get(
    "/device/{device_id}/data",
    operation_id="device_data_list",
    summary="Read a device's data",
    description="The whole current state, nested.",
    responses=GONE,
)
async def list_(
    device_id: DeviceId, call: Annotated[Call, needs("device.readData", anywhere=True)]
) -> dict[str, Any]:
    stored = await access.load(call, "device.readData", device_id)
    return dict(stored.fields.get("data") or {})


@router.get(
    "/device/{device_id}/data/{path:path}",
    operation_id="device_data_get",
    summary="Read a part of a device's data",
    description="The value at a path: a scalar, an array, or an object of what lies below.",
    responses=GONE,
    response_model=None,
)
async def get(
    device_id: DeviceId, path: DataPath, call: Annotated[Call, needs("device.readData", anywhere=True)]
) -> JSONResponse:
    if found := paths.leaf_problem(path):
        raise ApiError(400, "device.path", found, "see the grammar of paths")
    stored = await access.load(call, "device.readData", device_id)
    try:
        value = bodies.at(stored.fields.get("data") or {}, path)
    except KeyError:
        raise ApiError(
            404, "data.notFound", f"the device has nothing at {path!r}", "read its whole data to see"
        ) from None
    return JSONResponse(value)


@router.put(
    "/device/{device_id}/data",
    status_code=202,
    operation_id="device_data_replace_all",
    summary="Replace a device's data",
    description=f"Drops the data that it has now and sets what is sent, in one event. {_HOW}",
    responses=_WRITES,
)
async def replace_all(
    device_id: DeviceId,
    body: dict[str, Any],
    call: Annotated[Call, _WRITE],
    idempotency_key: once.Key = None,
) -> Accepted:
    stored = await call.scope.get(DEVICE, device_id)
    dropped = [Write(key, op="delete") for key in stored.fields.get("data") or {} if key not in body]
    replaced = [Write(key, value, "replace") for key, value in body.items()]
    return await sending.send(call, stored, [*dropped, *replaced], idempotency_key)


@router.patch(
    "/device/{device_id}/data",
    status_code=202,
    operation_id="device_data_update_all",
    summary="Change a device's data",
    description=f"Sets the paths or objects that the body names; everything else stays. {_HOW}",
    responses=_WRITES,
)
async def update_all(
    device_id: DeviceId,
    body: dict[str, Any],
    call: Annotated[Call, _WRITE],
    idempotency_key: once.Key = None,
) -> Accepted:
    stored = await call.scope.get(DEVICE, device_id)
    return await sending.send(call, stored, [Write(k, v) for k, v in body.items()], idempotency_key)


@router.put(
    "/device/{device_id}/data/{path:path}",
    status_code=202,
    operation_id="device_data_replace",
    summary="Replace a part of a device's data",
    description=f"Drops what is at the path and sets the value. {_HOW}",
    responses=_WRITES,
)
async def replace(
    device_id: DeviceId,
    path: DataPath,
    body: Value,
    call: Annotated[Call, _WRITE],
    idempotency_key: once.Key = None,
) -> Accepted:
    stored = await call.scope.get(DEVICE, device_id)
    return await sending.send(call, stored, [Write(path, body, "replace")], idempotency_key)


@router.patch(
    "/device/{device_id}/data/{path:path}",
    status_code=202,
    operation_id="device_data_update",
    summary="Change a part of a device's data",
    description=f"Merges an object into what is at the path; any other value replaces it. raw=true drops "
    f"first what is there. {_HOW}",
    responses=_WRITES,
)
async def update(
    device_id: DeviceId,
    path: DataPath,
    body: Value,
    call: Annotated[Call, _WRITE],
    raw: Annotated[bool, Query(description="Drop first what is there")] = False,
    idempotency_key: once.Key = None,
) -> Accepted:
    stored = await call.scope.get(DEVICE, device_id)
    write = Write(path, body, "replace") if raw else Write(path, body)
    return await sending.send(call, stored, [write], idempotency_key)


@router.post(
    "/device/{device_id}/data/{path:path}",
    status_code=202,
    operation_id="device_data_create",
    summary="Add a member below a path of a device's data",
    description=f"Sets the value at a new id below the path, which the answer names. {_HOW}",
    responses=_WRITES,
)
async def create(
    device_id: DeviceId,
    path: DataPath,
    body: Value,
    call: Annotated[Call, _WRITE],
    idempotency_key: once.Key = None,
) -> Accepted:
    stored = await call.scope.get(DEVICE, device_id)
    member = ids.digest("member", device_id, idempotency_key) if idempotency_key else ids.new_id()
    below = f"{path}/{member}"
    return await sending.send(call, stored, [Write(below, body)], idempotency_key, below)


@router.delete(
    "/device/{device_id}/data/{path:path}",
    status_code=202,
    operation_id="device_data_delete",
    summary="Delete a part of a device's data",
    description="Drops what is at the path and below it. " + _HOW,
    responses=_WRITES,
)
async def delete(
    device_id: DeviceId,
    path: DataPath,
    call: Annotated[Call, _WRITE],
    idempotency_key: once.Key = None,
) -> Accepted:
    stored = await call.scope.get(DEVICE, device_id)
    return await sending.send(call, stored, [Write(path, op="delete")], idempotency_key)
