"""How the data of devices differs between two versions, by device and path, event by event.

Data is equal at the beginning. Both sides say after each event what stands below the keys that it wrote to;
where one of them alone wrote, it says what stood there before, which the other one has still, but for what
differs already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from fulcrum.core.paths import flatten
from fulcrum.script.replay.answers import Touched
from fulcrum.script.replay.report import PathDifference, PathExample

# Of paths that are told apart, and of the devices shown of each.
_MAX_PATHS = 500
_EXAMPLES = 5
_TEXT = 300
_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.decode

# Path → value as JSON.
Leaves = dict[str, bytes]


class Diverging:
    """The difference of two sides' data. ``events``: after how many events any of it differed."""

    def __init__(self) -> None:
        self.events = 0
        # Device → path → values on both sides, None for none.
        self._open: dict[str, dict[str, tuple[bytes | None, bytes | None]]] = {}
        self._ever: dict[str, set[str]] = {}
        self._counts: dict[str, int] = {}
        self._last: dict[str, dict[str, PathExample]] = {}
        self._others: set[str] = set()

    @property
    def is_open(self) -> bool:
        """Whether any device's data differs now."""
        return bool(self._open)

    def same(self, touched: Iterable[Touched]) -> None:
        """Both sides wrote the same."""
        for one in touched:
            if one.device_id in self._open:
                self._close(one.device_id, {*_decode(one.data), *one.gone})

    def differing(self, before: Iterable[Touched], after: Iterable[Touched]) -> None:
        """The sides did not write the same."""
        olds, news = _by_device(before), _by_device(after)
        for device_id in olds.keys() | news.keys():
            self._device(device_id, olds.get(device_id, []), news.get(device_id, []))

    def _device(self, device_id: str, olds: list[Touched], news: list[Touched]) -> None:
        left, left_before = _roots(olds)
        right, right_before = _roots(news)
        for root in left.keys() | right.keys():
            if root in left and root in right:
                one, other = left[root], right[root]
            elif root in right:
                other = right[root]
                one = self._adjusted(device_id, root, right_before.get(root, {}), 0)
            else:
                one = left[root]
                other = self._adjusted(device_id, root, left_before.get(root, {}), 1)
            self._close(device_id, {root})
            for path in one.keys() | other.keys():
                if one.get(path) != other.get(path):
                    self._open.setdefault(device_id, {})[path] = (one.get(path), other.get(path))

    def _adjusted(self, device_id: str, root: str, leaves: Leaves, side: int) -> Leaves:
        """The leaves that the other side, which wrote nothing, has: the same but for what differs."""
        made = dict(leaves)
        for path, values in self._open.get(device_id, {}).items():
            if path == root or path.startswith(f"{root}/"):
                value = values[side]
                if value is None:
                    made.pop(path, None)
                else:
                    made[path] = value
        return made

    def _close(self, device_id: str, roots: set[str]) -> None:
        known = self._open.get(device_id)
        if known is None:
            return
        for path in [path for path in known if path.partition("/")[0] in roots]:
            del known[path]
        if not known:
            del self._open[device_id]

    def count(self, device_ids: Iterable[str]) -> bool:
        """After an event that concerns these devices: whether their data differs now."""
        differs = False
        for device_id in device_ids:
            known = self._open.get(device_id)
            if known:
                differs = True
                for path, values in known.items():
                    self._note(device_id, path, values)
        self.events += differs
        return differs

    def _note(self, device_id: str, path: str, values: tuple[bytes | None, bytes | None]) -> None:
        if path not in self._counts and len(self._counts) >= _MAX_PATHS:
            self._others.add(device_id)
            return
        self._counts[path] = self._counts.get(path, 0) + 1
        self._ever.setdefault(path, set()).add(device_id)
        shown = self._last.setdefault(path, {})
        if device_id in shown or len(shown) < _EXAMPLES:
            shown[device_id] = _example(device_id, values, False)

    def devices(self) -> int:
        """How many devices ever differed."""
        return len(self._others.union(*self._ever.values()))

    def others(self) -> int:
        """How many devices differ at paths that are not told apart."""
        return len(self._others)

    def finally_differing(self) -> int:
        """How many devices differ now."""
        return len(self._open)

    def paths(self) -> list[PathDifference]:
        """By path, those that differ at the most devices in the end first."""
        finally_: dict[str, list[str]] = {}
        for device_id, known in self._open.items():
            for path in known:
                finally_.setdefault(path, []).append(device_id)
        made = []
        for path, events in self._counts.items():
            ends = sorted(finally_.get(path, ()))
            shown = [_example(one, self._open[one][path], True) for one in ends[:_EXAMPLES]]
            named = {one.device_id for one in shown}
            shown += [one for name, one in self._last[path].items() if name not in named and name not in ends]
            made.append(
                PathDifference(
                    path=path,
                    devices=len(self._ever[path]),
                    events=events,
                    final=len(ends),
                    examples=shown[:_EXAMPLES],
                )
            )
        return sorted(made, key=lambda one: (-one.final, -one.events, one.path))


def _by_device(touched: Iterable[Touched]) -> dict[str, list[Touched]]:
    found: dict[str, list[Touched]] = {}
    for one in touched:
        found.setdefault(one.device_id, []).append(one)
    return found


def _roots(touched: list[Touched]) -> tuple[dict[str, Leaves], dict[str, Leaves]]:
    """Leaves by top-level key, after and before; of a key that was written twice the first before counts."""
    after: dict[str, Leaves] = {}
    before: dict[str, Leaves] = {}
    for one in touched:
        found: Mapping[str, Any] = _decode(one.data)
        for root in (*found, *one.gone):
            after[root] = _leaves(root, found)
        if one.before:
            known: Mapping[str, Any] = _decode(one.before)
            for root in (*found, *one.gone):
                before.setdefault(root, _leaves(root, known))
    return after, before


def _leaves(root: str, data: Mapping[str, Any]) -> Leaves:
    if root not in data:
        return {}
    return {path: _encode(value) for path, value in flatten(root, data[root])}


def _example(device_id: str, values: tuple[bytes | None, bytes | None], final: bool) -> PathExample:
    old, new = (None if value is None else value.decode()[:_TEXT] for value in values)
    return PathExample(device_id=device_id, before=old, after=new, final=final)
