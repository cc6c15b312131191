"""What of a row of the history goes and what stays, and the baseline rows that keep the state. Pure.

A baseline row keeps what a write left at some paths: ``time`` is the instant from which on history is kept of
them, ``original_time`` and ``event_id`` the write's own stamp, so that the fold of what is left is the state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from fulcrum.core import fold, ids
from fulcrum.core.fold import Settled
from shared import device_rows
from shared.history import Row, time_us
from shared.retention.rules import Scope

_json = msgspec.json.Encoder(order="deterministic").encode


def parts(scope: Scope, at: int, settled: Settled) -> tuple[Settled, Settled]:
    """What goes and what stays of a row of the instant ``at`` (epoch ms), by the rules of its paths."""
    goes = {path for path in (*settled.leaves, *settled.cleared) if scope.of(path).cutoff > at}
    return (
        Settled(
            {path: value for path, value in settled.leaves.items() if path in goes},
            tuple(path for path in settled.cleared if path in goes),
        ),
        Settled(
            {path: value for path, value in settled.leaves.items() if path not in goes},
            tuple(path for path in settled.cleared if path not in goes),
        ),
    )


def shortened(row: Row, stays: Settled, written: Sequence[str], now_us: int) -> Row:
    """A row with what stays of it; it takes the place of the one that is deleted.

    ``written``: the row's own. It is stored anew: BigQuery has it in its write buffer for a while.
    """
    made = {key: value for key, value in row.items() if key not in ("data", "cleared", "written")}
    made["stored_time"] = now_us
    if stays.leaves:
        made["data"] = _json(fold.nest(stays.leaves)).decode()
    if stays.cleared:
        made["cleared"] = list(stays.cleared)
    left = {*stays.leaves, *stays.cleared}
    if kept := [path for path in written if any(one == path or one.startswith(f"{path}/") for one in left)]:
        made["written"] = kept
    return made


def baseline_rows(
    project_id: str,
    device_id: str,
    columns: Mapping[str, str],
    registers: fold.Registers,
    scope: Scope,
    earliest: int,
    now_us: int,
    *,
    ended: int | None = None,
) -> Iterator[Row]:
    """The rows that keep registers; ``columns``: the system and blueprint of the rows that they came from.

    ``earliest``: BigQuery takes no rows that are older (epoch ms). ``ended``: when the device was deleted;
    after that there is no state to be kept.
    """
    groups: dict[tuple[int, int, str], tuple[dict[str, Any], list[str]]] = {}
    for path, ((time, event_id), value) in registers.items():
        since = max(scope.of(path).cutoff, earliest)
        if ended is not None and ended < since:
            continue
        leaves, cleared = groups.setdefault((since, time, event_id), ({}, []))
        if value is fold.CLEARED:
            cleared.append(path)
        else:
            leaves[path] = value
    for (since, time, event_id), (leaves, cleared) in sorted(groups.items()):
        for part, gone in _rows(leaves, sorted(cleared)):
            row: Row = {
                "project_id": project_id,
                "device_id": device_id,
                **{key: value for key, value in columns.items() if value},
                "time": time_us(since),
                # Whoever asks what was known when takes it for known from then on.
                "received_time": time_us(min(time, since)),
                "stored_time": now_us,
                "original_time": str(time),
                "event_id": event_id,
                "kind": "baseline",
                "historical": False,
            }
            if part:
                row["data"] = _json(fold.nest(part)).decode()
            if gone:
                row["cleared"] = gone
            row["content_hash"] = ids.digest("baseline", row.get("data", ""), *gone)
            yield row


def _rows(leaves: dict[str, Any], cleared: list[str]) -> Iterator[tuple[dict[str, Any], list[str]]]:
    for part in device_rows.distinct_leaves(leaves):
        yield part, []
    if cleared:
        yield {}, cleared
