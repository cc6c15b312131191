"""Scenarios: what a simulated device of a blueprint reports over time."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from fulcrum.core import paths
from shared.model.base import Description, Identifier, Json, Kind, Model, Name, Resource, Tags

MAX_DURATION_MS = 7 * 24 * 3_600_000
MAX_TRACKS = 100
MAX_FRAMES = 2000
# Between two frames a value is sent as often as this at most.
MIN_EVERY_MS = 250

Milliseconds = Annotated[int, Field(ge=0, le=MAX_DURATION_MS, examples=[60_000])]


class Frame(Model):
    """A value at an instant, and how the values from here to the next frame are found.

    ``step`` keeps the value and sends nothing in between; the others need numbers at both ends and send
    every ``every`` ms: ``linear`` and ``sine`` go from one to the other, ``random`` draws between them.
    """

    t: Milliseconds = Field(description="When, in ms from the start")
    value: Json = Field(examples=[4.5])
    interp: Literal["step", "linear", "sine", "random"] = "step"
    every: int | None = Field(default=None, ge=MIN_EVERY_MS, le=MAX_DURATION_MS, examples=[5000])


class Track(Model):
    """The values of one path of the device's data."""

    path: str = Field(examples=["engine/temperature"])
    frames: list[Frame] = Field(min_length=1, max_length=MAX_FRAMES)

    @model_validator(mode="after")
    def _sound(self) -> Track:
        if problem := paths.problem(self.path):
            raise ValueError(problem)
        for frame, following in zip(self.frames, [*self.frames[1:], None], strict=True):
            if following is not None and following.t <= frame.t:
                raise ValueError(
                    f"{self.path}: the frame at {following.t} ms does not come after {frame.t} ms"
                )
            if frame.interp == "step":
                continue
            if frame.every is None:
                raise ValueError(f"{self.path}: the frame at {frame.t} ms says no 'every', in ms")
            ends = (frame, following) if following is not None else (frame,)
            if not all(
                isinstance(end.value, int | float) and not isinstance(end.value, bool) for end in ends
            ):
                raise ValueError(
                    f"{self.path}: {frame.interp!r} from {frame.t} ms needs numbers at both ends"
                )
        return self


class ScenarioCreate(Model):
    """A new scenario."""

    name: Name
    desc: Description | None = None
    blueprint_id: Identifier
    duration: int = Field(ge=1000, le=MAX_DURATION_MS, description="In ms", examples=[3_600_000])
    loop: bool = Field(default=False, description="Begins again at its end")
    tracks: list[Track] = Field(max_length=MAX_TRACKS)
    tags: Tags = Field(default_factory=list)

    @model_validator(mode="after")
    def _within(self) -> ScenarioCreate:
        seen: set[str] = set()
        for track in self.tracks:
            if track.path in seen:
                raise ValueError(f"{track.path} has two tracks: put their frames into one")
            seen.add(track.path)
            if track.frames[-1].t > self.duration:
                raise ValueError(
                    f"{track.path}: a frame at {track.frames[-1].t} ms is after the scenario's end"
                )
        return self


class Scenario(ScenarioCreate, Resource):
    """A scenario."""


SCENARIO: Kind[Scenario] = Kind(
    name="scenario",
    collection="scenarios",
    model=Scenario,
    create=ScenarioCreate,
    patchable=frozenset({"name", "desc", "duration", "loop", "tracks", "tags"}),
    json_text=frozenset({"tracks"}),
)
