"""Writing a snapshot of a project's devices: their rows, and last the row that makes it count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fulcrum.core import fold
from shared import device_rows
from shared.clients import history
from shared.errors import Transient

_CHUNK = 1_000


Devices = Iterable[tuple[str, Mapping[str, Any], fold.Registers]]


async def write(project_id: str, snapshot_ms: int, devices: Devices) -> int:
    """Write a snapshot of (device id, fields of its document, registers); returns how many rows it has.

    ``snapshot_ms``: the instant that it is of; nothing in it may be later, so choose one that lies as far
    after the reading as clocks of devices may run ahead, and not more than a day after it. Where anything is
    refused (Transient, or Rejected by :func:`shared.device_rows.snapshot_rows`) the snapshot is not complete
    and is not used; to write it again with the same instant is safe.
    """
    return await write_some(project_id, snapshot_ms, devices) + await complete(project_id, snapshot_ms)


async def write_some(project_id: str, snapshot_ms: int, devices: Devices) -> int:
    """:func:`write` of some of the devices: it counts once all are written, and then :func:`complete`."""
    waiting: list[bytes] = []
    count = 0
    for device_id, fields, registers in devices:
        waiting += device_rows.encode(
            list(device_rows.snapshot_rows(project_id, snapshot_ms, device_id, fields, registers))
        )
        if len(waiting) >= _CHUNK:
            count += await _append(waiting)
            waiting = []
    return count + await _append(waiting)


async def complete(project_id: str, snapshot_ms: int) -> int:
    """Write the row that makes a snapshot count."""
    return await _append(device_rows.encode([device_rows.complete_row(project_id, snapshot_ms)]))


async def _append(rows: list[bytes]) -> int:
    refused = await history.append_snapshots(rows) if rows else {}
    if refused:
        raise Transient(f"a snapshot's row was refused: {next(iter(refused.values()))}")
    return len(rows)
