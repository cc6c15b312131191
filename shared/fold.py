"""State is a fold of history: any order, repetition or batching of the same events gives the same state.

A device keeps *registers*: for each path the latest write of it, with the write's stamp. The rules:

1. An event is settled first: its writes, applied in their order, come down to distinct leaves (no leaf
   below another one) and cleared paths. Hence a stamp needs no index within the event.
2. A stamp is (event time in ms, event id). At one path the greater stamp wins; where two events share both,
   ``cleared`` loses to any value, and the greater canonical JSON of the value wins.
3. A register is hidden when an ancestor has a strictly greater stamp: writing ``a`` (a value, or clearing
   it) ends everything older below ``a``. With equal stamps the ancestor goes first and hides nothing.
4. Nested data is what the registers that are not hidden say, ancestors first: a value below a scalar makes
   the scalar an object; clearing a path below a scalar changes nothing; an object that nobody wrote
   explicitly goes when its last leaf goes.

A hidden register stays hidden whatever comes later, because stamps at a path only grow; so it may be
dropped (the ancestor that hides it stays).

Pure: no clock, no I/O. Used where state is written, and wherever it is computed anew from history.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

import msgspec

from shared import paths
from shared.errors import Rejected
from shared.messages import Write

# (event time in epoch ms, event id)
Stamp = tuple[int, str]


class _Cleared(enum.Enum):
    CLEARED = 0


CLEARED: Final = _Cleared.CLEARED

# (stamp, value); the value is CLEARED where the path was replaced or deleted.
Register = tuple[Stamp, Any]
Registers = dict[str, Register]


class Settled(NamedTuple):
    """What one event does: leaves by path, and paths below which everything older goes."""

    leaves: Mapping[str, Any]
    cleared: tuple[str, ...]


_canonical = msgspec.json.Encoder(order="deterministic").encode
_problem = lru_cache(maxsize=8192)(paths.problem)
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
    cleared: dict[str, None] = {}
    for write in writes:
        path, value = write.path, write.value
        if write.op == "delete":
            _check(path)
            _clear(leaves, cleared, path)
            continue
        if write.op == "replace":
            _check(path)
            _clear(leaves, cleared, path)
        for leaf, inner in paths.flatten(path, value) if type(value) is dict else ((path, value),):
            _check(leaf)
            _put(leaves, cleared, leaf, normal(inner))
    return Settled(leaves, _needed(leaves, cleared) if cleared else ())


def _check(path: str) -> None:
    problem = _problem(path)
    if problem:
        raise Rejected("path.invalid", problem)


def _put(leaves: dict[str, Any], cleared: dict[str, None], path: str, value: Any) -> None:
    if leaves:
        for ancestor in ancestors(path):
            if ancestor in leaves:
                del leaves[ancestor]
                cleared[ancestor] = None
        _drop_below(leaves, path)
    leaves[path] = value


def _clear(leaves: dict[str, Any], cleared: dict[str, None], path: str) -> None:
    if any(ancestor in leaves for ancestor in ancestors(path)):
        return
    leaves.pop(path, None)
    _drop_below(leaves, path)
    cleared[path] = None


def _drop_below(leaves: dict[str, Any], path: str) -> None:
    prefix = path + "/"
    below = [leaf for leaf in leaves if leaf.startswith(prefix)]
    for leaf in below:
        del leaves[leaf]


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


def root(path: str) -> str:
    """The first segment of a path: the top-level key of the nested data."""
    return path.partition("/")[0]


def fold(registers: Registers, events: Iterable[tuple[Stamp, Settled]]) -> set[str]:
    """Fold events into ``registers``, in place, pruned; returns the top-level keys that may differ now."""
    changed: set[str] = set()
    for stamp, (leaves, cleared) in events:
        for path, value in leaves.items():
            if _wins(registers.get(path), stamp, value):
                registers[path] = (stamp, value)
                changed.add(path)
        for path in cleared:
            if _wins(registers.get(path), stamp, CLEARED):
                registers[path] = (stamp, CLEARED)
                changed.add(path)
    roots = {root(path) for path in changed}
    _prune(registers, roots)
    return roots


def _wins(present: Register | None, stamp: Stamp, value: Any) -> bool:
    if present is None or present[0] < stamp:
        return True
    if present[0] > stamp or value is CLEARED:
        return False
    return present[1] is CLEARED or _canonical(present[1]) < _canonical(value)


def _prune(registers: Registers, roots: set[str]) -> None:
    """Drop what is hidden, below the given top-level keys."""
    hidden = [
        path
        for path, (stamp, _) in registers.items()
        if "/" in path and root(path) in roots and _is_hidden(registers, path, stamp)
    ]
    for path in hidden:
        del registers[path]


def _is_hidden(registers: Registers, path: str, stamp: Stamp) -> bool:
    for upper in ancestors(path):
        register = registers.get(upper)
        if register is not None and register[0] > stamp:
            return True
    return False


def derive(registers: Registers, roots: set[str] | None = None) -> dict[str, Any]:
    """The nested data of pruned registers; of the given top-level keys alone, if any are given."""
    data: dict[str, Any] = {}
    nested: list[str] = []
    for path, (_, value) in registers.items():
        if "/" in path:
            if roots is None or root(path) in roots:
                nested.append(path)
        elif value is not CLEARED and (roots is None or path in roots):
            data[path] = value
    # Sorted, an ancestor stands before what is below it. Nothing else matters: what is left of the
    # registers has no newer ancestor.
    for path in sorted(nested):
        value = registers[path][1]
        if value is not CLEARED:
            place(data, path, value)
    return data


def place(data: dict[str, Any], path: str, value: Any) -> None:
    """Put a leaf into nested data; what is no object on the way becomes one."""
    *parents, last = path.split("/")
    for key in parents:
        inner = data.get(key)
        if type(inner) is not dict:
            inner = data[key] = {}
        elif not inner:
            # An explicit empty object belongs to a register: it is not filled in place.
            inner = data[key] = {}
        data = inner
    data[last] = value


def nest(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Distinct leaves as nested data."""
    data: dict[str, Any] = {}
    for path, value in leaves.items():
        if "/" in path:
            place(data, path, value)
        else:
            data[path] = value
    return data


class _Stored(msgspec.Struct):
    """Registers as stored: by stamp, since one event writes several paths. ``v`` is the format's version."""

    v: Literal[1]
    # [time, event id, {path: value}, [cleared path]]
    r: list[tuple[int, str, dict[str, Any], list[str]]]


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(_Stored)


def encode(registers: Registers) -> bytes:
    """Registers as compact JSON; equal registers give equal bytes."""
    groups: dict[Stamp, tuple[int, str, dict[str, Any], list[str]]] = {}
    for path, (stamp, value) in registers.items():
        group = groups.get(stamp)
        if group is None:
            group = groups[stamp] = (stamp[0], stamp[1], {}, [])
        if value is CLEARED:
            group[3].append(path)
        else:
            group[2][path] = value
    for group in groups.values():
        group[3].sort()
    return _encoder.encode(_Stored(1, [groups[stamp] for stamp in sorted(groups)]))


def decode(data: bytes) -> Registers:
    """Registers from their bytes; Rejected (``registers.undecodable``) where they are none of ours."""
    if not data:
        return {}
    try:
        stored = _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise Rejected("registers.undecodable", f"the stored registers of a device: {error}") from None
    registers: Registers = {}
    for time, event_id, leaves, cleared in stored.r:
        stamp = (time, event_id)
        for path, value in leaves.items():
            registers[path] = (stamp, value)
        for path in cleared:
            registers[path] = (stamp, CLEARED)
    return registers
