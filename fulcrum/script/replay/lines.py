"""The input of a replay, a line of JSON each: what the API streams, and what a saved file holds.

The order: one :class:`Header`; then definitions, states and caches as they stood at ``since``; then events,
runs and writes in the order in which they were received (received time, event time, event id); last an
:class:`End`, without which an input is not whole. Times are epoch milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from fulcrum.core.writes import Write
from fulcrum.script.wire import Cache, Entry

VERSION = 1
Selection = Literal["ran", "all"]
DefinitionKind = Literal["project", "system", "blueprint", "device"]


class Line(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True, tag_field="t"):
    """Root of all lines; ``t`` says which one it is."""


class Note(msgspec.Struct, frozen=True, rename="camel"):
    """Something that cannot be exact. ``code`` is stable: ``retention``, ``definitions``, ``late`` ..."""

    code: str
    text: str


class Header(Line, frozen=True, kw_only=True, tag="header"):
    """What the input is of. ``version`` 0: none is deployed, and ``code`` is empty.

    ``selection``: ``ran``: events are those that the script ran on, and what else the devices sent stands as
    writes; ``all``: every event of the devices is an event for the script. ``count``: about how many lines
    of events and writes follow, for whoever shows progress.
    """

    v: int = VERSION
    project_id: str
    script_id: str
    name: str = ""
    alias: str = ""
    version: int = 0
    code: str = ""
    files: dict[str, str] = {}
    requirements: str = ""
    entries: list[Entry] = []
    since: int
    until: int
    selection: Selection = "ran"
    count: int = 0
    notes: list[Note] = []


class Definition(Line, frozen=True, kw_only=True, tag="definition"):
    """A project, system, blueprint or device as it is defined today."""

    kind: DefinitionKind
    id: str
    value: dict[str, Any]


class State(Line, frozen=True, kw_only=True, tag="state"):
    """The registers of a device as they were at ``since`` (:func:`fulcrum.core.fold.encode`).

    ``late``: when the last of it was stored, where that was not before ``since``.
    """

    device_id: str
    registers: str
    late: int | None = None


class CacheLine(Line, frozen=True, kw_only=True, tag="cache"):
    """A cache as it was at ``since``: of a device, or (None) of the script.

    ``late``: when the last run began of an event received before ``since`` that came after runs of later
    events: what it left stands in no line.
    """

    device_id: str | None = None
    value: Any = None
    late: int | None = None


class Run(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """What a run of the script came to when it happened.

    ``result``: unchanged, stopped or replaced; ``message``: the one in its place. ``effects``: as they were
    carried out, each with its ``id``. ``started``: when its call began, ``seq``: its place in it.
    """

    key: str
    version: int
    started: int
    seq: int = 0
    status: str = "done"
    result: str | None = None
    message: dict[str, Any] | None = None
    effects: list[dict[str, Any]] = []
    cache: Cache | None = None
    script_cache: Cache | None = None
    failure_kind: str = ""
    failure_type: str = ""
    failure_message: str = ""
    cpu_us: int = 0
    wall_us: int = 0


def asked(effect: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded effect as the script asked for it.

    Recorded, ``id`` is the effect's own; what the script calls a timer stands in ``timerId``.
    """
    made = {name: value for name, value in effect.items() if name != "id"}
    if "timerId" in made:
        made["id"] = made.pop("timerId")
    return made


class Event(Line, frozen=True, kw_only=True, tag="event"):
    """One event for the script, and what it came to, if it ran.

    ``now``: when it was received, or when a timer was due. ``stored``: when the history got it; None where
    that is not known. ``follows``: as of :class:`fulcrum.script.wire.Event`. ``seed``: of its random numbers.
    """

    message: dict[str, Any]
    now: int
    seed: str = ""
    device_id: str | None = None
    entry: str = "run"
    params: dict[str, Any] = {}
    stored: int | None = None
    follows: Literal["input", "result"] = "result"
    run: Run | None = None


class Writing(Line, frozen=True, kw_only=True, tag="write"):
    """Data of a device that did not come by this script; it changes the state alone.

    ``time`` and ``id`` are its stamp. ``script_id``: of the script that wrote it. ``own``: it is what this
    script itself set when it ran, and a replay takes its own in its place.
    """

    device_id: str
    time: int
    id: str
    now: int
    data: list[Write] = []
    stored: int | None = None
    script_id: str = ""
    own: bool = False


class End(Line, frozen=True, kw_only=True, tag="end"):
    """The input is whole. ``count``: lines of events and writes; ``skipped``: what could be made into none.

    ``skipped``: by reason; ``input``: events that ran and whose content no history has.
    """

    count: int
    skipped: dict[str, int] = {}


AnyLine = Header | Definition | State | CacheLine | Event | Writing | End

decoder = msgspec.json.Decoder(AnyLine)
encode = msgspec.json.Encoder().encode
