"""The tick: once a minute the slices to come are armed; while nothing is simulated, it does not come."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from functions.simulator import deciding, slices, store
from functions.simulator.store import Shard
from shared import clock
from shared.clients import cloud_scheduler
from shared.simulations import Simulation

JOB = "simulate"
_MINUTE = 60_000
# How far into the next minute slices are made: the next tick may come late by so much.
_SPARE_MS = 20_000
# What was missed, in an outage, is made up for so far back.
BACK_MS = 300_000
# Every so many minutes it is looked whether the devices still are simulated ones.
_LOOK_MINUTES = 5
# So often, and when a shard comes to rest, scenarios go that nobody plays any more.
_FORGET_MINUTES = 60


class Ticked(NamedTuple):
    """What a tick did, for the log."""

    shards: int = 0
    devices: int = 0
    armed: int = 0
    resting: int = 0
    forgotten: int = 0


def horizon(now: int) -> int:
    """Up to when slices are made: beyond the next tick."""
    return now // _MINUTE * _MINUTE + _MINUTE + _SPARE_MS


async def wake() -> None:
    """Have the tick come."""
    await cloud_scheduler.resume(JOB)


async def tick() -> Ticked:
    """Arm what is to come of all shards; where there is none, have the tick come no more."""
    found = await store.playing_shards()
    done = await asyncio.gather(*(_shard(shard) for shard in found))
    now = clock.now_ms()
    hourly = now // _MINUTE % _FORGET_MINUTES == 0
    idle = {shard.project_id for shard, one in zip(found, done, strict=True) if hourly or one.resting}
    forgotten = await asyncio.gather(*(store.forget_contents(one, now - deciding.KEPT_MS) for one in idle))
    resting = sum(one.resting for one in done)
    if resting == len(found):
        await cloud_scheduler.pause(JOB)
        # Who begins something writes it, then wakes the tick: one of the two is seen by the other.
        if await store.playing_shards():
            await wake()
    devices, armed = sum(one.devices for one in done), sum(one.armed for one in done)
    return Ticked(len(found), devices, armed, resting, sum(forgotten))


async def _shard(shard: Shard) -> Ticked:
    now = clock.now_ms()
    looks = now // _MINUTE % _LOOK_MINUTES == 0
    stored = await store.of_shard(shard.project_id, shard.number)
    stored = await _settled(shard, stored, now, looks)
    if not any(one.active for one in stored):
        rests = await store.rest(shard)
        return Ticked(shards=1, resting=int(rests))
    players = await slices.troupe().take(shard.project_id, shard.number, shard.revision, stored)
    since, until = max(shard.armed_until, now - BACK_MS), horizon(now)
    ends = slices.busy(players, slices.between(since, until))
    armed = await slices.arm(shard.project_id, shard.number, ends)
    size = await store.count(shard.project_id, shard.number) if looks else None
    await store.armed(shard, until, size)
    return Ticked(shards=1, devices=len(players), armed=armed)


async def _settled(shard: Shard, stored: list[Simulation], now: int, looks: bool) -> list[Simulation]:
    """Note what has played to its end, and stop what is simulated no more."""
    gone: set[str] = set()
    if looks:
        ids = [one.device_id for one in stored]
        devices = await store.devices(shard.project_id, ids)
        gone = {
            one.device_id
            for one in stored
            if one.state in ("playing", "paused")
            and ((device := devices.get(one.device_id)) is None or not device.simulated)
        }

    def decide(device_id: str, before: Simulation | None) -> Simulation | None:
        if before is None:
            return None
        if device_id in gone:
            return deciding.stopped(before, now)
        return deciding.settled(before, now)

    waiting = [one.device_id for one in stored if one.device_id in gone or deciding.settled(one, now)]
    changed = await store.change(shard.project_id, waiting, decide)
    return [changed.get(one.device_id, one) for one in stored]
