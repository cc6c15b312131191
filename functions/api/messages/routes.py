"""Operations on messages to a device.

No postponed annotations here: the framework reads the handlers' annotations.
"""

from typing import Annotated, Any, Literal

from fastapi import Path
from fastapi import Query as Parameter

from functions.api.devices import access
from functions.api.devices.parameters import DeviceId
from functions.api.messages import sending
from functions.api.needs import Call, needs
from functions.api.resources import lists, once, plain
from functions.api.resources.answers import GONE, problem
from functions.api.router import Router
from shared.model.outbound import DEVICE_MESSAGE, DeviceMessage, DeviceMessageCreate
from shared.model.page import Page
from shared.store.query import Query, Where

router = Router("deviceMessage")
MessageId = Annotated[str, Path(max_length=200, description="The id of the message")]
State = Annotated[
    Literal["queued", "sent", "acked", "failed", "expired", "replaced", "cancelled"] | None,
    Parameter(description="Only those in this state"),
]
_TAKEN: dict[int | str, dict[str, Any]] = {
    409: problem("The msgId is another message's, or the device's network carries no messages")
}
_LATE: dict[int | str, dict[str, Any]] = {409: problem("It is not waiting any more, or is just being sent")}


@router.post(
    "/device/{device_id}/messages",
    status_code=202,
    operation_id="device_message_send",
    summary="Send a message to a device",
    description="The message waits until the device has it, its time is over, or it is cancelled; by the way "
    "that the device's network has for messages. The same msgId (or Idempotency-Key) again is the same "
    "message, sent once.",
    responses=GONE | _TAKEN,
    openapi_extra={
        "requestBody": {
            "content": {"application/json": {"example": {"message": {"valve": "open"}, "ttl": 3_600_000}}}
        }
    },
)
async def send(
    device_id: DeviceId,
    body: DeviceMessageCreate,
    call: Annotated[Call, needs("device.sendMessage", anywhere=True)],
    idempotency_key: once.Key = None,
) -> DeviceMessage:
    device = await access.load(call, "device.sendMessage", device_id)
    return await sending.send(call, device, body, idempotency_key)


@router.get(
    "/device/{device_id}/messages",
    operation_id="device_message_list",
    summary="List the messages to a device",
    description="A page of the messages to a device, the latest first, each kept for 30 days after its end.",
    responses=GONE,
)
async def list_(
    device_id: DeviceId,
    call: Annotated[Call, needs("device.sendMessage", anywhere=True)],
    state: State = None,
    per_page: lists.PerPage = lists.DEFAULT,
    cursor: lists.Cursor = None,
    total: lists.Total = False,
) -> Page[DeviceMessage]:
    await access.load(call, "device.sendMessage", device_id)
    of_state = () if state is None else (Where("state", "==", state),)
    query = Query(
        (Where("deviceId", "==", device_id), *of_state),
        order="created",
        descending=True,
        limit=per_page,
        after=cursor,
    )
    page: Page[DeviceMessage] = await plain.page(call.scope, DEVICE_MESSAGE, query, total, must_exist=False)
    if await sending.expire(call, page.items):
        page = await plain.page(call.scope, DEVICE_MESSAGE, query, total, must_exist=False)
    return page


@router.get(
    "/device/{device_id}/messages/{message_id}",
    operation_id="device_message_get",
    summary="Read a message to a device",
    description="One message, and what became of it.",
    responses=GONE,
)
async def get(
    device_id: DeviceId,
    message_id: MessageId,
    call: Annotated[Call, needs("device.sendMessage", anywhere=True)],
) -> DeviceMessage:
    await access.load(call, "device.sendMessage", device_id)
    return await sending.get(call, device_id, message_id)


@router.post(
    "/device/{device_id}/messages/{message_id}/cancel",
    operation_id="device_message_cancel",
    summary="Cancel a message to a device",
    description="A message that waits is not sent any more. One that is cancelled already stays so.",
    responses=GONE | _LATE,
)
async def cancel(
    device_id: DeviceId,
    message_id: MessageId,
    call: Annotated[Call, needs("device.sendMessage", anywhere=True)],
) -> DeviceMessage:
    await access.load(call, "device.sendMessage", device_id)
    return await sending.cancel(call, device_id, message_id)
