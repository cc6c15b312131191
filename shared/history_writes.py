"""From a row of the history back to the writes of its event, as they were sent. Pure.

A row's ``data`` is what the writes come down to, nested, its keys in no order. ``written`` names their paths
in their order where that does not say it already. What a later write of the same event undid is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fulcrum.core.writes import Write

_NOTHING = object()


def written(writes: Sequence[Write], settled_roots: Collection[str], cleared: Sequence[str]) -> list[str]:
    """The paths that a row must keep; empty where :func:`writes_of` finds the writes without them."""
    paths = [write.path for write in writes]
    return [] if paths == _plain(settled_roots, cleared) else paths


def _plain(roots: Collection[str], cleared: Sequence[str]) -> list[str]:
    return [*(path for path in cleared if path not in roots), *sorted(roots)]


def writes_of(data: Mapping[str, Any] | None, cleared: Sequence[str], paths: Sequence[str]) -> list[Write]:
    """The writes of an event's row; ``paths``: its column ``written``."""
    data = data or {}
    if not paths:
        paths = _plain(data, cleared)
    made: list[Write] = []
    for path in dict.fromkeys(paths):
        value = _at(data, path)
        if value is _NOTHING:
            if path in cleared:
                made.append(Write(path, op="delete"))
        elif path in cleared:
            made.append(Write(path, value, op="replace"))
        else:
            made.append(Write(path, value))
    return made


def _at(data: Mapping[str, Any], path: str) -> Any:
    found: Any = data
    for key in path.split("/"):
        if type(found) is not dict or key not in found:
            return _NOTHING
        found = found[key]
    return found
