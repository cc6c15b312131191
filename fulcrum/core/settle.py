"""Settling an event: its own writes, applied in their order, come down to what they do to older data.

That is: distinct leaves (no leaf below another one) and cleared paths, below which everything older goes.
``set`` merges an object and replaces anything else; ``replace`` clears the path first; ``delete`` clears it.
Arrays and ``{}`` are leaves. Clearing a path below a leaf changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import UNSET

from fulcrum.core import paths
from fulcrum.core.errors import Rejected
from fulcrum.core.writes import Write


class Settled(NamedTuple):
    """What one event does: leaves by path, and paths below which everything older goes."""

    leaves: Mapping[str, Any]
    cleared: tuple[str, ...]


_problem = lru_cache(maxsize=8192)(paths.leaf_problem)
_INT64 = 2**63


def normal(value: Any) -> Any:
    """A JSON value in the one form that it keeps through every store.

    Stores do not agree on ``5`` and ``5.0``: a whole number that fits 64 bits is an integer, any other
    number a double.
    """
    kind = type(value)
    if kind is float:
        return int(value) if value.is_integer() and -_INT64 <= value < _INT64 else value
    if kind is int:
        return value if -_INT64 <= value < _INT64 else float(value)
    if kind is list:
        return [normal(item) for item in value]
    if kind is dict:
        return {key: normal(item) for key, item in value.items()}
    return value


def settle(writes: Sequence[Write]) -> Settled:
    """Apply an event's writes in their order; Rejected (``path.invalid``) for a path that cannot stand."""
    leaves: dict[str, Any] = {}
    for write in writes:
        if write.op is not UNSET and write.op != "set":
            return _settle_in_order(writes)
        for path, value in _leaves(write):
            leaves[path] = normal(value)
    if any("/" in path and any(upper in leaves for upper in ancestors(path)) for path in leaves):
        return _settle_in_order(writes)
    # Nothing met anything but its own path, where the last write counts.
    return Settled(leaves, ())


def _leaves(write: Write) -> Iterable[tuple[str, Any]]:
    value = write.value
    pairs = list(paths.flatten(write.path, value)) if type(value) is dict else [(write.path, value)]
    for path, _ in pairs:
        _check(path)
    return pairs


def _check(path: str) -> None:
    problem = _problem(path)
    if problem:
        raise Rejected("path.invalid", problem)


class _Leaf(NamedTuple):
    value: Any


_NOTHING = _Leaf(None)


def _settle_in_order(writes: Sequence[Write]) -> Settled:
    """The same for writes that meet: in a tree, so that dropping all that is below a path is one step."""
    tree: dict[str, Any] = {}
    cleared: dict[str, None] = {}
    for write in writes:
        if write.op in ("replace", "delete"):
            _check(write.path)
            _remove(tree, write.path)
            cleared[write.path] = None
        if write.op != "delete":
            for path, value in _leaves(write):
                _put(tree, cleared, path, _Leaf(normal(value)))
    leaves = dict(_walk(tree, ""))
    return Settled(leaves, _needed(leaves, cleared))


def _remove(tree: dict[str, Any], path: str) -> None:
    """Drop a path and what is below it; below a leaf there is nothing to drop."""
    *parents, last = path.split("/")
    for key in parents:
        tree = tree.get(key, _NOTHING)
        if type(tree) is not dict:
            return
    tree.pop(last, None)


def _put(tree: dict[str, Any], cleared: dict[str, None], path: str, leaf: _Leaf) -> None:
    end = path.find("/")
    start = 0
    while end > 0:
        key = path[start:end]
        inner = tree.get(key)
        if type(inner) is _Leaf:
            cleared[path[:end]] = None
        if type(inner) is not dict:
            inner = tree[key] = {}
        tree = inner
        start = end + 1
        end = path.find("/", start)
    tree[path[start:]] = leaf


def _walk(tree: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, inner in tree.items():
        if type(inner) is _Leaf:
            yield prefix + key, inner.value
        else:
            yield from _walk(inner, f"{prefix}{key}/")


def _needed(leaves: Mapping[str, Any], cleared: Mapping[str, None]) -> tuple[str, ...]:
    """The cleared paths that say more than a leaf or another cleared path does, sorted."""
    return tuple(
        sorted(
            path
            for path in cleared
            if path not in leaves
            and not any(upper in cleared or upper in leaves for upper in ancestors(path))
        )
    )


def ancestors(path: str) -> Iterable[str]:
    """The paths above a path, the nearest first."""
    end = path.rfind("/")
    while end > 0:
        yield path[:end]
        end = path.rfind("/", 0, end)
