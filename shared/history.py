"""The history: one table, ``device_events``, how an event becomes rows, and how rows are read as events.

``history_schema.json`` beside this file is the table's one definition: the protobuf descriptor of a row is
made from it, the local stack creates the table with it, and so does Terraform.

An event gives one ``data`` row if it has data and one ``event`` row for each of its event records; an event
of kind ``input`` gives ``input`` rows instead. An acknowledgement gives one ``ack`` row. Rows are appended at
least once: one event's rows may repeat with another ``stored_time``, and what people read drops the repeats
(:mod:`shared.history_sql`). A fold may take them all: it is idempotent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from fulcrum.core import fold, ids
from shared import clock, history_writes
from shared.errors import Rejected
from shared.messages import DeviceDataEvent, DeviceEventAck, EventRecord, Write

TABLE = "device_events"
PARTITIONING = {"type": "DAY", "field": "time", "require_partition_filter": True}
CLUSTERING = ("project_id", "blueprint_id", "device_id")

# A row before it is encoded: column → value; times in epoch microseconds, ``data`` as JSON text, and what is
# absent is NULL.
Row = dict[str, Any]

# The years that a TIMESTAMP has, in epoch milliseconds; before 2000 no clock of a device is right.
EARLIEST_MS = 946_684_800_000
_LATEST_MS = 253_402_300_799_999
_AHEAD_MS = 300_000

_json = msgspec.json.Encoder(order="deterministic").encode


@cache
def schema() -> list[dict[str, str]]:
    """The columns of the table, as BigQuery's JSON schema."""
    text = Path(__file__).with_name("history_schema.json").read_bytes()
    return msgspec.json.decode(text, type=list[dict[str, str]])


def time_us(ms: int) -> int:
    """Epoch milliseconds to the microseconds of a TIMESTAMP; Rejected for a time that no calendar has."""
    if 0 <= ms <= _LATEST_MS:
        return ms * 1000
    raise Rejected("event.time", f"time {ms} is not in epoch milliseconds between 1970 and 9999")


def data_rows(event: DeviceDataEvent, settled: fold.Settled, stored_ms: int, message_id: str) -> list[Row]:
    """The rows of an event: one for its data if it has any, one for each event record."""
    rows = []
    if settled.leaves or settled.cleared:
        row = _row(event, event.time, stored_ms, message_id)
        row["kind"] = event.kind
        nested = fold.nest(settled.leaves)
        if nested:
            row["data"] = _json(nested).decode()
        if settled.cleared:
            row["cleared"] = settled.cleared
        if paths := history_writes.written(event.data, nested, settled.cleared):
            row["written"] = paths
        rows.append(row)
    if event.event:
        rows += _record_rows(event, stored_ms, message_id)
    return rows


def _record_rows(event: DeviceDataEvent, stored_ms: int, message_id: str) -> Iterator[Row]:
    seen: set[str] = set()
    for index, record in enumerate(event.event):
        record_id = record.id or ids.digest(event.device_id, event.id, event.hash, str(index))
        if record_id in seen:
            raise Rejected("event.repeatedId", f"two event records of one event have the id {record_id!r}")
        seen.add(record_id)
        row = _row(event, _record_time(event, record), stored_ms, message_id)
        row["kind"] = "input" if event.kind == "input" else "event"
        row["record_id"] = record_id
        row["event_type"] = record.type
        if record.data is not None:
            row["data"] = _json(fold.normal(record.data)).decode()
        yield row


def _record_time(event: DeviceDataEvent, record: EventRecord) -> int:
    """A record's own time by the rule that holds for events: what cannot be right is the event's time."""
    time = record.time
    if time is None or time > event.received_time + _AHEAD_MS:
        return event.time
    return time if time >= EARLIEST_MS else event.time


def _row(event: DeviceDataEvent, time: int, stored_ms: int, message_id: str) -> Row:
    row: Row = {
        "project_id": event.project_id,
        "device_id": event.device_id,
        "time": time_us(time),
        "received_time": time_us(event.received_time),
        "stored_time": stored_ms * 1000,
        "event_id": event.id,
        "content_hash": event.hash,
        "historical": event.historical,
        "message_id": message_id,
    }
    if event.system_id is not None:
        row["system_id"] = event.system_id
    if event.blueprint_id is not None:
        row["blueprint_id"] = event.blueprint_id
    if event.network_id is not None:
        row["network_id"] = event.network_id
    if event.original_time is not None:
        row["original_time"] = _json(event.original_time).decode()
    if event.user_id is not None:
        row["user_id"] = event.user_id
    if event.source is not None:
        row["source"] = event.source
    if event.script_id is not None:
        row["script_id"] = event.script_id
    return row


def ack_row(ack: DeviceEventAck, stored_ms: int, message_id: str) -> Row:
    """The row of an acknowledgement; ``record_id`` names the event record that was acknowledged."""
    row: Row = {
        "project_id": ack.project_id,
        "device_id": ack.device_id,
        "time": time_us(ack.time),
        "received_time": time_us(ack.received_time),
        "stored_time": stored_ms * 1000,
        "event_id": ack.id,
        "content_hash": ids.digest(_json(ack)),
        "kind": "ack",
        "record_id": ack.id,
        "event_type": ack.event_type,
        "historical": False,
        "message_id": message_id,
    }
    if ack.data is not None:
        row["data"] = _json(fold.normal(ack.data)).decode()
    for column in ("system_id", "blueprint_id", "user_id", "source"):
        if (value := getattr(ack, column)) is not None:
            row[column] = value
    return row


@cache
def _row_class() -> Any:
    from shared import history_wire

    return history_wire.row_class(schema())


def encode(row: Row) -> bytes:
    """A row as the Storage Write API takes it: a protobuf message with the table's columns."""
    return bytes(_row_class()(**row).SerializeToString())


def encode_all(rows: Sequence[Row]) -> list[bytes]:
    """Many rows; see :func:`encode`."""
    message = _row_class()
    return [message(**row).SerializeToString() for row in rows]


def writer_schema() -> bytes:
    """The serialized ``ProtoSchema`` that describes the rows of :func:`encode`."""
    from shared import history_wire

    return history_wire.writer_schema(schema())


def folded(row: Mapping[str, Any]) -> tuple[fold.Stamp, fold.Settled] | None:
    """What a row that was read back gives to the fold of its device; None if it is no part of the state.

    ``time`` is a datetime or epoch microseconds, ``data`` JSON text or the value itself.
    """
    kind = row["kind"]
    if kind not in ("data", "baseline") or row["historical"]:
        return None
    if kind == "baseline":
        # It stands in a partition that retention keeps; the write that it stands for is older.
        time = int(row["original_time"])
    elif isinstance(row["time"], datetime):
        time = clock.to_ms(row["time"])
    else:
        time = row["time"] // 1000
    data = row.get("data")
    if isinstance(data, str | bytes):
        data = msgspec.json.decode(data)
    writes = [Write(path, op="delete") for path in row.get("cleared") or ()]
    writes += [Write(path, value) for path, value in (data or {}).items()]
    return (time, row["event_id"]), fold.settle(writes)
