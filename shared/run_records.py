"""Records of runs, ``projects/{p}/runs/{run key}``: what a script decided of an event, kept first.

Whoever meets the event again finds the record and does what it says, whatever the script would say by then.
``scriptId``, ``version``, ``deviceId``, ``eventId``; ``outcome``: JSON text of a
:class:`fulcrum.script.wire.Outcome`; ``devices``: JSON text ``{device id: [system, blueprint, network]}`` of
the devices that its effects concern beside the event's own; ``received`` and ``created`` in epoch ms;
``expireAt``, longer away than Pub/Sub keeps a message. What a device sends once more is received later, and
is the same event: its effects stay those of the first time, stamps of timers included.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec

from fulcrum.script import wire
from shared import clock, script_documents, values
from shared.clients.firestore_pb import messages

KEPT = timedelta(days=10)
MASK = ("version", "outcome", "devices", "received", "created")

_encode = msgspec.json.Encoder().encode


class Ids(msgspec.Struct, frozen=True, array_like=True):
    """What the platform knows a device by, beside its own id."""

    system: str | None = None
    blueprint: str | None = None
    network: str | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One record. Epoch ms: ``received``, what time it was for the script; ``created``, when it ran."""

    script_id: str
    version: int
    device_id: str | None
    event_id: str
    outcome: wire.Outcome
    devices: Mapping[str, Ids] = {}
    received: int
    created: int


class Recorded(NamedTuple):
    """What a record says to whoever meets its event again."""

    outcome: wire.Outcome
    version: int
    received: int
    created: int
    devices: Mapping[str, Ids]


_outcome = msgspec.json.Decoder(wire.Outcome)
_devices = msgspec.json.Decoder(dict[str, Ids])


def is_needed(outcome: wire.Outcome, counts: bool) -> bool:
    """Whether anything of an outcome would have to be the same again.

    ``counts``: whether its result does, which it does where a route goes on.
    """
    if outcome.status != "done":
        return False
    kept = outcome.effects or outcome.cache is not None or outcome.script_cache is not None
    return bool(kept) or (counts and outcome.result is not None)


def creation(project_id: str, key: str, record: Record) -> Any:
    """The write that creates a record, and holds only if there is none yet."""
    pb = messages()
    write = pb.Write(update=pb.Document(name=script_documents.run(project_id, key)))
    fields: dict[str, Any] = {
        "scriptId": record.script_id,
        "version": record.version,
        "deviceId": record.device_id,
        "eventId": record.event_id,
        "outcome": _encode(record.outcome).decode(),
        "received": record.received,
        "created": record.created,
        "expireAt": clock.from_ms(record.created) + KEPT,
    }
    if record.devices:
        fields["devices"] = _encode(record.devices).decode()
    values.to_fields(write.update.fields, fields)
    write.current_document.exists = False
    return write


def read(fields: Mapping[str, Any]) -> Recorded:
    """A record from the protobuf fields of its document."""
    devices = fields["devices"].string_value if "devices" in fields else ""
    return Recorded(
        _outcome.decode(fields["outcome"].string_value),
        fields["version"].integer_value,
        fields["received"].integer_value,
        fields["created"].integer_value,
        _devices.decode(devices) if devices else {},
    )
