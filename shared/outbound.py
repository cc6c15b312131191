"""Messages to devices: what is kept of each, and what may become of it. Pure.

    queued ──> sent ──> acked | failed
       │          └───> expired (where the network says that its devices acknowledge)
       ├──> acked | failed (whoever hands it over, or the device itself, is faster than the report of it)
       └──> expired | replaced | cancelled

There is no way back, and none out of an end: whatever comes late, twice or in another order changes nothing.
While somebody hands a message over he holds its lease: nobody else does, it does not expire, and it is not
called replaced or cancelled, which would say that the device does not get it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

import msgspec

from shared import clock
from shared.errors import Rejected
from shared.messages import VERSION, DeviceAck, OutboundInit, OutboundSent

State = Literal["queued", "sent", "acked", "failed", "expired", "replaced", "cancelled"]
Transport = Literal["rest", "poll", "custom"]

# An end comes at the last; nothing goes to a state of the same or a lower rank.
RANK: Mapping[State, int] = {
    "queued": 0,
    "sent": 1,
    "acked": 2,
    "failed": 2,
    "expired": 2,
    "replaced": 2,
    "cancelled": 2,
}
KEPT = timedelta(days=30)
DEFAULT_TTL_MS = 24 * 3_600_000
# Cloud Tasks takes nothing that is more than 30 days off.
MAX_TTL_MS = 28 * 24 * 3_600_000
# By how much whoever asks for a message may be ahead with his clock.
_AHEAD_MS = 3_600_000
MAX_MESSAGE_BYTES = 100_000
MAX_REPORT_BYTES = 16_000
MAX_KEY = 100
LEASE_MS = 60_000
# How long a device that was away is left alone, by how often it was tried.
WAITS_MS = (10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000)
# One that is heard of all the time and yet takes nothing is tried so often at most.
_MAX_PAUSE_MS = 60_000
_ID = re.compile(r"(?!__)[A-Za-z0-9_\-]{1,128}\Z")
_encode = msgspec.json.encode


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One message to a device. Times are epoch ms; ``message``, ``sent_info`` and ``response`` JSON texts.

    ``attempts``: how often somebody began to hand it over. ``lease``: until when he who does so now may
    take. ``next_try``: when the next one is. ``by``: the message that replaced it.
    """

    project_id: str
    msg_id: str
    device_id: str
    network_id: str
    transport: Transport
    message: str
    created: int
    expire_time: int
    system_id: str | None = None
    blueprint_id: str | None = None
    state: State = "queued"
    changed: int = 0
    attempts: int = 0
    lease: int | None = None
    next_try: int | None = None
    expects_ack: bool = False
    key: str | None = None
    sent_time: int | None = None
    sent_info: str | None = None
    response: str | None = None
    error: str | None = None
    by: str | None = None
    source: str | None = None
    user_id: str | None = None

    @property
    def order(self) -> tuple[int, str]:
        """Of messages with one key the greatest is the newest."""
        return self.created, self.msg_id


def is_id(text: str) -> bool:
    """Whether a message can be called so."""
    return _ID.match(text) is not None


def of(init: OutboundInit, network_id: str, transport: Transport, expects_ack: bool) -> Record:
    """The record that a message begins with."""
    return Record(
        project_id=init.project_id,
        msg_id=init.msg_id,
        device_id=init.device_id,
        system_id=init.system_id,
        blueprint_id=init.blueprint_id,
        network_id=network_id,
        transport=transport,
        message=_encode(init.message).decode(),
        created=init.time,
        changed=init.time,
        expire_time=init.expire_time,
        expects_ack=expects_ack,
        key=init.key,
        source=init.source,
        user_id=init.user_id,
    )


def for_server(
    init: OutboundInit, record: Record, aliases: Mapping[str, str], hops: int
) -> tuple[bytes, dict[str, str]]:
    """A message as whoever serves its network gets it: the data, and the attributes to choose it by."""
    whole = msgspec.structs.replace(
        init,
        network_id=record.network_id,
        system_id=record.system_id,
        blueprint_id=record.blueprint_id,
        aliases=dict(aliases),
    )
    attributes = {
        "v": VERSION,
        "hops": str(hops),
        "projectId": record.project_id,
        "networkId": record.network_id,
        "transport": record.transport,
    }
    return _encode(whole), attributes


def check(init: OutboundInit, now: int) -> None:
    """Rejected (``outbound.invalid``) for a message that cannot be sent, whatever its network."""
    problem = ""
    if not is_id(init.msg_id):
        problem = "msgId is not 1 to 128 letters, digits, '-' and '_'"
    elif not (is_id(init.project_id) and is_id(init.device_id)):
        problem = "projectId or deviceId is no id"
    elif init.key is not None and not 0 < len(init.key) <= MAX_KEY:
        problem = f"key is not 1 to {MAX_KEY} characters"
    elif not 0 <= init.time < init.expire_time <= init.time + MAX_TTL_MS:
        problem = f"expireTime is not within {MAX_TTL_MS // 86_400_000} days after time"
    elif init.time > now + _AHEAD_MS:
        problem = "time lies ahead by more than an hour"
    elif len(_encode(init.message)) > MAX_MESSAGE_BYTES:
        problem = f"the message has more than {MAX_MESSAGE_BYTES} bytes of JSON"
    if problem:
        raise Rejected("outbound.invalid", problem)


