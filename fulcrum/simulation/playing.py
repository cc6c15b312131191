"""A device that plays a scenario: the events that it sends in any span of time.

Two scales: a *position* is ms since the device began, as it plays (all rounds counted, pauses not); the clock
is epoch ms. A segment is a span of the clock in which the device plays without a break.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from fulcrum.core import ids
from fulcrum.core.errors import Rejected
from fulcrum.simulation import chance, faults
from fulcrum.simulation.faults import Life
from fulcrum.simulation.scenario import Faults, Scenario
from fulcrum.simulation.tracks import Played, played

# As ingest takes the times of devices: ahead of its own by more than this, or before 2000, none counts.
_AHEAD_MS = 300_000
_EARLIEST_MS = 946_684_800_000


class Segment(msgspec.Struct, frozen=True, rename="camel", array_like=True):
    """From ``since`` on (epoch ms) a run goes on from ``position``; before ``until``, if it has ended."""

    run: str
    since: int
    position: int
    until: int | None = None

    def at(self, clock: int) -> int:
        """The position at a time of the clock."""
        return self.position + clock - self.since

    def at_position(self, position: int) -> int:
        """The time of the clock at a position."""
        return self.since + position - self.position


class Event(NamedTuple):
    """What a device sends. Times in epoch ms: ``received`` is when it is sent, ``original`` the device's own
    where that cannot be. ``position`` tells it from the run's other events."""

    run: str
    position: int
    time: int
    received: int
    original: int | None
    writes: list[tuple[str, Any]]

    @property
    def id(self) -> str:
        """The same whenever the same run plays the same position."""
        return f"{self.run}-{self.position}"


