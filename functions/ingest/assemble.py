"""Checked events to the messages that go out: time, identity, encoding."""

from __future__ import annotations

from typing import Any

import msgspec

from functions.ingest import content, identity, times
from functions.ingest.auth import Network
from functions.ingest.content import Content, Refused
from functions.ingest.split import Fault
from shared.messages import EventRecord, InboundDataEvent

MAX_EVENT_BYTES = 256 * 1024

_encode = msgspec.json.Encoder().encode


class Batch(msgspec.Struct, frozen=True):
    """A request's events: those taken (encoded, with their ids and senders) and those refused."""

    events: list[bytes]
    ids: list[str]
    devices: list[tuple[str, str]]
    refused: list[tuple[int, Fault]]


def batch(events: list[Any], network: Network, received_ms: int, idempotency_key: str) -> Batch:
    """Check and encode decoded events; a Fault in place of one stays a refusal."""
    taken = Batch([], [], [], [])
    for index, raw in enumerate(events):
        if type(raw) is Fault:
            taken.refused.append((index, raw))
            continue
        try:
            checked = content.check(raw, network.alias_keys)
            event = _event(checked, network, received_ms, idempotency_key, index)
            encoded = _encode(event)
            if len(encoded) > MAX_EVENT_BYTES:
                raise Refused(
                    "event.tooLarge",
                    f"the event takes {len(encoded)} bytes",
                    f"send at most {MAX_EVENT_BYTES} bytes an event",
                )
        except Refused as refused:
            taken.refused.append((index, refused.fault))
            continue
        taken.events.append(encoded)
        taken.ids.append(event.id)
        taken.devices.append((checked.alias_key, checked.device_id))
    return taken


def _event(
    sent: Content, network: Network, received_ms: int, idempotency_key: str, index: int
) -> InboundDataEvent:
    time, original = received_ms, None
    if sent.time is not None:
        time = times.settle(sent.time, received_ms)
        original = sent.time if time != times.to_ms(sent.time) else None
    _not_too_old(time, received_ms)
    hash_ = identity.content_hash(
        sent.time, sent.alias_key, sent.device_id, sent.historical, sent.writes, sent.event
    )
    id_ = identity.event_id(sent.id, idempotency_key, index)
    return InboundDataEvent(
        id=id_,
        hash=hash_,
        time=time,
        received_time=received_ms,
        project_id=network.project_id,
        network_id=network.id,
        alias_key=sent.alias_key,
        device_id=sent.device_id,
        original_time=original,
        historical=sent.historical,
        data=sent.writes,
        event=_records(sent, id_, hash_, time, received_ms) if sent.records else [],
    )


def _records(sent: Content, id_: str, hash_: str, time: int, received_ms: int) -> list[EventRecord]:
    records: list[EventRecord] = []
    for index, raw in enumerate(sent.records):
        raw_time = raw.get("time")
        settled = time if raw_time is None else times.settle(raw_time, received_ms, time)
        _not_too_old(settled, received_ms)
        records.append(
            EventRecord(
                type=raw.get("type") or "default",
                time=settled,
                id=raw.get("id") or identity.record_id(id_, hash_, index),
                data=raw.get("data"),
                original_time=raw_time if raw_time is not None and settled != times.to_ms(raw_time) else None,
            )
        )
    return records


def _not_too_old(time: int, received_ms: int) -> None:
    if times.is_too_old(time, received_ms):
        raise Refused(
            "event.tooOld",
            f"time {time} is older than history takes",
            f"send events of the last {times.MAX_AGE_MS // 86_400_000} days",
        )
