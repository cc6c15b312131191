"""A scenario as it is played: tracks of values, lines on the map, and what goes wrong in a real fleet.

JSON, camelCase; ``shared.model.scenario`` says the same to people and checks it more closely.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from fulcrum.core.errors import Rejected

Interp = Literal["step", "linear", "sine", "random", "walk", "noise"]
AtEnd = Literal["stay", "back", "again"]
# Between two values of a track no less time goes by, in ms.
MIN_EVERY_MS = 250


class _Part(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    pass


class Frame(_Part, frozen=True):
    """A value at ``t`` ms, and how the values from here to the next frame are found.

    ``step`` keeps the value; ``linear`` and ``sine`` go to the next one; ``random`` draws between the two;
    ``walk`` strays from one to the other, or on from the last; ``noise`` stays around the value. ``spread``:
    the standard deviation of the noise, of a walk that of its step. ``every``: a value is sent so often.
    """

    t: int
    value: Any
    interp: Interp = "step"
    every: int | None = None
    spread: float | None = None


class Point(_Part, frozen=True):
    """A place on a line; ``speed`` (m/s) from here on, ``halt`` ms before it goes on."""

    lat: float
    lon: float
    speed: float | None = None
    halt: int = 0


class Line(_Part, frozen=True):
    """A way along great circles at ``speed`` m/s, told every ``every`` ms.

    At its end the device stays, goes back, or begins again. ``spread``: of the position's noise, in metres.
    Heading (degrees from north), speed (m/s) and distance (m) are told at the paths that are named.
    """

    points: list[Point]
    speed: float
    every: int
    at_end: AtEnd = "stay"
    spread: float = 0.0
    heading_path: str | None = None
    speed_path: str | None = None
    distance_path: str | None = None


class Track(_Part, frozen=True):
    """The values of one path: by frames, or the positions along a line.

    Numbers are held within ``min`` and ``max`` and rounded to ``decimals``, to 9 digits without it.
    """

    path: str
    frames: list[Frame] = []
    line: Line | None = None
    min: float | None = None
    max: float | None = None
    decimals: int | None = None


class Late(_Part, frozen=True):
    """In this share of its stretches of ``forMs`` a device cannot send until the stretch is over."""

    share: float
    for_ms: int


class Resets(_Part, frozen=True):
    """A device restarts so often: it is silent for ``downMs``, its clock unset for ``unsetMs`` more."""

    per_hour: float
    down_ms: int = 5_000
    unset_ms: int = 0


class Drift(_Part, frozen=True):
    """Numbers go off by up to ``perHour`` an hour, up or down, until the device restarts. No paths: all."""

    per_hour: float
    paths: list[str] = []


class Faults(_Part, frozen=True):
    """What goes wrong: shares of events that are lost and that come twice, clocks off by up to ``skewMs``,
    and the rest by its own kind."""

    lost: float = 0.0
    repeated: float = 0.0
    skew_ms: int = 0
    late: Late | None = None
    resets: Resets | None = None
    drift: Drift | None = None


NO_FAULTS = Faults()


class Scenario(_Part, frozen=True):
    """What is played: ``duration`` ms of it, again and again if ``loop``."""

    duration: int
    tracks: list[Track]
    loop: bool = False
    faults: Faults = NO_FAULTS


_decoder = msgspec.json.Decoder(Scenario)
_encode = msgspec.json.Encoder(order="deterministic").encode


def parse(text: str | bytes) -> Scenario:
    """A scenario from its JSON, other fields passed over. Rejected (``scenario.invalid``) if it is none."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected("scenario.invalid", f"the scenario cannot be played: {error}") from None


def text_of(scenario: Scenario) -> str:
    """The JSON of what is played: the same scenario has the same text."""
    return _encode(scenario).decode()
