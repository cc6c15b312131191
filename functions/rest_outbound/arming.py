"""Tasks: one for each attempt to hand a message over, one for the end of its time. Each name once."""

from __future__ import annotations

import msgspec

from fulcrum.core import ids
from shared import clock
from shared.clients import tasks
from shared.config import settings
from shared.outbound import Record

QUEUE = "outbound"


class SendMessage(msgspec.Struct, frozen=True, rename="camel", tag="sendMessage", tag_field="type"):
    """The body of a task: which attempt (from 0) with which message."""

    project_id: str
    msg_id: str
    attempt: int


class ExpireMessage(msgspec.Struct, frozen=True, rename="camel", tag="expireMessage", tag_field="type"):
    """The body of a task: the time of a message is over."""

    project_id: str
    msg_id: str


async def next_attempt(record: Record) -> bool:
    """Have the next attempt made when it is due; False where that is arranged already."""
    if record.state != "queued" or record.transport != "rest" or record.lease is not None:
        return False
    due = record.next_try or clock.now_ms()
    return due < record.expire_time and await _create(record, "due", due)


async def at_once(record: Record) -> bool:
    """Have the next attempt made now, before it is due: whichever of the two comes first makes it."""
    return await _create(record, "seen", clock.now_ms())


async def end(record: Record) -> bool:
    """Have the message given up when its time is over; False where that is arranged already."""
    body = msgspec.json.encode(ExpireMessage(record.project_id, record.msg_id))
    name = ids.digest("message expires", record.project_id, record.msg_id, str(record.created))
    return await tasks.create(QUEUE, tasks.Task(name, _target(), body, record.expire_time))


async def _create(record: Record, why: str, time: int) -> bool:
    body = msgspec.json.encode(SendMessage(record.project_id, record.msg_id, record.attempts))
    made = (record.project_id, record.msg_id, str(record.created), str(record.attempts), why)
    return await tasks.create(QUEUE, tasks.Task(ids.digest("message", *made), _target(), body, time))


def _target() -> str:
    return settings().text("TASKS_TARGET", "")
