"""A device's document as this service knows it, and what a batch of events makes of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from fulcrum.core import fold, paths
from shared.errors import Rejected

# A document may have 1 MiB; the rest is left for what the platform itself keeps in it.
MAX_STATE_BYTES = 900 * 1024
# The fields that this service reads. ``data`` is not among them: registers say it all.
MASK = (
    "registers",
    "firstSeen",
    "lastSeen",
    "lastEventTime",
    "forwardTo",
    "systemId",
    "blueprintId",
    "networkId",
    "messagesWait",
)

# A number of one digit takes two bytes in the registers and eight in the nested data.
_WORST_GROWTH = 5


# A quarter of a million of them are remembered: nothing in one is worth the garbage collector's look.
class State(msgspec.Struct, frozen=True, gc=False):
    """What is known of a device as of ``update_time`` (epoch ns), the precondition of the next write.

    ``registers`` are encoded (``fold.encode``), which takes a sixth of the memory and hardly longer to use.
    """

    name: str
    update_time: int
    registers: bytes
    first_seen: int | None = None
    last_seen: int | None = None
    last_event_time: int | None = None
    forward_to: tuple[str, ...] = ()
    system_id: str | None = None
    blueprint_id: str | None = None
    network_id: str | None = None
    # Messages wait for it: from this instant (ms) on it is news that it is heard of.
    messages_wait: int | None = None


class Item(NamedTuple):
    """One event for one device: its stamp, what it does, and when it was received (ms)."""

    stamp: fold.Stamp
    settled: fold.Settled
    received: int


class Advance(msgspec.Struct, frozen=True):
    """What events make of a state: the new one, and what is to be written.

    ``roots`` are the top-level keys of the data to be written: those in ``data`` with their values, the
    others are to be removed. ``refused`` are indexes of items that go beyond a limit, with their errors.
    """

    state: State
    roots: set[str]
    data: dict[str, Any]
    refused: dict[int, Rejected]


def advance(state: State, items: Sequence[Item]) -> Advance:
    """Fold items into a state. Items that would break a limit are left out and named."""
    registers = fold.decode(state.registers)
    roots = fold.fold(registers, ((item.stamp, item.settled) for item in items))
    encoded = fold.encode(registers) if roots else state.registers
    refused: dict[int, Rejected] = {}
    if roots and _excess(registers, encoded):
        registers, roots, refused = _one_by_one(state, items)
        encoded = fold.encode(registers)
    kept = [item for index, item in enumerate(items) if index not in refused] if refused else items
    received = [item.received for item in kept]
    times = [item.stamp[0] for item in kept]
    after = msgspec.structs.replace(
        state,
        registers=encoded,
        first_seen=_least(state.first_seen, received),
        last_seen=_greatest(state.last_seen, received),
        last_event_time=_greatest(state.last_event_time, times),
    )
    return Advance(after, roots, fold.derive(registers, roots), refused)


def _one_by_one(state: State, items: Sequence[Item]) -> tuple[fold.Registers, set[str], dict[int, Rejected]]:
    """Fold in the order of arrival and leave out each item that makes the excess or adds to it."""
    registers = fold.decode(state.registers)
    size = len(state.registers)
    roots: set[str] = set()
    refused: dict[int, Rejected] = {}
    for index, item in enumerate(items):
        trial = dict(registers)
        changed = fold.fold(trial, [(item.stamp, item.settled)])
        encoded = fold.encode(trial)
        error = _excess(trial, encoded)
        if error and (len(trial) > len(registers) or len(encoded) > size):
            refused[index] = error
            continue
        registers, size = trial, len(encoded)
        roots |= changed
    return registers, roots, refused


def _excess(registers: fold.Registers, encoded: bytes) -> Rejected | None:
    """Which limit registers go beyond, if any."""
    if len(registers) > paths.MAX_PATHS:
        return Rejected(
            "device.tooManyPaths",
            f"the device would have {len(registers)} paths: at most {paths.MAX_PATHS}; "
            "keep lists as arrays, or delete the paths above those that are no longer used",
        )
    if len(encoded) * (1 + _WORST_GROWTH) <= MAX_STATE_BYTES:
        return None
    size = len(encoded) + stored_size(fold.derive(registers))
    if size > MAX_STATE_BYTES:
        return Rejected(
            "device.tooLarge", f"the device's state would take {size} bytes: at most {MAX_STATE_BYTES}"
        )
    return None


def stored_size(value: Any) -> int:
    """How many bytes a value takes in a document, by Firestore's rules."""
    kind = type(value)
    if kind is str:
        return len(value.encode()) + 1
    if kind is dict:
        return sum(len(key.encode()) + 1 + stored_size(inner) for key, inner in value.items())
    if kind is list:
        return sum(map(stored_size, value))
    return 1 if kind is bool or value is None else 8


def _least(one: int | None, others: Sequence[int]) -> int | None:
    return min(others, default=None) if one is None else min((one, *others))


def _greatest(one: int | None, others: Sequence[int]) -> int | None:
    return max(others, default=None) if one is None else max((one, *others))
