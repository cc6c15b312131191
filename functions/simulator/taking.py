"""Taking a command: simulations begin, pause, go on and end, and their next slices are armed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from fulcrum.simulation import scenario
from functions.simulator import casting, deciding, slices, store, ticking
from functions.simulator.deciding import Content
from shared import clock
from shared.errors import Rejected
from shared.messages import Simulate
from shared.simulations import Simulation

# No store takes longer to write what begins.
_LATE_MS = 30_000
_BEGINS = frozenset({"play", "start", "reset"})


class _Prepared(NamedTuple):
    """The scenario of a command, and the text that is kept of it."""

    content: Content
    text: str


async def take(command: Simulate) -> Rejected | None:
    """Carry out a command; what has been carried out before changes nothing, but is armed again.

    What of it cannot be: devices that are not simulated. Rejected where nothing of it can; Transient where a
    store fails, after which it is to come again.
    """
    project_id = command.project_id
    wanted = sorted(set(command.device_ids))
    networks: dict[str, str | None] = dict.fromkeys(wanted)
    prepared: _Prepared | None = None
    refused: list[str] = []
    if command.action in _BEGINS:
        found = await store.devices(project_id, wanted)
        refused = [one for one in wanted if one not in found or not found[one].simulated]
        networks = {one: found[one].network_id for one in wanted if one not in refused}
        prepared = await _prepared(command)

    def decide(device_id: str, before: Simulation | None) -> Simulation | None:
        content = prepared.content if prepared else None
        network_id = networks[device_id]
        return deciding.decide(before, device_id, command, content, network_id, clock.now_ms())

    texts = {prepared.content.digest: prepared.text} if prepared else {}
    after = await store.change(project_id, list(networks), decide, texts)
    begun = [one for one in after.values() if one.state == "playing" and one.stamp == command.stamp]
    if begun:
        await _begin(project_id, begun)
    if not refused:
        return None
    named = ", ".join(refused[:5])
    return Rejected("simulation.notSimulated", f"{len(refused)} devices are not simulated: {named}")


async def _begin(project_id: str, begun: Sequence[Simulation]) -> None:
    """Have the first slices played, and the tick that makes the later ones come."""
    await ticking.wake()
    for number in sorted({one.shard for one in begun}):
        mine = [one for one in begun if one.shard == number]
        players = await slices.troupe().prepared(project_id, mine)
        since = min(one.segments[-1].since for one in mine)
        now = clock.now_ms()
        found = await store.shards(project_id, [number])
        # What another command has armed, or the tick, ends later.
        until = max([ticking.horizon(now), *(shard.armed_until for shard in found)])
        waiting = slices.between(max(since, now - ticking.BACK_MS), until)
        ends = slices.busy(players, waiting)
        # A slice that may have been played before this was written is played once more.
        soon = min(now + slices.SOON_MS, since + _LATE_MS)
        late = [end for end in ends if end <= soon]
        await slices.arm(project_id, number, late, f"{begun[0].stamp}")
        await slices.arm(project_id, number, ends)
        await asyncio.gather(*(store.armed(shard, until) for shard in found))


async def _prepared(command: Simulate) -> _Prepared | None:
    if command.scenario_id is None:
        return None
    fields = await store.scenario(command.project_id, command.scenario_id)
    if fields is None:
        raise Rejected("simulation.noScenario", f"there is no scenario {command.scenario_id!r}")
    tracks = fields.get("tracks", "[]")
    text = scenario.text_of(
        scenario.parse(
            msgspec.json.encode(
                {
                    "duration": fields.get("duration"),
                    "loop": fields.get("loop", False),
                    "tracks": msgspec.Raw(tracks.encode()) if isinstance(tracks, str) else tracks,
                    "faults": fields.get("faults") or {},
                }
            )
        )
    )
    faults = "" if command.faults is None else msgspec.json.encode(command.faults).decode()
    play = casting.ready(text, faults)
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    content = Content(command.scenario_id, digest, play.duration, play.loop, play.ends())
    return _Prepared(content, text)
