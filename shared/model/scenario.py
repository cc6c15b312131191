"""Scenarios: what a simulated device of a blueprint reports over time."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, model_validator

from fulcrum.core import paths
from shared.errors import Rejected
from shared.model.base import Description, Identifier, Json, Kind, Model, Name, Resource, Tags

MAX_DURATION_MS = 7 * 24 * 3_600_000
MAX_TRACKS = 100
MAX_FRAMES = 10_000
MAX_POINTS = 10_000
# Between two frames a value is sent as often as this at most.
MIN_EVERY_MS = 250
MAX_NUMBER = 1e15

Milliseconds = Annotated[int, Field(ge=0, le=MAX_DURATION_MS, examples=[60_000])]
Every = Annotated[int, Field(ge=MIN_EVERY_MS, le=MAX_DURATION_MS, examples=[5000])]
Spread = Annotated[float, Field(ge=0, le=MAX_NUMBER, examples=[0.4])]
Share = Annotated[float, Field(ge=0, le=1, examples=[0.01])]
Speed = Annotated[float, Field(ge=0.001, le=100_000, description="In m/s", examples=[13.9])]
DataPath = Annotated[str, Field(max_length=paths.MAX_LENGTH, examples=["engine/temperature"])]


class Frame(Model):
    """A value at an instant, and how the values from here to the next frame are found.

    ``step`` keeps the value; with ``every`` it is sent again so often. The others need numbers at both ends
    and send every ``every`` ms: ``linear`` and ``sine`` go from one to the other, ``random`` draws between
    them, ``walk`` strays from one to the other, ``noise`` stays around this one. ``spread`` is the standard
    deviation of the noise, in a walk that of a step; the lines may have one too.
    """

    t: Milliseconds = Field(description="When, in ms from the start")
    value: Json = Field(examples=[4.5])
    interp: Literal["step", "linear", "sine", "random", "walk", "noise"] = "step"
    every: Every | None = None
    spread: Spread | None = None


class Point(Model):
    """A place on a line. ``speed`` holds from here on; ``halt`` is how long it stands here before, in ms."""

    lat: float = Field(ge=-90, le=90, examples=[59.91])
    lon: float = Field(ge=-180, le=180, examples=[10.75])
    speed: Speed | None = None
    halt: Milliseconds = 0


class Line(Model):
    """A way along great circles, of which the position is sent every ``every`` ms as ``{lat, lon}``.

    Heading (degrees from north), speed (m/s) and distance (m) are sent at the paths that are named.
    """

    points: list[Point] = Field(min_length=2, max_length=MAX_POINTS)
    speed: Speed
    every: Every
    at_end: Literal["stay", "back", "again"] = "stay"
    spread: float = Field(default=0, ge=0, le=1_000_000, description="Of the position, in m", examples=[4])
    heading_path: DataPath | None = None
    speed_path: DataPath | None = None
    distance_path: DataPath | None = None


class Track(Model):
    """The values of one path of the device's data: by frames, or along a line on the map.

    Numbers are held within ``min`` and ``max``, and rounded to ``decimals`` (to 9 digits without it).
    """

    path: str = Field(examples=["engine/temperature"])
    frames: list[Frame] = Field(default_factory=list, max_length=MAX_FRAMES)
    line: Line | None = None
    min: float | None = Field(default=None, ge=-MAX_NUMBER, le=MAX_NUMBER)
    max: float | None = Field(default=None, ge=-MAX_NUMBER, le=MAX_NUMBER)
    decimals: int | None = Field(default=None, ge=0, le=12)

    @property
    def paths(self) -> list[str]:
        """All paths that it sends."""
        further = (self.line.heading_path, self.line.speed_path, self.line.distance_path) if self.line else ()
        return [self.path, *(path for path in further if path is not None)]

    @model_validator(mode="after")
    def _sound(self) -> Track:
        for path in self.paths:
            if problem := paths.problem(path):
                raise ValueError(problem)
        if (self.line is None) is not bool(self.frames):
            raise ValueError(f"{self.path}: give frames, or a line, and not both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"{self.path}: 'min' is greater than 'max'")
        for frame, following in zip(self.frames, [*self.frames[1:], None], strict=False):
            if following is not None and following.t <= frame.t:
                raise ValueError(
                    f"{self.path}: the frame at {following.t} ms does not come after {frame.t} ms"
                )
            if frame.interp != "step":
                self._check_numbers(frame, following)
        return self

    def _check_numbers(self, frame: Frame, following: Frame | None) -> None:
        if frame.every is None:
            raise ValueError(f"{self.path}: the frame at {frame.t} ms says no 'every', in ms")
        if frame.interp in ("walk", "noise") and frame.spread is None:
            raise ValueError(f"{self.path}: the {frame.interp} from {frame.t} ms says no 'spread'")
        ends = (frame, following) if following is not None and frame.interp != "noise" else (frame,)
        if not all(_is_number(end.value) for end in ends):
            raise ValueError(f"{self.path}: {frame.interp!r} from {frame.t} ms needs numbers at both ends")


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and abs(value) <= MAX_NUMBER


class Late(Model):
    """In this share of its stretches of ``forMs`` a device cannot send until the stretch is over."""

    share: Share
    for_ms: int = Field(ge=1_000, le=3_600_000, examples=[60_000])


class Resets(Model):
    """A device restarts so often: it is silent for ``downMs``, its clock unset for ``unsetMs`` more."""

    per_hour: float = Field(ge=0.001, le=60, examples=[0.5])
    down_ms: int = Field(default=5_000, ge=0, le=3_600_000)
    unset_ms: int = Field(default=0, ge=0, le=3_600_000)


class Drift(Model):
    """Numbers go off by up to ``perHour`` an hour, each up or down, until the device restarts."""

    per_hour: float = Field(ge=0, le=1e12, examples=[0.2])
    paths: list[DataPath] = Field(
        default_factory=list, max_length=MAX_TRACKS, description="Which; without any all of them"
    )


class Faults(Model):
    """What goes wrong in a real fleet: events lost and sent twice, late ones, clocks, restarts, sensors."""

    lost: Share = 0
    repeated: Share = 0
    skew_ms: int = Field(
        default=0, ge=0, le=315_360_000_000, description="A clock is off by so much at most, fast or slow"
    )
    late: Late | None = None
    resets: Resets | None = None
    drift: Drift | None = None


class ScenarioFields(Model):
    """What a scenario says, of whichever blueprint it is."""

    name: Name
    desc: Description | None = None
    duration: int = Field(ge=1000, le=MAX_DURATION_MS, description="In ms", examples=[3_600_000])
    loop: bool = Field(default=False, description="Begins again at its end")
    tracks: list[Track] = Field(max_length=MAX_TRACKS)
    faults: Faults | None = None
    tags: Tags = Field(default_factory=list)

    @model_validator(mode="after")
    def _within(self) -> ScenarioFields:
        seen: set[str] = set()
        for track in self.tracks:
            for path in track.paths:
                if path in seen:
                    raise ValueError(f"{path} has two tracks: put their frames into one")
                seen.add(path)
            if track.frames and track.frames[-1].t > self.duration:
                raise ValueError(
                    f"{track.path}: a frame at {track.frames[-1].t} ms is after the scenario's end"
                )
        self._check_playable()
        return self

    def _check_playable(self) -> None:
        # What plays it has the last word. A start that only reads models does not pay for it.
        from fulcrum.simulation.playing import Play
        from fulcrum.simulation.scenario import parse

        try:
            Play(parse(msgspec.json.encode(self.wire())))
        except Rejected as error:
            raise ValueError(error.message) from None


class ScenarioCreate(ScenarioFields):
    """A new scenario."""

    blueprint_id: Identifier


class Scenario(ScenarioCreate, Resource):
    """A scenario."""


SCENARIO: Kind[Scenario] = Kind(
    name="scenario",
    collection="scenarios",
    model=Scenario,
    create=ScenarioCreate,
    patchable=frozenset({"name", "desc", "duration", "loop", "tracks", "faults", "tags"}),
    json_text=frozenset({"tracks"}),
)