class Play:
    """A scenario made ready for all devices that play it, with what goes wrong.

    Rejected (``scenario.invalid``, ``.track``, ``.line``, ``.faults``) for one that cannot be played.
    """

    def __init__(self, scenario: Scenario, wrong: Faults | None = None) -> None:
        self.faults = scenario.faults if wrong is None else wrong
        faults.check(self.faults)
        if scenario.duration < 1_000:
            raise Rejected("scenario.invalid", "a scenario lasts a second at least")
        self.duration = scenario.duration
        self.loop = scenario.loop
        self._tracks: list[Played] = [
            played(track, number, scenario.duration) for number, track in enumerate(scenario.tracks)
        ]
        self._is_plain = self.faults == Faults()

    def ends(self) -> int | None:
        """The position after which nothing more is sent; None for one that plays on."""
        return None if self.loop else self.duration + faults.tail_ms(self.faults)

    def may_send(self, start: int, end: int) -> bool:
        """Whether a device may send anything in a span of positions."""
        ends = self.ends()
        if ends is not None and start > ends:
            return False
        # When what is late or repeated comes is not worth finding out before.
        mingled = bool(self.faults.late or self.faults.repeated)
        return mingled or next(self._due(start, end), None) is not None

    def events(self, key: bytes, segments: Sequence[Segment], start: int, end: int) -> list[Event]:
        """What a device sends from ``start`` on and before ``end`` (epoch ms), in this order."""
        found: list[Event] = []
        for segment in segments:
            begin = max(start, segment.since)
            until = end if segment.until is None else min(end, segment.until)
            if begin < until:
                found += self._sent(key, segments, segment, segment.at(begin), segment.at(until))
        return found

    def _sent(
        self, key: bytes, segments: Sequence[Segment], segment: Segment, start: int, end: int
    ) -> list[Event]:
        if not self._is_plain:
            # What is late or comes again mingles with what is in time.
            return sorted(
                self._faulty(key, segments, segment, start, end),
                key=lambda one: (one.received, one.position),
            )
        run, shift = segment.run, segment.since - segment.position
        return [
            Event(run, position, shift + position, shift + position, None, writes)
            for position, writes in self._told(key, start, end)
        ]

    def _faulty(
        self, key: bytes, segments: Sequence[Segment], segment: Segment, start: int, end: int
    ) -> Iterator[Event]:
        wrong = self.faults
        for sent, position, writes in self._first(key, start, end):
            yield self._event(key, segments, segment, position, sent, writes)
        if wrong.repeated:
            lag = faults.REPEAT_MS
            for sent, position, writes in self._first(key, max(0, start - lag), end - lag):
                if faults.is_repeated(wrong, key, position):
                    yield self._event(key, segments, segment, position, sent + lag, writes)

    def _first(self, key: bytes, start: int, end: int) -> Iterator[tuple[int, int, list[tuple[str, Any]]]]:
        """(when it is sent, its position, its writes) of what is sent for the first time in a span."""
        wrong = self.faults
        for position, writes in self._told(key, start, end):
            if not faults.is_away(wrong, key, position) and not faults.is_lost(wrong, key, position):
                yield position, position, writes
        for begin, until in faults.away(wrong, key, start, end):
            for position, writes in self._told(key, begin, until):
                if not faults.is_lost(wrong, key, position):
                    yield until, position, writes

    def _event(
        self,
        key: bytes,
        segments: Sequence[Segment],
        segment: Segment,
        position: int,
        sent: int,
        writes: list[tuple[str, Any]],
    ) -> Event:
        wrong = self.faults
        own = _measured(segments, segment, position).at_position(position) + faults.skew_ms(wrong, key)
        life = faults.life(wrong, key, position) or Life(0, 0)
        if position < life.unset_until:
            # A clock that nobody has set yet counts from 1970.
            own = position - life.start
        received = segment.at_position(sent)
        counts = _EARLIEST_MS <= own <= received + _AHEAD_MS
        return Event(
            segment.run, position, own if counts else received, received, None if counts else own, writes
        )

    def _told(self, key: bytes, start: int, end: int) -> Iterator[tuple[int, list[tuple[str, Any]]]]:
        """What a device measures in a span of positions: all tracks of one instant together."""
        by_time: dict[int, list[tuple[int, Played]]] = {}
        for position, t, track in self._due(start, end):
            by_time.setdefault(position, []).append((t, track))
        for position in sorted(by_time):
            life = faults.life(self.faults, key, position)
            if life is None:
                continue
            writes = [pair for t, track in by_time[position] for pair in track.values(t, position, key)]
            if self.faults.drift is not None:
                writes = [(path, self._drifted(key, path, value, position, life)) for path, value in writes]
            yield position, writes

    def _drifted(self, key: bytes, path: str, value: Any, position: int, life: Life) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        off = faults.drifted(self.faults, key, path, position, life.start)
        return float(f"{value + off:.9g}") if off else value

    def _due(self, start: int, end: int) -> Iterator[tuple[int, int, Played]]:
        """(position, time within the scenario, track) of all values in a span of positions."""
        start = max(0, start)
        if not self.loop:
            # Its last instant is the end of its only round; of one that loops it is the next one's beginning.
            yield from self._round(0, start, min(end, self.duration + 1))
            return
        for number in range(start // self.duration, max(start, end - 1) // self.duration + 1):
            base = number * self.duration
            yield from self._round(base, max(0, start - base), min(end - base, self.duration))

    def _round(self, base: int, start: int, end: int) -> Iterator[tuple[int, int, Played]]:
        for track in self._tracks:
            for t in track.times(start, end):
                yield base + t, t, track


def _measured(segments: Sequence[Segment], sending: Segment, position: int) -> Segment:
    """The segment in which a position was, of which something is sent in a later one: a pause was between."""
    if position >= sending.position:
        return sending
    before = [one for one in segments if one.run == sending.run and one.position <= position]
    return max(before, key=lambda one: one.position, default=sending)


def run_id(device_id: str, scenario: str, seed: int, since: int) -> str:
    """The id of a run: a device plays a scenario (its JSON) with a seed from an instant on."""
    return ids.digest("simulation", device_id, scenario, str(seed), str(since))


def key_of(seed: int, device_id: str) -> bytes:
    """The key of all chance in what a device does under a seed."""
    return chance.key_of(seed, device_id)
