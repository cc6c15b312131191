"""What simulated devices play: what is asked of them, and where they are in it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.model.base import EpochMs, Identifier, Model, Name
from shared.model.scenario import DataPath, Faults

MAX_DEVICES = 1_000
Seed = Annotated[int, Field(ge=0, lt=2**53, examples=[42])]
Stagger = Annotated[int, Field(ge=0, le=3_600_000, examples=[1000])]
Action = Literal["play", "start", "pause", "reset", "stop"]
SimulationState = Literal["playing", "paused", "stopped", "finished"]


class Playing(Model):
    """How a scenario is played."""

    seed: Seed | None = Field(default=None, description="Of all chance; another one each time without it")
    faults: Faults | None = Field(default=None, description="In place of the scenario's own")
    stagger: Stagger = Field(default=0, description="Devices begin within so many ms, each at its own time")


class PlayScenario(Playing):
    """Which scenario a device is to play, from its beginning."""

    scenario_id: Identifier


class StartSim(Playing):
    """What a device is to play if it is not paused: what it played last, or the one that its blueprint has,
    if nothing is said."""

    scenario_id: Identifier | None = None


class SimulateBlueprint(StartSim):
    """What the simulated devices of a blueprint are to do, of one system or all."""

    action: Action
    system_id: Identifier | None = None
    after: str | None = Field(
        default=None, max_length=4000, description="The 'next' of the answer before, where there are more"
    )

    @model_validator(mode="after")
    def _what(self) -> SimulateBlueprint:
        if self.action == "play" and self.scenario_id is None:
            raise ValueError("say which scenario is to be played: scenarioId")
        return self


class SimulateMany(SimulateBlueprint):
    """What many devices are to do: those that are named, or the simulated ones of a system or a blueprint."""

    device_ids: list[Identifier] | None = Field(default=None, min_length=1, max_length=MAX_DEVICES)
    blueprint_id: Identifier | None = None

    @model_validator(mode="after")
    def _whose(self) -> SimulateMany:
        chosen = self.system_id is not None or self.blueprint_id is not None
        if (self.device_ids is None) is not chosen:
            raise ValueError("say which devices: deviceIds, or systemId and blueprintId or one of them")
        return self


class SimulationAccepted(Model):
    """What was asked for is safe, and done a moment later."""

    status: Literal["accepted"] = "accepted"
    device_id: Identifier
    scenario_id: Identifier | None = None
    time: EpochMs


class NotSimulated(Model):
    """A device that does not do what was asked, and why."""

    device_id: str
    error: str = Field(examples=["device.notSimulated"])


class SimulationsAccepted(Model):
    """How many devices were asked; ``refused``: those that were named and cannot."""

    accepted: int = Field(examples=[500])
    refused: list[NotSimulated] = Field(default_factory=list)
    next: str | None = Field(
        default=None, description="There are more: send it as 'after', with the rest as it was"
    )
    time: EpochMs


class Simulation(Model):
    """What a device plays, and where it is in it.

    ``position``: ms since it began, pauses left out; of one that loops, all rounds counted.
    """

    device_id: Identifier
    state: SimulationState = "stopped"
    scenario_id: Identifier | None = None
    seed: int | None = None
    started: EpochMs | None = Field(default=None, description="When it began")
    position: int = Field(default=0, description="In ms", examples=[61_000])
    duration: int | None = Field(default=None, description="Of the scenario, in ms")
    loop: bool = False


class RecordScenario(Model):
    """What of a device's history becomes a scenario: from ``start`` to ``end``, all paths or some."""

    name: Name
    start: EpochMs
    end: EpochMs
    paths: list[DataPath] = Field(default_factory=list, max_length=100)
    loop: bool = False
