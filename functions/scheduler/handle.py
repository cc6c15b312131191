"""What came: a push of Pub/Sub, a task that is due, or the sweep. Each is carried out and told of."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from functions.scheduler import actions, arming, commands, firing, taking
from functions.scheduler.arming import FireTimer
from functions.scheduler.commands import Rules
from shared import clock, outbox, url_rules
from shared.config import settings
from shared.envelope import Delivery, decode_push
from shared.log import listed
from shared.quarantine import SetAside, set_aside


class Sweep(msgspec.Struct, frozen=True, tag="sweepMsg", tag_field="type"):
    """Cloud Scheduler's message, once a minute."""


_decode = msgspec.json.Decoder(FireTimer | Sweep).decode


async def handle(body: bytes, tries: str, trace: str | None) -> dict[str, Any]:
    """Do what a request is for; fields for the log. Rejected: it is none; Transient: it is to come again.

    ``tries``: how often Cloud Tasks has tried the task before.
    """
    try:
        message = _decode(body)
    except msgspec.DecodeError:
        return await _push(decode_push(body), trace)
    if isinstance(message, Sweep):
        seen, armed = await arming.sweep()
        return {"swept": seen, "armed": armed}
    tried = int(tries) if tries.isdecimal() else 0
    published: list[str] = []
    outcome = await firing.fire(message, rules(), tried, published, trace)
    late = clock.now_ms() - message.fire_time
    return {
        "outcome": outcome,
        "projectId": message.project_id,
        "timer": message.timer_id,
        "lateMs": late,
        "try": tried + 1,
        **({"published": listed(published)} if published else {}),
    }


async def _push(delivery: Delivery, trace: str | None) -> dict[str, Any]:
    read = commands.read(delivery, rules(), clock.now_ms())
    await taking.take(read.commands)
    await set_aside([_entry(delivery, refused) for refused in read.refused], trace)
    return {"taken": len(read.commands), "quarantined": len(read.refused), **delivery.named()}


def _entry(delivery: Delivery, refused: outbox.Refused) -> SetAside:
    project = delivery.attributes.get("projectId")
    return SetAside(
        refused.error, refused.data, firing.SERVICE, firing.TOPIC, delivery.message_id, refused.place, project
    )


def rules() -> Rules:
    """What timers may do in this deployment."""
    config = settings()
    return _rules(config.text("CUSTOM_TOPICS", ""), config.text("URL_NETWORKS", ""))


@cache
def _rules(topics: str, networks: str) -> Rules:
    own = {name.strip() for name in topics.split(",") if name.strip()}
    return Rules(actions.TOPICS | own, url_rules.networks(networks))
