"""What came: a push of Pub/Sub, or a task that is due. Each is carried out and told of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from functions.rest_outbound import accepting, arming, reports, sending
from shared import names, outbox
from shared.envelope import Delivery, decode_push
from shared.errors import Rejected
from shared.messages import DeviceAck, DeviceSeen, OutboundInit, OutboundSent
from shared.outbound import is_id
from shared.quarantine import SetAside, set_aside

SERVICE = "rest_outbound"
TOPIC = "outbound"
_Message = OutboundInit | OutboundSent | DeviceAck | DeviceSeen
_decode = msgspec.json.Decoder(_Message).decode
_decode_task = msgspec.json.Decoder(arming.SendMessage | arming.ExpireMessage).decode


async def handle(body: bytes, trace: str | None) -> Mapping[str, Any]:
    """Do what a request is for; fields for the log. Rejected: it is none; Transient: it is to come again."""
    try:
        task = _decode_task(body)
    except msgspec.DecodeError:
        return await _push(decode_push(body), trace)
    outcome = await (sending.send(task) if isinstance(task, arming.SendMessage) else sending.expire(task))
    return {"outcome": outcome, "projectId": task.project_id, "msgId": task.msg_id}


async def _push(delivery: Delivery, trace: str | None) -> Mapping[str, Any]:
    found, refused = outbox.read(delivery, lambda _, place, data: [(place, data, _message(delivery, data))])
    inits = [each for each in found if isinstance(each[2], OutboundInit)]
    known = delivery.attributes.get("transport") is not None
    problems = await accepting.accept([each[2] for each in inits], known, delivery.hops)
    refused += [
        outbox.Refused(problems[place], inits[place][0], inits[place][1]) for place in sorted(problems)
    ]
    changed = await reports.take([each[2] for each in found if not isinstance(each[2], OutboundInit)])
    await set_aside([_entry(delivery, each) for each in refused], trace)
    counts = {"taken": len(inits) - len(problems), "reports": changed, "quarantined": len(refused)}
    return {**{name: count for name, count in counts.items() if count}, **delivery.named()}


def _message(delivery: Delivery, data: bytes) -> Any:
    try:
        message = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected("message.undecodable", f"not a message to a device: {error}") from None
    if outbox.project_of(delivery, message.project_id, "outbound") == names.NO_PROJECT:
        raise Rejected("outbound.project", "a message to a device belongs to a project")
    if not is_id(message.device_id) or not is_id(getattr(message, "msg_id", "x")):
        raise Rejected("outbound.invalid", "msgId or deviceId is no id")
    return message


def _entry(delivery: Delivery, refused: outbox.Refused) -> SetAside:
    return SetAside(
        refused.error,
        refused.data,
        SERVICE,
        TOPIC,
        delivery.message_id,
        refused.place,
        delivery.attributes.get("projectId"),
    )
