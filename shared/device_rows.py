"""Rows that let a search know the fleet: definitions in the history, and the daily snapshot of everything.

A change of a device's definition gives one row of kind ``device`` in ``device_events``; of those of a device
the greatest (version, time) counts. A snapshot, in ``device_snapshots``, holds each device's definition and
its registers as rows that fold like history's own (one row a stamp), and last a row ``complete``: a snapshot
without it is not used, and one written twice says the same. So the fleet at an instant is the newest snapshot
before it and the rows since.

``snapshots_schema.json`` beside this file is the snapshot table's one definition, as ``history_schema.json``
is of the history.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from fulcrum.core import fold, ids
from shared.errors import Rejected
from shared.history import Row, time_us

SNAPSHOTS = "device_snapshots"
PARTITIONING = {"type": "DAY", "field": "snapshot_time", "require_partition_filter": True}
CLUSTERING = ("project_id", "kind", "device_id")

# Clocks of devices may run ahead by five minutes (shared.history); the rest is room.
AHEAD_MS = 3_600_000
# Snapshots are daily. Further back none is looked for: every day of them is bytes to be read and paid.
LOOK_BACK_MS = 8 * 86_400_000

# What of a device's document is its definition: what a search and the fleet at an instant know of it.
DEFINITION = (
    *("name", "blueprintId", "systemId", "networkId", "networkAliases", "simNetworkId", "parentDeviceId"),
    *("links", "tags", "metadata", "purpose", "simulated", "messageRouteId", "created", "version"),
)
_json = msgspec.json.Encoder(order="deterministic").encode


@cache
def snapshots_schema() -> list[dict[str, str]]:
    """The columns of the snapshot table, as BigQuery's JSON schema."""
    text = Path(__file__).with_name("snapshots_schema.json").read_bytes()
    return msgspec.json.decode(text, type=list[dict[str, str]])


def definition(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The definition in a device's document (its fields as JSON values)."""
    return {key: fields[key] for key in DEFINITION if fields.get(key) is not None}


def device_row(
    project_id: str, device_id: str, fields: Mapping[str, Any], now_ms: int, deleted: bool = False
) -> Row:
    """The row of kind ``device`` for a device's document as a change leaves it; ``shared.history.encode`` it.

    ``fields`` must hold the new ``version``. It is appended before the change is committed. Of a deleted
    device give the last fields, with ``version`` increased.
    """
    content = definition(fields)
    if not isinstance(content.get("version"), int):
        raise Rejected("device.version", f"device {device_id} has no version")
    if deleted:
        content["deleted"] = True
    text = _json(fold.normal(content))
    row: Row = {
        "project_id": project_id,
        "device_id": device_id,
        "time": time_us(now_ms),
        "received_time": time_us(now_ms),
        "stored_time": time_us(now_ms),
        "event_id": ids.digest("device", device_id, str(content["version"])),
        "content_hash": ids.digest(text),
        "kind": "device",
        "historical": False,
        "data": text.decode(),
    }
    for column, key in (
        ("system_id", "systemId"),
        ("blueprint_id", "blueprintId"),
        ("network_id", "networkId"),
    ):
        if content.get(key) is not None:
            row[column] = content[key]
    return row


def snapshot_rows(
    project_id: str,
    snapshot_ms: int,
    device_id: str,
    fields: Mapping[str, Any],
    registers: fold.Registers,
) -> Iterator[Row]:
    """The rows of one device in a snapshot; see :func:`encode`.

    Rejected (``snapshot.time``) where the device holds a write later than ``snapshot_ms``: what was there
    before that write is lost, so that the snapshot would lie about its instant. Devices' clocks may run
    ahead by five minutes (``shared.history``): choose an instant that far after the last read.
    """
    groups: dict[fold.Stamp, tuple[dict[str, Any], list[str]]] = {}
    for path, (stamp, value) in registers.items():
        leaves, cleared = groups.setdefault(stamp, ({}, []))
        if value is fold.CLEARED:
            cleared.append(path)
        else:
            leaves[path] = value
    for (time, event_id), (leaves, cleared) in sorted(groups.items()):
        if time > snapshot_ms:
            raise Rejected(
                "snapshot.time", f"device {device_id} holds a write of {time}, after {snapshot_ms}"
            )
        for part in distinct_leaves(leaves):
            row = _row(project_id, snapshot_ms, "state", device_id, time, event_id)
            row["data"] = _json(fold.nest(part)).decode()
            yield row
        if cleared:
            yield _row(project_id, snapshot_ms, "state", device_id, time, event_id) | {
                "cleared": sorted(cleared)
            }
    changed = fields.get("lastModified") or fields.get("created") or 0
    row = _row(project_id, snapshot_ms, "device", device_id, changed, "")
    row["data"] = _json(fold.normal(definition(fields))).decode()
    yield row


def distinct_leaves(leaves: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Leaves in groups of which none lies below another one: one JSON object cannot hold both.

    Two events with the same time and id may have written ``a`` and ``a/b``.
    """
    while leaves:
        group = {
            path: value
            for path, value in leaves.items()
            if not any(upper in leaves for upper in fold.ancestors(path))
        }
        yield group
        leaves = {path: value for path, value in leaves.items() if path not in group}


def newest_snapshot(
    dataset: str, project_id: str, at: int | None, now: int
) -> tuple[str, list[tuple[str, str, Any]]]:
    """SQL and parameters of the newest complete snapshot of a project, not later than an instant (None: now).

    Its one column is the snapshot's instant in epoch ms, NULL where the days before have none.
    """
    latest = now + AHEAD_MS if at is None else min(at, now + AHEAD_MS)
    sql = (
        f"SELECT UNIX_MILLIS(MAX(snapshot_time)) AS newest FROM `{dataset}.{SNAPSHOTS}` "  # noqa: S608 our own
        "WHERE project_id = @project AND kind = 'complete' "
        "AND snapshot_time <= @latest AND snapshot_time >= @since"
    )
    return sql, [
        ("project", "STRING", project_id),
        ("latest", "TIMESTAMP", latest),
        ("since", "TIMESTAMP", max(0, latest - LOOK_BACK_MS)),
    ]


def complete_row(project_id: str, snapshot_ms: int) -> Row:
    """The last row of a snapshot, to be written when all others are stored."""
    row: Row = {"project_id": project_id, "snapshot_time": time_us(snapshot_ms), "kind": "complete"}
    return row


def _row(project_id: str, snapshot_ms: int, kind: str, device_id: str, time: int, event_id: str) -> Row:
    return {
        "project_id": project_id,
        "snapshot_time": time_us(snapshot_ms),
        "kind": kind,
        "device_id": device_id,
        "time": time_us(time),
        "event_id": event_id,
    }


@cache
def _snapshot_class() -> Any:
    from shared import history_wire

    return history_wire.row_class(snapshots_schema())


def encode(rows: Sequence[Row]) -> list[bytes]:
    """Snapshot rows as the Storage Write API takes them."""
    message = _snapshot_class()
    return [message(**row).SerializeToString() for row in rows]


def writer_schema() -> bytes:
    """The serialized ``ProtoSchema`` that describes the rows of :func:`encode`."""
    from shared import history_wire

    return history_wire.writer_schema(snapshots_schema())
