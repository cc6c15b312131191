"""What a command makes of a device's simulation. Pure.

What starts or ends does so at the beginning of a slice that nobody can have played yet, so that every event
is sent by one slice alone, and a device that goes on sends nothing twice and leaves nothing out.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec

from fulcrum.simulation import chance, playing
from fulcrum.simulation.playing import Segment
from shared.messages import Simulate
from shared.simulations import SLICE_MS, Cast, Simulation

# A slice that comes late still finds what a device played so long ago.
KEPT_MS = 300_000
_MOST_SEGMENTS = 16
_MOST_CASTS = 4
# A purpose of chance, apart from those of tracks and faults.
_STAGGER = 100


class Content(NamedTuple):
    """A scenario that is to be played: its id, the digest of its text, and how long it lasts."""

    scenario_id: str
    digest: str
    duration: int
    loop: bool
    ends: int | None


def next_slice(now: int) -> int:
    """The beginning of the first slice that is surely not being played yet."""
    return (now // SLICE_MS + 2) * SLICE_MS


def seed_of(command: Simulate) -> int:
    """The seed of a command: its own, else one that follows from its stamp."""
    if command.seed is not None:
        return command.seed
    digest = hashlib.blake2b(f"{command.stamp[0]} {command.stamp[1]}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % 2**53


def decide(
    before: Simulation | None,
    device_id: str,
    command: Simulate,
    content: Content | None,
    network_id: str | None,
    now: int,
) -> Simulation | None:
    """A simulation after a command; None where it stays as it is.

    ``content``: of the scenario that is named, where one is. ``now``: epoch ms.
    """
    if before is None:
        before = Simulation(project_id=command.project_id, device_id=device_id, stamp=(0, ""))
    elif command.stamp <= before.stamp:
        return None
    at = next_slice(now)
    state = before.state_at(now)
    marked = msgspec.structs.replace(before, stamp=command.stamp)
    match command.action:
        case "pause":
            return _paused(marked, at) if state == "playing" else marked
        case "stop":
            return _stopped(marked, at)
        case "reset":
            return _reset(marked, at) if state in ("playing", "paused") else marked
        case "start" if _same(before, content):
            if state == "playing":
                return marked
            if state == "paused":
                return _resumed(marked, at)
    if content is None:
        # Without a scenario the last one begins again, if there was one.
        return _begun(marked, at) if before.content is not None else marked
    return _played(marked, command, content, network_id, at)


def settled(one: Simulation, now: int) -> Simulation | None:
    """A simulation that has played to its end, or has nothing more to send, marked so; None for any other."""
    if one.state == "playing" and one.ends is not None and one.state_at(now) == "finished":
        last = one.segments[-1]
        over = last.since + one.ends + 1 - last.position
        return msgspec.structs.replace(
            one, state="finished", run="", position=one.duration, segments=_closed(one, over)
        )
    if one.state != "playing" and one.active and not _recent(one, now):
        return msgspec.structs.replace(one, active=False, segments=_last(one), past=())
    return None


def _recent(one: Simulation, now: int) -> bool:
    ends = [part.until or 0 for cast in one.casts for part in cast.segments]
    return max(ends, default=0) >= now - KEPT_MS


def stopped(one: Simulation, now: int) -> Simulation:
    """A simulation that is no longer one: its device is gone, or not simulated any more."""
    return _stopped(one, next_slice(now))


def _same(before: Simulation, content: Content | None) -> bool:
    return content is None or content.scenario_id == before.scenario_id


def _closed(one: Simulation, at: int) -> tuple[Segment, ...]:
    """Its segments, the last of them ended."""
    kept = [part for part in one.segments if part.until is None or part.until > at - KEPT_MS]
    if kept and kept[-1].until is None:
        last = kept.pop()
        if last.since < at:
            kept.append(msgspec.structs.replace(last, until=at))
    return tuple(kept[-_MOST_SEGMENTS:])


def _last(one: Simulation) -> tuple[Segment, ...]:
    """What was played before a pause, however long it is: what is late or comes twice says when it was."""
    return one.segments[-1:] if one.run else ()


def _paused(one: Simulation, at: int) -> Simulation:
    return msgspec.structs.replace(
        one, state="paused", position=one.position_at(at), segments=_closed(one, at)
    )


def _stopped(one: Simulation, at: int) -> Simulation:
    return msgspec.structs.replace(one, state="stopped", run="", position=0, segments=_closed(one, at))


def _resumed(one: Simulation, at: int) -> Simulation:
    if not one.run:
        return _begun(one, at)
    segments = (*(_closed(one, at) or _last(one)), Segment(one.run, at, one.position))
    return msgspec.structs.replace(one, state="playing", active=True, segments=segments)


def _reset(one: Simulation, at: int) -> Simulation:
    if one.state == "paused":
        return msgspec.structs.replace(one, run="", position=0)
    return _begun(one, at)


def _begun(one: Simulation, at: int) -> Simulation:
    """The same from its beginning, as a run of its own."""
    key = playing.key_of(one.seed, one.device_id)
    since = at + int(chance.uniform(key, _STAGGER, 0) * one.stagger)
    run = playing.run_id(one.device_id, f"{one.content} {one.faults}", one.seed, since)
    return msgspec.structs.replace(
        one,
        state="playing",
        active=True,
        run=run,
        position=0,
        start_time=since,
        segments=(*_closed(one, at), Segment(run, since, 0)),
    )


def _played(
    one: Simulation, command: Simulate, content: Content, network_id: str | None, at: int
) -> Simulation:
    earlier = msgspec.structs.replace(one, segments=_closed(one, at))
    wanted = msgspec.structs.replace(
        one,
        scenario_id=content.scenario_id,
        content=content.digest,
        duration=content.duration,
        loop=content.loop,
        ends=content.ends,
        seed=seed_of(command),
        faults="" if command.faults is None else msgspec.json.encode(command.faults).decode(),
        stagger=command.stagger,
        network_id=network_id,
        segments=(),
        past=tuple(cast for cast in earlier.casts if _is_of_late(cast, at))[-_MOST_CASTS:],
    )
    return _begun(wanted, at)


def _is_of_late(cast: Cast, at: int) -> bool:
    return any(part.until is None or part.until > at - KEPT_MS for part in cast.segments)
