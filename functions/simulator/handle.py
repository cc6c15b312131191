"""What came: a push of Pub/Sub, a slice that is due, or the tick. Each is carried out and told of."""

from __future__ import annotations

from typing import Any

import msgspec

from functions.simulator import commands, slices, taking, ticking
from functions.simulator.slices import PlaySlice
from shared import outbox
from shared.envelope import Delivery, decode_push
from shared.errors import Rejected
from shared.quarantine import SetAside, set_aside

SERVICE = "simulator"
TOPIC = "simulator"


class Tick(msgspec.Struct, frozen=True, tag="tickMsg", tag_field="type"):
    """Cloud Scheduler's message, once a minute."""


_decode = msgspec.json.Decoder(PlaySlice | Tick).decode


async def handle(body: bytes, trace: str | None) -> dict[str, Any]:
    """Do what a request is for; fields for the log. Rejected: it is none; Transient: it is to come again."""
    try:
        message = _decode(body)
    except msgspec.DecodeError:
        return await _push(decode_push(body), trace)
    if isinstance(message, Tick):
        return dict((await ticking.tick())._asdict())
    done = await slices.play(message)
    return {"projectId": message.project_id, "shard": message.shard, **done}


async def _push(delivery: Delivery, trace: str | None) -> dict[str, Any]:
    asked, refused = commands.read(delivery)
    devices = 0
    for one in asked:
        try:
            problem = await taking.take(one.command)
        except Rejected as error:
            problem = error
        if problem is not None:
            refused.append(outbox.Refused(problem, one.place, one.data))
        devices += len(one.command.device_ids)
    await set_aside([_entry(delivery, each) for each in refused], trace)
    return {
        "taken": len(asked),
        "devices": devices,
        "quarantined": len(refused),
        **delivery.named(),
    }


def _entry(delivery: Delivery, refused: outbox.Refused) -> SetAside:
    project = delivery.attributes.get("projectId")
    return SetAside(refused.error, refused.data, SERVICE, TOPIC, delivery.message_id, refused.place, project)
