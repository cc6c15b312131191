"""What makes an event the same event: its id, and a digest of its content as it was sent."""

from __future__ import annotations

from typing import Any

import msgspec

from fulcrum.core import ids
from shared.messages import Write

_encode = msgspec.json.Encoder().encode


def content_hash(
    time: Any, alias_key: str, device_id: str, historical: bool, data: list[Write], event: Any
) -> str:
    """A digest of the content as sent: the same however the event was batched or spaced.

    ``time`` is the time as sent (None if there was none), ``data`` in the order sent.
    """
    return ids.digest(_encode((time, alias_key, device_id, historical, data, event)))


def event_id(sent: str | None, idempotency_key: str, index: int) -> str:
    """The sender's id; else one that a repeated request derives again; else a new one."""
    if sent is not None:
        return sent
    if idempotency_key:
        return ids.digest("idempotency", idempotency_key, str(index))
    return ids.new_id()


def record_id(event_identity: str, hash_: str, index: int) -> str:
    """The id of an event record that was sent without one: the same at every delivery."""
    return ids.digest("record", event_identity, hash_, str(index))
