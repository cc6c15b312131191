"""Device documents as protobufs: what is read of them and what is written. No I/O."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import Any

from fulcrum.core import fold
from functions.transponder.state import Advance, State
from shared.clients.firestore import Document
from shared.clients.firestore_pb import messages
from shared.values import fill

_SIMPLE = r"[A-Za-z_][A-Za-z_0-9]*\Z"


def read(document: Document) -> State:
    """The state that a document holds; Rejected if its registers are none of ours."""
    fields = document.fields
    data = fields["registers"].bytes_value if "registers" in fields else b""
    # Refused here rather than remembered.
    fold.decode(data)
    forward_to: tuple[str, ...] = ()
    if "forwardTo" in fields:
        forward_to = tuple(value.string_value for value in fields["forwardTo"].array_value.values)
    return State(
        name=document.name,
        update_time=nanoseconds(document.update_time),
        registers=data,
        first_seen=_integer(fields, "firstSeen"),
        last_seen=_integer(fields, "lastSeen"),
        last_event_time=_integer(fields, "lastEventTime"),
        forward_to=forward_to,
        system_id=_text(fields, "systemId"),
        blueprint_id=_text(fields, "blueprintId"),
        network_id=_text(fields, "networkId"),
        messages_wait=_integer(fields, "messagesWait"),
    )


def nanoseconds(update_time: Any) -> int:
    """A protobuf ``Timestamp`` as epoch nanoseconds."""
    seconds: int = update_time.seconds
    nanos: int = update_time.nanos
    return seconds * 1_000_000_000 + nanos


def _integer(fields: Any, name: str) -> int | None:
    if name not in fields or fields[name].WhichOneof("value_type") != "integer_value":
        return None
    value: int = fields[name].integer_value
    return value


def _text(fields: Any, name: str) -> str | None:
    value: str = fields[name].string_value if name in fields else ""
    # Many devices share each of these ids: one text serves them all.
    return sys.intern(value) if value else None


@lru_cache(maxsize=4096)
def _field_path(key: str) -> str:
    """The path of a top-level key of the data, as a mask names it."""
    return f"data.{key}" if re.match(_SIMPLE, key) else f"data.`{key}`"


def write(before: State, made: Advance) -> Any:
    """The write that brings a document from ``before`` to what was made of it; None if nothing changed.

    It names every field that it touches, so that what others keep in the document stays, and it holds only
    if nobody wrote the document since ``before``.
    """
    after = made.state
    pb = messages()
    write = pb.Write()
    fields = write.update.fields
    mask: list[str] = []
    if made.roots:
        mask += map(_field_path, made.roots)
        mask.append("registers")
        fields["registers"].bytes_value = after.registers
        if made.data:
            data = fields["data"].map_value.fields
            for key, value in made.data.items():
                fill(data[key], value, 2)
    for name, old, new in (
        ("firstSeen", before.first_seen, after.first_seen),
        ("lastSeen", before.last_seen, after.last_seen),
        ("lastEventTime", before.last_event_time, after.last_event_time),
    ):
        if new != old and new is not None:
            fields[name].integer_value = new
            mask.append(name)
    if not mask:
        return None
    write.update.name = before.name
    write.update_mask.field_paths.extend(mask)
    stamp = write.current_document.update_time
    stamp.seconds, stamp.nanos = divmod(before.update_time, 1_000_000_000)
    return write
