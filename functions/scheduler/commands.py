"""From a delivery to what it asks of timers, and what of it is refused. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec

from functions.scheduler import actions
from shared import names, outbox, timer_times
from shared.clock import to_ms
from shared.envelope import Delivery
from shared.errors import Rejected
from shared.messages import CancelRelatedTimer, CancelTimer, SetTimer
from shared.timer_times import When
from shared.url_rules import Network

MAX_ID = 500
MAX_BYTES = 300_000
MAX_STAMP = 2**53


class Set(NamedTuple):
    """Sets a timer at ``start`` (epoch ms)."""

    message: SetTimer
    when: When
    start: int


class Patch(NamedTuple):
    """Changes a timer's action."""

    message: SetTimer


Command = Set | Patch | CancelTimer | CancelRelatedTimer


class Rules(NamedTuple):
    """What timers may do: the topics that they publish to, and private networks that they may call."""

    topics: frozenset[str]
    networks: tuple[Network, ...]


class Read(NamedTuple):
    """What a delivery asks for."""

    commands: list[Command]
    refused: list[outbox.Refused]


_Message = SetTimer | CancelTimer | CancelRelatedTimer
_decode = msgspec.json.Decoder(_Message).decode


def read(delivery: Delivery, rules: Rules, now: int) -> Read:
    """The commands of a delivery. Delays count from when it was published, at the latest from ``now``."""
    start = min(_published(delivery) or now, now)
    return Read(*outbox.read(delivery, lambda _, __, data: [_command(delivery, data, rules, start)]))


def _command(delivery: Delivery, data: bytes, rules: Rules, start: int) -> Command:
    if len(data) > MAX_BYTES:
        raise Rejected("timer.tooLarge", f"the message has {len(data)} bytes; at most {MAX_BYTES}")
    try:
        message: _Message = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected("message.undecodable", f"not a message for timers: {error}") from None
    if outbox.project_of(delivery, message.project_id, "timer") == names.NO_PROJECT:
        raise Rejected("timer.project", "a timer belongs to a project")
    time, by = message.stamp
    if not -MAX_STAMP <= time <= MAX_STAMP or len(by) > MAX_ID:
        raise Rejected("timer.stamp", "the stamp is no (epoch ms, id)")
    if isinstance(message, CancelRelatedTimer):
        return message
    if not message.id or len(message.id) > MAX_ID:
        raise Rejected("timer.id", f"a timer's id has 1 to {MAX_ID} characters")
    if isinstance(message, CancelTimer):
        return message
    actions.parse(message.action, rules.topics, rules.networks)
    if message.patch_action:
        return Patch(message)
    return Set(message, timer_times.parse(message.timer), start)


def _published(delivery: Delivery) -> int | None:
    try:
        return to_ms(datetime.fromisoformat(delivery.publish_time))
    except ValueError:
        return None
