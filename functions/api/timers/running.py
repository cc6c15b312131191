"""Timers are started and stopped by messages to the scheduler, and looked at where that keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from fulcrum.core import ids
from functions.api.needs import Call
from shared import clock, names, timer_times, values
from shared.clients import firestore, pubsub
from shared.messages import VERSION, CancelTimer, SetTimer
from shared.model.timer import TIMER, Timer
from shared.model.timer_run import RunState, TimerAccepted, TimerRun
from shared.store.scope import Stored

TOPIC = "scheduler"
_encode = msgspec.json.encode


async def start(call: Call, timer_id: str) -> TimerAccepted:
    """Have a timer run as it is defined now; one that runs starts anew."""
    fields = (await call.scope.get(TIMER, timer_id)).model().wire()
    time = clock.now_ms()
    message = SetTimer(
        id=timer_id,
        stamp=(time, ids.new_id()),
        project_id=call.scope.project_id,
        system_id=fields.get("systemId"),
        device_id=fields.get("deviceId"),
        script_id=fields.get("scriptId"),
        timer=fields["timer"],
        action=fields["action"],
        managed=True,
    )
    await _publish(call, message)
    return TimerAccepted(id=timer_id, time=time)


async def stop(call: Call, timer_id: str) -> TimerAccepted:
    """Have a timer run no more; one that does not stays as it is."""
    await call.scope.get(TIMER, timer_id)
    time = clock.now_ms()
    await _publish(
        call, CancelTimer(id=timer_id, stamp=(time, ids.new_id()), project_id=call.scope.project_id)
    )
    return TimerAccepted(id=timer_id, time=time)


async def _publish(call: Call, message: SetTimer | CancelTimer) -> None:
    attributes = {"v": VERSION, "hops": "1", "projectId": call.scope.project_id}
    await pubsub.publish(TOPIC, [(_encode(message), attributes)])


async def show(call: Call, timer_id: str, count: int) -> TimerRun:
    """Whether a timer runs, with its next ``count`` times."""
    stored: Stored[Timer] = await call.scope.get(TIMER, timer_id)
    name = names.running_timer(call.scope.project_id, stored.id)
    found = (await firestore.batch_get([name])).get(name)
    fields = values.from_fields(found.fields) if found is not None else {}
    state: RunState = fields["state"] if fields.get("state") in ("running", "finished") else "stopped"
    return TimerRun(
        id=timer_id,
        state=state,
        started=fields.get("start") if state != "stopped" else None,
        next=list(islice(_times(fields), count)) if state == "running" else [],
        last_fired=fields.get("lastFired"),
        occurrences=fields.get("occurrences", 0),
    )


def _times(fields: dict[str, Any]) -> Iterator[int]:
    """When a timer that runs fires: what the scheduler waits for, and what follows it."""
    when = timer_times.parse(msgspec.json.decode(fields["timer"]))
    at: int | None = fields["fireTime"]
    while at is not None:
        yield at
        at = timer_times.following(when, fields["start"], at)
