"""What a replay found. :class:`Report` as JSON is what ``--json`` writes: its shape grows, nothing goes."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from fulcrum.script.replay.answers import ErrorGroup, Example, Fidelity
from fulcrum.script.replay.lines import Note


class _Part(msgspec.Struct, rename="camel", kw_only=True):
    pass


class Sent(_Part, kw_only=True):
    """A mail, a text message, a timer or a message, of one side alone. ``to``: who gets it."""

    kind: Literal["sms", "email", "message", "timer", "publish", "other"]
    event: Example
    to: list[str] = []
    text: str = ""


class Change(_Part, kw_only=True):
    """One event that comes to something else: shown as text, before and after."""

    event: Example
    before: str
    after: str


class PathDifference(_Part, kw_only=True):
    """A path of devices' data that differs.

    ``devices``: at how many devices it ever differed; ``events``: after how many events; ``final``: at how
    many devices in the end. ``examples``: of devices, their values in the end or where it last differed.
    """

    path: str
    devices: int = 0
    events: int = 0
    final: int = 0
    examples: list[PathExample] = []


class PathExample(_Part, kw_only=True):
    """The value of a path at one device on both sides, as JSON; None: there is none."""

    device_id: str
    before: str | None
    after: str | None
    final: bool


class Figures(_Part, kw_only=True):
    """What one side came to. Times in µs, ``cpu_us`` of an event, ``usd_per_million``: see ``costs``."""

    label: str
    version: int = 0
    events: int = 0
    runs: int = 0
    timer_runs: int = 0
    failed: int = 0
    unmet: int = 0
    stopped: int = 0
    replaced: int = 0
    sms: int = 0
    email: int = 0
    messages: int = 0
    timers: int = 0
    publishes: int = 0
    data_writes: int = 0
    cpu_us: float = 0.0
    p50_us: float = 0.0
    p95_us: float = 0.0
    usd_per_million: float = 0.0
    errors: list[ErrorGroup] = []
    other_errors: int = 0


class Day(_Part, kw_only=True):
    """A part of the period for charts: its start, and what each side sent and failed in it."""

    start: int
    events: int = 0
    changed: int = 0
    before: dict[str, int] = {}
    after: dict[str, int] = {}


class Report(_Part, kw_only=True):
    """A comparison of two versions over recorded events; ``before`` None: one version alone was replayed.

    ``complete`` is false where the replay was ended early: all counts are then of the events so far.
    ``events_changed``: events that come to something else (status, result or effects). ``gained`` and
    ``lost``: how many of each kind only the new version, only the old one sends; ``sent_only_after`` and
    ``sent_only_before`` show the first of them. ``moved``: pairs of the two, of one device and kind within a
    day: most likely the same thing at another time.
    """

    v: int = 1
    script_id: str
    script_name: str
    project_id: str
    since: int
    until: int
    selection: str
    # Of the devices that are shown, by id.
    device_names: dict[str, str] = {}
    devices: int = 0
    events: int = 0
    complete: bool = True
    seconds: float = 0.0
    before: Figures | None = None
    after: Figures
    events_changed: int = 0
    changes: list[Change] = []
    changed_by: dict[str, int] = {}
    gained: dict[str, int] = {}
    lost: dict[str, int] = {}
    moved: dict[str, int] = {}
    sent_only_after: list[Sent] = []
    sent_only_before: list[Sent] = []
    state_changed: int = 0
    devices_changed: int = 0
    devices_differ_finally: int = 0
    paths: list[PathDifference] = []
    other_paths: int = 0
    fidelity: Fidelity | None = None
    days: list[Day] = []
    notes: list[Note] = []
    problems: list[str] = []
    rules: list[Verdict] = []

    def to_json(self) -> Any:
        """As plain JSON values."""
        return msgspec.to_builtins(self)


class Verdict(_Part, kw_only=True):
    """A rule of ``--fail-on``, and whether it is broken."""

    rule: str
    broken: bool
    text: str
