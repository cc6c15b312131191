"""Who plays: the devices of shards, with what they play made ready, remembered until a command changes it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence

import msgspec

from fulcrum.core.errors import Rejected
from fulcrum.simulation import playing, scenario
from fulcrum.simulation.playing import Event, Play, Segment
from fulcrum.simulation.scenario import Faults
from functions.simulator import store
from shared import clock
from shared.log import log
from shared.simulations import Cast, Simulation

_MOST_SHARDS = 500
_MOST_PLAYS = 500
# What went without a command, as with its device, is noticed so late.
_KNOWN_MS = 300_000
_faults = msgspec.json.Decoder(Faults).decode


class Player(msgspec.Struct, frozen=True):
    """A device with what it plays, or lately played, in the order of time."""

    device_id: str
    parts: tuple[tuple[Play, bytes, tuple[Segment, ...], str | None], ...]

    def events(self, start: int, end: int) -> list[tuple[Event, str | None]]:
        """What it sends from ``start`` on and before ``end`` (epoch ms), each with its network."""
        return [
            (event, network)
            for play, key, segments, network in self.parts
            for event in play.events(key, segments, start, end)
        ]

    def may_send(self, start: int, end: int) -> bool:
        """Whether it may send something in a span; also where only what is late or repeated might come."""
        for play, _, segments, _ in self.parts:
            for segment in segments:
                begin = max(start, segment.since)
                until = end if segment.until is None else min(end, segment.until)
                if begin < until and play.may_send(segment.at(begin), segment.at(until)):
                    return True
        return False


class Troupe:
    """The players that this instance knows. Belongs to one event loop."""

    def __init__(self) -> None:
        # The revision and the time at which each was read, and its players.
        self._shards: OrderedDict[tuple[str, int], tuple[str, int, list[Player]]] = OrderedDict()
        self._plays: OrderedDict[tuple[str, str, str], Play] = OrderedDict()
        self._reading: dict[tuple[str, int], asyncio.Lock] = {}

    async def players(self, project_id: str, shard: int) -> Sequence[Player]:
        """The players of a shard as they are now: one read, if no command has come since the last look."""
        lock = self._reading.setdefault((project_id, shard), asyncio.Lock())
        async with lock:
            found = await store.shards(project_id, [shard])
            if not found:
                return []
            known = self._shards.get((project_id, shard))
            is_fresh = known is not None and 0 <= clock.now_ms() - known[1] < _KNOWN_MS
            if known is not None and is_fresh and known[0] == found[0].revision:
                self._shards.move_to_end((project_id, shard))
                return known[2]
            return await self.read(project_id, shard, found[0].revision)

    async def read(self, project_id: str, shard: int, revision: str) -> Sequence[Player]:
        """The players of a shard, read anew. ``revision``: what the shard had before that."""
        stored = await store.of_shard(project_id, shard)
        return await self.take(project_id, shard, revision, stored)

    async def take(
        self, project_id: str, shard: int, revision: str, stored: Iterable[Simulation]
    ) -> Sequence[Player]:
        """Make what was read of a shard ready, and remember it."""
        players = await self.prepared(project_id, stored)
        self._shards[project_id, shard] = (revision, clock.now_ms(), players)
        self._shards.move_to_end((project_id, shard))
        if len(self._shards) > _MOST_SHARDS:
            gone, _ = self._shards.popitem(last=False)
            self._reading.pop(gone, None)
        return players

    async def prepared(self, project_id: str, stored: Iterable[Simulation]) -> list[Player]:
        """Devices with what they play, in the order of their ids."""
        waiting = sorted(stored, key=lambda one: one.device_id)
        await self._learn(project_id, (cast for one in waiting for cast in one.casts))
        return [self._player(one) for one in waiting]

    async def _learn(self, project_id: str, casts: Iterable[Cast]) -> None:
        wanted = {(project_id, cast.content, cast.faults) for cast in casts}
        missing = wanted - self._plays.keys()
        texts = await store.contents(project_id, {content for _, content, _ in missing}) if missing else {}
        for key in missing:
            _, content, faults = key
            try:
                self._plays[key] = ready(texts[content], faults)
            except (Rejected, KeyError) as error:
                # Checked before it was started: only a store that was meddled with comes here.
                log("ERROR", "cannot be played", projectId=project_id, content=content, error=str(error))
        for key in wanted & self._plays.keys():
            self._plays.move_to_end(key)
        while len(self._plays) > max(_MOST_PLAYS, len(wanted)):
            self._plays.popitem(last=False)

    def _player(self, one: Simulation) -> Player:
        parts = []
        for cast in one.casts:
            play = self._plays.get((one.project_id, cast.content, cast.faults))
            if play is not None:
                key = playing.key_of(cast.seed, one.device_id)
                parts.append((play, key, cast.segments, cast.network_id))
        return Player(one.device_id, tuple(parts))


def ready(text: str, faults: str) -> Play:
    """A scenario made ready, from its JSON and that of other faults than its own; Rejected if it is none."""
    try:
        wrong = _faults(faults) if faults else None
    except msgspec.DecodeError as error:
        raise Rejected("simulation.faults", f"faults: {error}") from None
    return Play(scenario.parse(text), wrong)
