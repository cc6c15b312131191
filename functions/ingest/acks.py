"""What devices, or who serves them, say of messages to them: checked, and made the messages that go out."""

from __future__ import annotations

from typing import Any

import msgspec

from functions.ingest import content
from functions.ingest.assemble import Batch
from functions.ingest.auth import Network
from functions.ingest.content import Refused
from functions.ingest.split import Fault
from shared.messages import InboundAck
from shared.outbound import MAX_REPORT_BYTES, is_id

_FIELDS = frozenset({"msgId", "deviceId", "aliasKey", "status", "response"})
_STATES = ("sent", "acked", "failed")
_encode = msgspec.json.Encoder().encode


def batch(found: list[Any], network: Network, received_ms: int) -> Batch:
    """Check and encode decoded acknowledgements; a Fault in place of one stays a refusal."""
    taken = Batch([], [], [], [])
    for index, raw in enumerate(found):
        if type(raw) is Fault:
            taken.refused.append((index, raw))
            continue
        try:
            ack = _ack(raw, network, received_ms)
        except Refused as refused:
            taken.refused.append((index, refused.fault))
            continue
        taken.events.append(_encode(ack))
        taken.ids.append(ack.msg_id)
        taken.devices.append((ack.alias_key or "", ack.device_id))
    return taken


def _ack(raw: Any, network: Network, received_ms: int) -> InboundAck:
    if type(raw) is not dict:
        raise Refused("ack.notAnObject", "the acknowledgement is no object", "send msgId and deviceId")
    if not raw.keys() <= _FIELDS:
        unknown = ", ".join(sorted(repr(key[:64]) for key in raw.keys() - _FIELDS)[:5])
        listed = "msgId, deviceId, aliasKey, status and response"
        raise Refused("ack.unknownField", f"unknown field {unknown}", f"an acknowledgement has {listed}")
    msg_id = raw.get("msgId")
    if type(msg_id) is not str or not is_id(msg_id):
        raise Refused("ack.badMsgId", "msgId is no id of a message", "send the msgId that came with it")
    status = raw.get("status", "acked")
    if status not in _STATES:
        raise Refused("ack.badStatus", "the status is unknown", f"use one of: {', '.join(_STATES)}")
    response = raw.get("response")
    content.value(response)
    if len(_encode(response)) > MAX_REPORT_BYTES:
        most = f"send at most {MAX_REPORT_BYTES} bytes, and the rest as data"
        raise Refused("ack.tooLarge", "the response is too long", most)
    alias_key, device_id = content.names(raw, network.alias_keys)
    return InboundAck(
        msg_id=msg_id,
        status=status,
        received_time=received_ms,
        project_id=network.project_id,
        network_id=network.id,
        alias_key=alias_key,
        device_id=device_id,
        response=response,
    )
