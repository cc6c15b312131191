"""Simulations as they are stored: what each simulated device plays, and the shards that play them.

projects/{p}/simulations/{deviceId}          what a device plays, and where it is in it
projects/{p}/simulationContents/{digest}     a scenario as it was when it was started: never changed, but for
                                             when it was ``used`` last; kept while a simulation names it
projects/{p}/simulationShards/{n}            devices that are played together. ``revision`` changes with every
                                             command; tasks are made up to ``armedUntil`` (epoch ms)
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from fulcrum.simulation.playing import Segment
from shared import names

State = Literal["playing", "paused", "stopped", "finished"]
TOPIC = "simulator"
# What is sent within so many ms is published together, at their end.
SLICE_MS = 1_000

_encode = msgspec.json.encode


class Cast(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a device played before it got something else to play, of which slices may still be to come."""

    content: str
    seed: int
    segments: tuple[Segment, ...]
    faults: str = ""
    network_id: str | None = None


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """What a device plays. ``stamp``: of the last command that took effect.

    ``run`` and ``position``: which run it plays, and where it goes on if it is paused. ``content``: names the
    scenario as it was when it was started. ``faults``: JSON, in place of the scenario's own; empty: those.
    ``ends``: the position after which nothing more is sent; None: never. ``active``: it may still have
    something to send. ``network_id``: under which it sends.
    """

    project_id: str
    device_id: str
    stamp: tuple[int, str]
    state: State = "stopped"
    scenario_id: str | None = None
    content: str | None = None
    duration: int = 0
    loop: bool = False
    ends: int | None = None
    seed: int = 0
    faults: str = ""
    stagger: int = 0
    network_id: str | None = None
    shard: int = 0
    active: bool = False
    run: str = ""
    position: int = 0
    start_time: int | None = None
    segments: tuple[Segment, ...] = ()
    past: tuple[Cast, ...] = ()

    @property
    def casts(self) -> tuple[Cast, ...]:
        """All that it may still have something to send of."""
        if self.content is None or not self.segments:
            return self.past
        return (*self.past, Cast(self.content, self.seed, self.segments, self.faults, self.network_id))

    def state_at(self, clock: int) -> State:
        """Its state at an instant: what has played to its end is finished, whoever has noted it."""
        if self.state == "playing" and self.ends is not None and self.position_at(clock) > self.ends:
            return "finished"
        return self.state

    def position_at(self, clock: int) -> int:
        """Where it is, in ms since it began, pauses left out."""
        if self.state == "playing" and self.segments:
            return max(self.segments[-1].position, self.segments[-1].at(clock))
        return self.position


_segments = msgspec.json.Decoder(tuple[Segment, ...]).decode
_casts = msgspec.json.Decoder(tuple[Cast, ...]).decode


def name(project_id: str, device_id: str) -> str:
    """The document of a device's simulation."""
    return names.document("projects", project_id, "simulations", device_id)


def content_name(project_id: str, content: str) -> str:
    """The document of a scenario as it was when it was started."""
    return names.document("projects", project_id, "simulationContents", content)


def shard_name(project_id: str, shard: int) -> str:
    """The document of a shard."""
    return names.document("projects", project_id, "simulationShards", str(shard))


def from_fields(document: str, fields: dict[str, Any]) -> Simulation:
    """A simulation from its document's name and plain fields."""
    parts = document.split("/")
    return Simulation(
        project_id=parts[-3],
        device_id=parts[-1],
        stamp=(fields["stampTime"], fields["stampId"]),
        state=fields["state"],
        scenario_id=fields.get("scenarioId"),
        content=fields.get("content"),
        duration=fields.get("duration", 0),
        loop=fields.get("loop", False),
        ends=fields.get("ends"),
        seed=fields.get("seed", 0),
        faults=fields.get("faults", ""),
        stagger=fields.get("stagger", 0),
        network_id=fields.get("networkId"),
        shard=fields.get("shard", 0),
        active=fields.get("active", False),
        run=fields.get("run", ""),
        position=fields.get("position", 0),
        start_time=fields.get("startTime"),
        segments=_segments(fields.get("segments", "[]")),
        past=_casts(fields.get("past", "[]")),
    )


def to_fields(one: Simulation) -> dict[str, Any]:
    """The plain fields of a simulation's document."""
    made = {
        "deviceId": one.device_id,
        "state": one.state,
        "stampTime": one.stamp[0],
        "stampId": one.stamp[1],
        "scenarioId": one.scenario_id,
        "content": one.content,
        "duration": one.duration,
        "loop": one.loop,
        "ends": one.ends,
        "seed": one.seed,
        "faults": one.faults,
        "stagger": one.stagger,
        "networkId": one.network_id,
        "shard": one.shard,
        "active": one.active,
        "run": one.run,
        "position": one.position,
        "startTime": one.start_time,
        "segments": _encode(one.segments).decode(),
        "past": _encode(one.past).decode() if one.past else None,
    }
    return {key: value for key, value in made.items() if value is not None}
