"""What this instance last wrote of each device, so that the next batch need not read it.

Nothing here needs to be true: a write holds only if the document is still as it is remembered.
"""

from __future__ import annotations

from collections import OrderedDict

from functions.transponder.state import State

# Of the function's 512 MiB: 250,000 devices of three values each.
MAX_BYTES = 176 * 1024 * 1024
# What a device takes beyond its name and its registers, in bytes: times, ids and the places to keep them.
_OVERHEAD = 420


class States:
    """States by document name, the least recently used go first."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._states: OrderedDict[str, State] = OrderedDict()
        self._max_bytes = max_bytes
        self._bytes = 0

    def get(self, name: str) -> State | None:
        """What is remembered of a device."""
        state = self._states.get(name)
        if state is not None:
            self._states.move_to_end(name)
        return state

    def put(self, state: State) -> None:
        """Remember a device as read or written."""
        # In its place, where it has one: it was moved to the end when it was asked for.
        before = self._states.get(state.name)
        if before is not None:
            self._bytes -= _size(before)
        self._states[state.name] = state
        self._bytes += _size(state)
        while self._bytes > self._max_bytes:
            _, oldest = self._states.popitem(last=False)
            self._bytes -= _size(oldest)

    def drop(self, name: str) -> None:
        """Forget a device."""
        state = self._states.pop(name, None)
        if state is not None:
            self._bytes -= _size(state)

    def __len__(self) -> int:
        return len(self._states)


def _size(state: State) -> int:
    return _OVERHEAD + len(state.name) + len(state.registers) + 100 * len(state.forward_to)
