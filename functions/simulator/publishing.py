"""From what devices send to messages of ``default-processor``, in batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from fulcrum.simulation.playing import Event
from functions.simulator.casting import Player
from shared.clients import pubsub
from shared.messages import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, VERSION, InboundDataEvent, Write

TOPIC = "default-processor"
SOURCE = "simulator"
_encode = msgspec.json.Encoder().encode


class Sent(NamedTuple):
    """How many events were published, and the ids of their messages."""

    events: int
    messages: list[str]


def encoded(project_id: str, device_id: str, network_id: str | None, event: Event) -> bytes:
    """One event as it stands on the wire: the same bytes for the same event."""
    data = [Write(path, value) for path, value in event.writes]
    return _encode(
        InboundDataEvent(
            id=event.id,
            hash=blake2b(_encode(data), digest_size=11).hexdigest(),
            time=event.time,
            received_time=event.received,
            project_id=project_id,
            network_id=network_id,
            device_id=device_id,
            original_time=event.original,
            data=data,
            source=SOURCE,
        )
    )


def stream(project_id: str, players: Iterable[Player], start: int, end: int) -> Iterator[bytes]:
    """What players send from ``start`` on and before ``end`` (epoch ms), device by device."""
    for player in players:
        for event, network_id in player.events(start, end):
            yield encoded(project_id, player.device_id, network_id, event)


def batches(events: Iterable[bytes]) -> Iterator[Sequence[bytes]]:
    """Events as messages take them: so many, and so many bytes."""
    batch: list[bytes] = []
    size = 0
    for event in events:
        if batch and (len(batch) >= MAX_BATCH_EVENTS or size + len(event) > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += len(event) + 1
    if batch:
        yield batch


async def publish(project_id: str, players: Iterable[Player], start: int, end: int) -> Sent:
    """Publish what players send in a slice; returns when all of it is confirmed. Transient otherwise."""
    attributes = {"v": VERSION, "hops": "1", "projectId": project_id}
    waiting: list[tuple[bytes, dict[str, str]]] = []
    ids: list[str] = []
    events = size = 0
    for batch in batches(stream(project_id, players, start, end)):
        data = b"[" + b",".join(batch) + b"]"
        if waiting and size + len(data) > pubsub.MAX_BYTES:
            ids += await pubsub.publish(TOPIC, waiting)
            waiting, size = [], 0
        waiting.append((data, attributes))
        events += len(batch)
        size += len(data) + 200
    ids += await pubsub.publish(TOPIC, waiting)
    return Sent(events, ids)
