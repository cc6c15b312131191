"""From a tracker's report to the platform's messages. Pure.

One ``inboundDataEventMsg`` a record; its form stands in the repository's ``shared/messages.py``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from examples.tracker_server.protocol import Frame, Record, packed, records

# A clock that is further ahead is wrong; one that shows a time before 2000 was never set.
_AHEAD_MS = 300_000
_UNSET_MS = 946_684_800_000


@dataclass(frozen=True)
class Network:
    """Whose the trackers are, as the platform calls it."""

    network: str
    alias_key: str
    project: str


def message(frame: Frame, network: Network, received_ms: int) -> tuple[bytes, dict[str, str]]:
    """Data and attributes of the Pub/Sub message that a report becomes; Malformed where it is none."""
    events = list(_events(frame.tracker, records(frame), network, received_ms))
    # The version of the format, and how many services have handled it.
    attributes = {"v": "1", "hops": "1", "projectId": network.project}
    return json.dumps(events, separators=(",", ":")).encode(), attributes


def _events(
    tracker: int, found: Iterable[Record], network: Network, received_ms: int
) -> Iterable[dict[str, Any]]:
    for record in found:
        # A record has one id, in whatever frame it comes, and however often: it takes effect once.
        content = tracker.to_bytes(8, "big") + packed(record)
        event_id = hashlib.blake2b(content, digest_size=16).hexdigest()
        sent = record.time * 1000
        known = _UNSET_MS <= sent <= received_ms + _AHEAD_MS
        event: dict[str, Any] = {
            "type": "inboundDataEventMsg",
            "id": event_id,
            "hash": event_id,
            "time": sent if known else received_ms,
            "receivedTime": received_ms,
            "projectId": network.project,
            "networkId": network.network,
            "aliasKey": network.alias_key,
            "deviceId": str(tracker),
            "data": _data(record),
        }
        if not known:
            event["originalTime"] = sent
        if record.pressed:
            event["event"] = [
                {"type": "button", "id": f"{event_id}-button", "time": event["time"], "data": {}}
            ]
        yield event


def _data(record: Record) -> list[dict[str, Any]]:
    values: dict[str, Any] = {
        "speed": record.speed_kmh,
        "course": record.course,
        "battery/voltage": record.battery_v,
    }
    if record.position is not None:
        values["position"] = {"lat": record.position[0], "lon": record.position[1]}
    return [{"path": path, "value": value} for path, value in values.items()]
