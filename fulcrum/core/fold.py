"""State is a fold of history: any order, repetition or batching of the same events gives the same state.

A device keeps *registers*: for each path the latest write of it, with the write's stamp. The rules:

1. An event is settled first (:mod:`fulcrum.core.settle`): its writes, applied in their order, come down to
   distinct leaves (no leaf below another one) and cleared paths. Hence a stamp needs no index within the
   event.
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
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from fulcrum.core.errors import Rejected
from fulcrum.core.settle import Settled, ancestors, normal, settle

__all__ = [
    "CLEARED",
    "Register",
    "Registers",
    "Settled",
    "Stamp",
    "ancestors",
    "decode",
    "derive",
    "encode",
    "fold",
    "nest",
    "normal",
    "place",
    "root",
    "settle",
]

# (event time in epoch ms, event id)
Stamp = tuple[int, str]


class _Cleared(enum.Enum):
    CLEARED = 0


CLEARED: Final = _Cleared.CLEARED

# (stamp, value); the value is CLEARED where the path was replaced or deleted.
Register = tuple[Stamp, Any]
Registers = dict[str, Register]


_canonical = msgspec.json.Encoder(order="deterministic").encode


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
