"""A timer as its document has it, and how what comes changes it: a fold, the same in any order. Pure.

What sets or cancels a timer has a stamp (time, id), and of several the greatest counts. The stamp stays when
the timer has fired for the last time or is cancelled, so that whatever comes again, or late, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from fulcrum.core import ids
from shared import timer_times
from shared.errors import Rejected
from shared.messages import CancelRelatedTimer, SetTimer
from shared.timer_times import When

Stamp = tuple[int, str]
State = Literal["running", "finished", "cancelled", "unset"]

# How long the stamp of what is over is kept: longer than Pub/Sub keeps a message.
KEPT = timedelta(days=10)
NEVER: Stamp = (-(2**62), "")
# What its document has of a timer; ``expireAt`` is Firestore's affair.
FIELDS = (
    *("projectId", "timerId", "state", "stampTime", "stampId", "action", "actionStampTime", "actionStampId"),
    *("timer", "start", "occurrences", "fireTime", "lastFired", "systemId", "deviceId", "scriptId"),
    "managed",
)


class Timer(msgspec.Struct, frozen=True, kw_only=True):
    """A timer. Times in epoch ms.

    ``fire_time``: when it fires next, if it is running. ``action_stamp``: of what gave it its action, which
    may be later than ``stamp``. ``unset``: its action was changed before whatever sets it has come.
    ``managed``: it is a resource of its project, which people start and stop.
    """

    project_id: str
    timer_id: str
    state: State = "unset"
    stamp: Stamp = NEVER
    action: dict[str, Any] = {}
    action_stamp: Stamp = NEVER
    timer: dict[str, Any] = {}
    start: int = 0
    fire_time: int | None = None
    occurrences: int = 0
    last_fired: int | None = None
    system_id: str | None = None
    device_id: str | None = None
    script_id: str | None = None
    managed: bool = False

    @property
    def key(self) -> str:
        """The id of its document."""
        return ids.digest("timer", self.timer_id)


def set_(before: Timer | None, message: SetTimer, when: When, start: int) -> Timer | None:
    """The timer once it is set; None where that changes nothing."""
    known = before or Timer(project_id=message.project_id, timer_id=message.id)
    if message.stamp <= known.stamp:
        return None
    later = known.action_stamp > message.stamp
    fire_time = timer_times.first(when, start)
    return Timer(
        project_id=message.project_id,
        timer_id=message.id,
        state="finished" if fire_time is None else "running",
        stamp=message.stamp,
        action=known.action if later else message.action,
        action_stamp=known.action_stamp if later else message.stamp,
        timer=message.timer,
        start=start,
        fire_time=fire_time,
        system_id=message.system_id,
        device_id=message.device_id,
        script_id=message.script_id,
        managed=message.managed,
    )


def patch(before: Timer | None, message: SetTimer) -> Timer | None:
    """The timer with another action; None where that changes nothing."""
    known = before or Timer(project_id=message.project_id, timer_id=message.id)
    if message.stamp <= max(known.action_stamp, known.stamp):
        return None
    return msgspec.structs.replace(known, action=message.action, action_stamp=message.stamp)


def cancel(before: Timer | None, project_id: str, timer_id: str, stamp: Stamp) -> Timer | None:
    """The timer once it is cancelled; None where that changes nothing."""
    known = before or Timer(project_id=project_id, timer_id=timer_id)
    if stamp <= known.stamp:
        return None
    return msgspec.structs.replace(known, state="cancelled", stamp=stamp, fire_time=None)


def fired(timer: Timer, now: int) -> Timer:
    """The timer once it has fired. Instants that have passed meanwhile are left out, not made up for."""
    due = timer.fire_time or 0
    try:
        when = timer_times.parse(timer.timer)
        following = timer_times.following(when, timer.start, max(due, now))
    except Rejected:
        # A time zone that a newer release of the time zones no longer has: there is no next time.
        following = None
    return msgspec.structs.replace(
        timer,
        state="finished" if following is None else "running",
        fire_time=following,
        occurrences=timer.occurrences + 1,
        last_fired=due,
    )


def concerns(cancelled: CancelRelatedTimer, timer: Timer) -> bool:
    """Whether what cancels many timers cancels this one."""
    named = (
        (cancelled.system_id, timer.system_id),
        (cancelled.device_id, timer.device_id),
        (cancelled.script_id, timer.script_id),
    )
    return cancelled.stamp > timer.stamp and all(given in (None, has) for given, has in named)


def fire_id(timer: Timer, due: int) -> str:
    """The name of a firing: the same however often it is tried."""
    time, by = timer.stamp
    return ids.digest("timer fires", timer.project_id, timer.timer_id, str(time), by, str(due))


def to_fields(timer: Timer, now: datetime) -> dict[str, Any]:
    """The fields of its document, if it is written ``now``."""
    fields: dict[str, Any] = {
        "projectId": timer.project_id,
        "timerId": timer.timer_id,
        "state": timer.state,
        "stampTime": timer.stamp[0],
        "stampId": timer.stamp[1],
        "action": msgspec.json.encode(timer.action).decode(),
        "actionStampTime": timer.action_stamp[0],
        "actionStampId": timer.action_stamp[1],
        "timer": msgspec.json.encode(timer.timer).decode(),
        "start": timer.start,
        "occurrences": timer.occurrences,
        "fireTime": timer.fire_time,
        "lastFired": timer.last_fired,
        "systemId": timer.system_id,
        "deviceId": timer.device_id,
        "scriptId": timer.script_id,
        "managed": timer.managed or None,
    }
    if timer.state != "running":
        fields["expireAt"] = now + KEPT
    return {key: value for key, value in fields.items() if value is not None}


def from_fields(fields: Mapping[str, Any]) -> Timer:
    """A timer from the fields of its document."""
    return Timer(
        project_id=fields["projectId"],
        timer_id=fields["timerId"],
        state=fields["state"],
        stamp=(fields["stampTime"], fields["stampId"]),
        action=msgspec.json.decode(fields["action"]),
        action_stamp=(fields["actionStampTime"], fields["actionStampId"]),
        timer=msgspec.json.decode(fields["timer"]),
        start=fields["start"],
        occurrences=fields["occurrences"],
        fire_time=fields.get("fireTime"),
        last_fired=fields.get("lastFired"),
        system_id=fields.get("systemId"),
        device_id=fields.get("deviceId"),
        script_id=fields.get("scriptId"),
        managed=fields.get("managed", False),
    )
