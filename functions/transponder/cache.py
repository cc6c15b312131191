"""What this instance last wrote of each device, so that the next batch need not read it.

Nothing here needs to be true: a write holds only if the document is still as it is remembered.
"""

from __future__ import annotations

from collections import OrderedDict

from functions.transponder.state import State

# Of encoded registers; decoded ones take about six times as much, of 512 MiB.
MAX_BYTES = 24 * 1024 * 1024
# What a device costs beyond its registers.
_OVERHEAD = 200


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
        self.drop(state.name)
        self._states[state.name] = state
        self._bytes += state.size + _OVERHEAD
        while self._bytes > self._max_bytes:
            _, oldest = self._states.popitem(last=False)
            self._bytes -= oldest.size + _OVERHEAD

    def drop(self, name: str) -> None:
        """Forget a device."""
        state = self._states.pop(name, None)
        if state is not None:
            self._bytes -= state.size + _OVERHEAD

    def __len__(self) -> int:
        return len(self._states)
