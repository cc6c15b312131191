"""What a device reported becomes a scenario: each path a track of steps, at the times at which it came."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fulcrum.core import paths
from fulcrum.core.errors import Rejected
from fulcrum.core.settle import settle
from fulcrum.core.writes import Write

MAX_TRACKS = 100
MAX_FRAMES = 10_000


def tracks(
    rows: Iterable[tuple[int, Mapping[str, Any]]], start: int, end: int, wanted: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """The tracks of rows (epoch ms, what was written: values by path or nested) from ``start`` to ``end``.

    ``wanted``: these paths and what lies below them alone; without any all of them. Rejected
    (``recording.empty``, ``recording.tooMany``, ``recording.tooLong``) for what makes no scenario.
    """
    chosen = tuple(wanted)
    found: dict[str, dict[int, Any]] = {}
    for time, data in rows:
        if not start <= time <= end:
            continue
        leaves = settle([Write(path, value) for path, value in data.items()]).leaves
        for path, value in leaves.items():
            if chosen and not any(path == one or paths.is_below(path, one) for one in chosen):
                continue
            if problem := paths.problem(path):
                raise Rejected("recording.path", problem)
            # Of two rows of one instant the one that was given last counts.
            found.setdefault(path, {})[time - start] = value
    if not found:
        raise Rejected("recording.empty", "nothing was reported in that time at these paths")
    if len(found) > MAX_TRACKS:
        raise Rejected("recording.tooMany", f"{len(found)} paths were reported: name at most {MAX_TRACKS}")
    longest = max(found, key=lambda path: len(found[path]))
    if len(found[longest]) > MAX_FRAMES:
        raise Rejected(
            "recording.tooLong", f"{longest} was reported {len(found[longest])} times: at most {MAX_FRAMES}"
        )
    return [
        {"path": path, "frames": [{"t": t, "value": values[t]} for t in sorted(values)]}
        for path, values in sorted(found.items())
    ]