def same(one: Record, other: Record) -> bool:
    """Whether two records under one id are the same message, sent twice."""
    return (one.device_id, one.message, one.key) == (other.device_id, other.message, other.key)


def is_leased(record: Record, now: int) -> bool:
    """Whether somebody hands it over right now."""
    return record.state == "queued" and record.lease is not None and now < record.lease


def expired(record: Record, now: int) -> Record | None:
    """The record once its time is over; None while it is not, or where that does not matter any more."""
    waits = record.state == "queued" and not is_leased(record, now)
    if now < record.expire_time or not (waits or (record.state == "sent" and record.expects_ack)):
        return None
    return _ended(record, "expired", now)


def claim(record: Record, attempt: int, now: int) -> Record | Literal["stale", "busy"]:
    """The record of who hands it over for the ``attempt``-th time (from 0), once, or again after a crash.

    ``busy``: somebody is at it. ``stale``: that attempt has been made.
    """
    again = record.attempts == attempt + 1 and record.lease is not None
    if record.state != "queued" or not (record.attempts == attempt or again):
        return "stale"
    if is_leased(record, now):
        return "busy"
    return msgspec.structs.replace(record, attempts=attempt + 1, lease=now + LEASE_MS, next_try=None)


def sent(record: Record, now: int, info: Any, *, held: bool = False) -> Record | None:
    """The record once it is handed over. ``held``: by who holds the lease, so that it was in time."""
    if record.state != "queued":
        return None
    if not held and (late := expired(record, now)) is not None:
        return late
    return msgspec.structs.replace(
        record, state="sent", changed=now, sent_time=now, sent_info=_text(info), lease=None, next_try=None
    )


def away(record: Record, now: int, error: str) -> Record | None:
    """The record once its device was not there: it waits, or its time is over meanwhile."""
    if record.state != "queued":
        return None
    free = msgspec.structs.replace(record, lease=None, error=error[:500])
    if (late := expired(free, now)) is not None:
        return late
    return msgspec.structs.replace(free, next_try=now + wait(record.attempts))


def failed(record: Record, now: int, error: str) -> Record | None:
    """The record once it is known that it can never be handed over."""
    if record.state != "queued":
        return None
    return msgspec.structs.replace(_ended(record, "failed", now), error=error[:500])


def reported(record: Record, report: DeviceAck | OutboundSent, now: int) -> Record | None:
    """The record after what its device, or who serves its network, says; None where that changes nothing.

    So does what is said of it by another device, or another network.
    """
    if report.device_id != record.device_id or report.network_id not in (None, record.network_id):
        return None
    if isinstance(report, OutboundSent):
        if report.status == "failed":
            return failed(record, now, f"reported: {_text(report.send_info) or 'failed'}")
        return sent(record, now, report.send_info)
    if report.status == "sent":
        return sent(record, now, report.response)
    if RANK[record.state] == 2:
        return None
    if (late := expired(record, now)) is not None:
        return late
    return msgspec.structs.replace(_ended(record, report.status, now), response=_text(report.response))


def replaced(record: Record, newest: Record, now: int) -> Record | None:
    """The record once a newer message has taken its place."""
    older = record.order < newest.order and record.key == newest.key and record.device_id == newest.device_id
    if not older or record.state != "queued" or is_leased(record, now):
        return None
    return msgspec.structs.replace(_ended(record, "replaced", now), by=newest.msg_id)


def cancelled(record: Record, now: int) -> Record | None:
    """The record once it is not to be sent any more."""
    if record.state != "queued" or is_leased(record, now):
        return None
    return _ended(record, "cancelled", now)


def wait(attempts: int) -> int:
    """How long (ms) after so many attempts the next one is."""
    return WAITS_MS[min(max(attempts, 1), len(WAITS_MS)) - 1]


def heard_from(record: Record) -> int:
    """From when on to hear of its device is a reason to try before ``next_try``; 0: it was not tried yet."""
    if record.next_try is None:
        return 0
    waiting = wait(record.attempts)
    return record.next_try - waiting + min(waiting // 2, _MAX_PAUSE_MS)


def _ended(record: Record, state: State, now: int) -> Record:
    error = record.error
    if record.lease is not None and state in ("expired", "replaced", "cancelled"):
        # Whoever made it has ended before he could say so.
        error = f"what became of attempt {record.attempts} is not known: its device may have the message"
    return msgspec.structs.replace(record, state=state, changed=now, lease=None, next_try=None, error=error)


def _text(value: Any) -> str | None:
    """JSON text of what somebody reports; of what is too long its beginning, in an object that says so."""
    if value is None:
        return None
    text = _encode(value)
    if len(text) > MAX_REPORT_BYTES:
        head = text[: MAX_REPORT_BYTES // 2].decode(errors="replace")
        text = _encode({"truncated": len(text), "head": head})
    return text.decode()


def to_fields(record: Record) -> dict[str, Any]:
    """The fields of its document."""
    stored = {camel: getattr(record, snake) for camel, snake in _SNAKE.items()}
    last = max(record.expire_time, record.changed)
    stored["expireAt"] = clock.from_ms(last) + KEPT
    return {key: value for key, value in stored.items() if value is not None}


def from_fields(fields: Mapping[str, Any]) -> Record:
    """A record from the fields of its document."""
    return msgspec.convert({_SNAKE[key]: fields[key] for key in _SNAKE if key in fields}, Record)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


_SNAKE = {_camel(name): name for name in Record.__struct_fields__}
