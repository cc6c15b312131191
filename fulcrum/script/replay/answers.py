"""What one side of a replay answers: of each line what it came to, and in the end what it came to in all."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from fulcrum.script.wire import Effect, FailureKind, Status

# How many of what is shown one by one are kept; the rest is counted.
KEPT = 50
# Into how many parts the period is divided for charts.
PARTS = 60


class Came(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a run came to, as far as two versions are compared by it."""

    status: Status
    result: Literal[False] | dict[str, Any] | None
    effects: list[Effect]
    missing: list[str]
    # Kind, type, message; a traceback differs with every line that a version has more.
    failure: tuple[FailureKind, str, str] | None


class Touched(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A device's data below those top-level keys that were written to.

    ``data``: as JSON, after it; ``gone``: keys below which there is nothing. ``before``: the same before it,
    for what the event itself did not write: the other side may have written nothing there.
    """

    device_id: str
    data: bytes
    gone: list[str] = []
    before: bytes = b""


class Ran(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One run, or one write. ``key``: empty for the line's own event, else what it is of.

    ``came``: a :class:`Came` as JSON, empty where the event goes on unchanged and nothing was asked for.
    """

    key: str
    device_id: str
    now: int
    came: bytes
    touched: list[Touched]


encode = msgspec.json.Encoder(order="deterministic").encode
# Of one line: what was run and written, in its order.
encode_ran = msgspec.msgpack.Encoder().encode
ran_decoder = msgspec.msgpack.Decoder(list[Ran])
came_decoder = msgspec.json.Decoder(Came)
UNCHANGED = encode(Came("done", None, [], [], None))


class Example(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """One event that something is shown of. Times are epoch ms."""

    device_id: str = ""
    event_id: str = ""
    time: int = 0
    text: str = ""


class ErrorGroup(msgspec.Struct, rename="camel", kw_only=True):
    """Failures that have their kind, type and place in the code in common."""

    kind: str
    type: str
    message: str
    traceback: str
    count: int = 0
    devices: int = 0
    first: Example = msgspec.field(default_factory=Example)


Difference = Literal["order", "version", "retention", "outside"]


class Deviation(msgspec.Struct, rename="camel", kw_only=True):
    """One event at which the replay of a version is not what was recorded."""

    difference: Difference
    event: Example
    recorded: str
    replayed: str


class Fidelity(msgspec.Struct, rename="camel", kw_only=True):
    """How the replay of the deployed version compares with what was recorded.

    ``compared``: runs that both are known of; ``same``: of them, those that came to the same. ``counts``: the
    others by why: ``order`` (an earlier event was stored after this one had come, or caches are shared by
    devices), ``version`` (another version ran then), ``retention`` (what was known then is gone), ``outside``
    (none of these: the script asked the world outside, or a clock).
    """

    compared: int = 0
    same: int = 0
    other_version: int = 0
    counts: dict[str, int] = {}
    examples: list[Deviation] = []


class Totals(msgspec.Struct, rename="camel", kw_only=True):
    """What one side came to in all. ``wall``: how many runs took so many µs, by buckets of 2 %."""

    events: int = 0
    runs: int = 0
    timer_runs: int = 0
    writes: int = 0
    statuses: dict[str, int] = {}
    results: dict[str, int] = {}
    effects: dict[str, int] = {}
    recipients: dict[str, int] = {}
    errors: list[ErrorGroup] = []
    other_errors: int = 0
    cpu_us: int = 0
    wall: dict[int, int] = {}
    # By part of the period: events, and what was sent or failed in it.
    parts: dict[int, dict[str, int]] = {}
    devices: int = 0
    inexact: dict[str, int] = {}
    fidelity: Fidelity = msgspec.field(default_factory=Fidelity)
