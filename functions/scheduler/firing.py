"""Firing: a task is due. Its timer is asked whether that still holds; the action is done; then it is marked.

A process that ends between action and mark does the action again, under the same id; so do two tasks at once.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from functions.scheduler import actions, arming, calling, store, timers
from functions.scheduler.arming import FireTimer
from functions.scheduler.commands import MAX_ID, Rules
from functions.scheduler.timers import Timer
from shared import clock, names, timer_times
from shared.clients import pubsub
from shared.errors import Rejected, Transient
from shared.messages import SetTimer
from shared.quarantine import SetAside, set_aside

Outcome = Literal["fired", "refused", "stale", "cancelled", "orphaned"]
SERVICE = TOPIC = "scheduler"
# A task may come this much too early by this machine's clock, and is waited for.
_EARLY_MS = 2_000


async def fire(
    task: FireTimer, rules: Rules, tries: int, published: list[str], trace: str | None = None
) -> Outcome:
    """Do what a task is for. ``tries``: how often it was tried before. Transient: it is to come again.

    ``published`` gets the id of the message that goes out.
    """
    await _until(task.fire_time)
    name = store.name(task.project_id, task.timer_id)
    stored, cancels, orphaned = await store.read_due(name, task.project_id, _holders(task))
    timer = stored.timer
    if timer is None or not _is(task, timer):
        # The process that marked this firing may have ended before it armed the next.
        await arming.arm([timer] if timer is not None else [])
        return "stale"
    late = [one.stamp for one in cancels if timers.concerns(one, timer)]
    if late or orphaned:
        # One that was set while what it hangs on was being deleted, or after, is ended as of now.
        stamp = max(late) if late else (max(clock.now_ms(), timer.stamp[0] + 1), "")

        def cancel(now: Timer | None) -> Timer | None:
            if now is None or not _is(task, now):
                return None
            return timers.cancel(now, now.project_id, now.timer_id, stamp)

        await store.change({name: cancel}, {name: stored})
        return "cancelled" if late else "orphaned"
    outcome = await _act(timer, task, rules, tries, published, trace)

    def mark(now: Timer | None) -> Timer | None:
        return timers.fired(now, clock.now_ms()) if now is not None and _is(task, now) else None

    after = await store.change({name: mark}, {name: stored})
    await arming.arm(timer for timer in after.values() if timer is not None)
    return outcome


def _holders(task: FireTimer) -> list[str]:
    """The documents that a timer ends with: its device; a managed one, itself as its project has it."""
    device = [names.device(task.project_id, task.device_id)] if task.device_id else []
    return device + ([names.timer(task.project_id, task.timer_id)] if task.managed else [])


def _is(task: FireTimer, timer: Timer) -> bool:
    """Whether a task is for the firing that its timer waits for."""
    return timer.state == "running" and timer.stamp == task.stamp and timer.fire_time == task.fire_time


async def _until(due: int) -> None:
    early = due - clock.now_ms()
    if early > _EARLY_MS:
        raise Transient(f"the task has come {early} ms early")
    if early > 0:
        await clock.sleep(early / 1000)


async def _act(
    timer: Timer, task: FireTimer, rules: Rules, tries: int, published: list[str], trace: str | None
) -> Outcome:
    """Do a timer's action. What cannot be done is set aside; sent again, that does the action once more."""
    due = task.fire_time
    firing = timers.fire_id(timer, due)
    try:
        action = actions.parse(timer.action, rules.topics, rules.networks)
        if isinstance(action, actions.QueryUrl):
            await calling.call(action, firing, due, rules.networks, tries)
        else:
            device = await _written_device(action, timer)
            sent = actions.message(action, timer, firing, due, device)
            published += await pubsub.publish(sent.topic, [(sent.data, sent.attributes)])
    except Rejected as error:
        again = SetTimer(
            id=f"{timer.timer_id} again {firing}"[-MAX_ID:],
            stamp=(due, firing),
            project_id=timer.project_id,
            system_id=timer.system_id,
            device_id=timer.device_id,
            script_id=timer.script_id,
            timer={"type": "once", "delay": timer_times.MIN_DELAY},
            action=timer.action,
        )
        data = msgspec.json.encode(again)
        entry = SetAside(error, data, SERVICE, TOPIC, firing, project_id=timer.project_id)
        await set_aside([entry], trace)
        return "refused"
    return "fired"


async def _written_device(action: actions.PublishTopic, timer: Timer) -> dict[str, str]:
    """The ids of the device whose data an action writes; Rejected where the project has no such device."""
    device_id = actions.written_device(action, timer)
    if device_id is None:
        return {}
    found = await store.of_device(timer.project_id, device_id, actions.OF_DEVICE)
    if found is None:
        raise Rejected("timer.action", f"action: the project has no device {device_id!r}")
    return found
