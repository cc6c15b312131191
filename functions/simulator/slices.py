"""Slices: what the devices of a shard send within a second, published at its end.

A slice is a Cloud Task, named by what it plays, so that it is made once. It may run twice: what it publishes
follows from what is stored, to the byte, so that a repeat changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from fulcrum.core import ids
from functions.simulator.casting import Player, Troupe
from functions.simulator.publishing import publish
from shared import clock
from shared.clients import tasks
from shared.config import settings
from shared.errors import Transient
from shared.log import listed
from shared.loops import PerLoop
from shared.simulations import SLICE_MS

QUEUE = "simulation"
_AT_ONCE = 20
_TRIES = 4
# A task that comes so early waits; any earlier it is to come again.
_EARLY_MS = 2_000
# A slice that ends so soon may have looked at its shard before what was just written.
SOON_MS = 500


class PlaySlice(msgspec.Struct, frozen=True, rename="camel", tag="playSlice", tag_field="type"):
    """The body of a task: the shard, and the end of the slice (epoch ms)."""

    project_id: str
    shard: int
    end: int


troupe = PerLoop(Troupe)


def between(start: int, end: int) -> range:
    """The ends of the slices that begin from ``start``'s own on and before ``end``."""
    return range(start // SLICE_MS * SLICE_MS + SLICE_MS, end + SLICE_MS, SLICE_MS)


def busy(players: Iterable[Player], ends: Sequence[int]) -> list[int]:
    """Those of some slices, by their ends, in which a device may have something to send."""
    left = set(ends)
    for player in players:
        if not left:
            break
        left -= {end for end in left if player.may_send(end - SLICE_MS, end)}
    return sorted(set(ends) - left)


async def arm(project_id: str, shard: int, ends: Iterable[int], again: str = "") -> int:
    """Make the tasks of slices; how many there were none of before. Transient where one may not be.

    ``again``: names those that are played once more, because something has come too late for the first time.
    """
    target = settings().text("TASKS_TARGET", "")
    waiting = [_task(target, project_id, shard, end, again) for end in ends]
    made = 0
    for attempt in range(_TRIES):
        failed: list[tasks.Task] = []
        for start in range(0, len(waiting), _AT_ONCE):
            some = waiting[start : start + _AT_ONCE]
            done = await asyncio.gather(*(_create(task) for task in some))
            made += done.count(True)
            failed += [task for task, what in zip(some, done, strict=True) if what is None]
        if not failed:
            return made
        waiting = failed
        await asyncio.sleep(0.05 * 2**attempt)
    raise Transient(f"{len(waiting)} slices could not be armed")


async def _create(task: tasks.Task) -> bool | None:
    """Whether a task was made; None where it may work in a moment. One of many fails now and then."""
    try:
        return await tasks.create(QUEUE, task)
    except Transient:
        return None


def _task(target: str, project_id: str, shard: int, end: int, again: str) -> tasks.Task:
    task_id = ids.digest("slice", project_id, str(shard), str(end), again)
    return tasks.Task(task_id, target, msgspec.json.encode(PlaySlice(project_id, shard, end)), end)


async def play(wanted: PlaySlice) -> dict[str, Any]:
    """Publish what a slice's devices send; counts for the log. Transient: the task is to come again."""
    early = wanted.end - clock.now_ms()
    if early > _EARLY_MS:
        raise Transient(f"the slice ends in {early} ms")
    if early > 0:
        await clock.sleep(early / 1000)
    late = clock.now_ms() - wanted.end
    players = await troupe().players(wanted.project_id, wanted.shard)
    sent = await publish(wanted.project_id, players, wanted.end - SLICE_MS, wanted.end)
    done = {"devices": len(players), "events": sent.events, "messages": len(sent.messages), "lateMs": late}
    return done | ({"published": listed(sent.messages)} if sent.messages else {})
