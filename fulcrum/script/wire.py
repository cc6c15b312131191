"""What travels between ``reason`` and a script's function: one call, with all events of a batch, as JSON.

Times are integer epoch milliseconds, names on the wire camelCase. A call holds what its events share once:
definitions, states and caches by id; :class:`Event` says which of them are its own. Events are run in the
order in which they stand. What one does to its device's data and to the caches, the later ones see.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from fulcrum.core.writes import Write

VERSION = 1

# Of one event; what is over them fails that event alone.
MAX_EFFECTS = 100
MAX_RESULT_BYTES = 256_000
MAX_MESSAGE_BYTES = 100_000
# How long (ms) a message may wait for its device.
MAX_TTL = 28 * 86_400_000
MAX_CACHE_BYTES = 100_000
MAX_SCRIPT_CACHE_BYTES = 400_000
# Everything that one run leaves behind stands in one document of the store.
MAX_OUTCOME_BYTES = 800_000
# Of the log of one event; what is over them is cut, and the log says so.
MAX_LOG_LINES = 100
MAX_LOG_BYTES = 16_000
# The end of the year 9999, in ms.
MAX_TIME = 253_402_300_799_999

Status = Literal["done", "unmet", "failed"]
FailureKind = Literal["exception", "timeout", "memory", "exit", "output", "result", "effects", "load"]
Level = Literal["info", "error"]
_Time = Annotated[int, msgspec.Meta(ge=0, le=MAX_TIME)]
# No more than a day: a script that says what it used may say anything.
_Microseconds = Annotated[int, msgspec.Meta(ge=0, le=86_400_000_000)]


class _Wire(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    pass


class Event(_Wire, frozen=True, kw_only=True):
    """One event to run.

    ``key`` names the run (:func:`fulcrum.script.identity.run_key`), ``seed`` its random numbers. ``now``:
    the time that the script sees, which is when the event was received. ``device_id`` is None for what
    concerns no device. ``follows``: which data later events of this call find at the device: those of this
    event as it came (``input``, where it is written whatever the script says), or as the script leaves it
    (``result``).
    """

    key: str
    message: dict[str, Any]
    now: int
    seed: str
    device_id: str | None = None
    params: dict[str, Any] = {}
    follows: Literal["input", "result"] = "result"


class Device(_Wire, frozen=True, kw_only=True):
    """A device as a script may see it; ``registers``: its state (:func:`fulcrum.core.fold.encode`)."""

    device: dict[str, Any]
    registers: str = ""


class Call(_Wire, frozen=True, kw_only=True):
    """All events of a batch for one entry point of one script.

    What no entry point needs is left out. ``caches``: by device id.
    """

    v: int = VERSION
    script_id: str
    project_id: str
    entry: str = "run"
    project: dict[str, Any] = {}
    systems: dict[str, dict[str, Any]] = {}
    blueprints: dict[str, dict[str, Any]] = {}
    devices: dict[str, Device] = {}
    caches: dict[str, Any] = {}
    script_cache: Any = None
    events: list[Event]


class _Effect(
    msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True, tag_field="type"
):
    pass


class SendEmail(_Effect, frozen=True, kw_only=True, tag="sendEmail"):
    """A mail. ``message``: fields of an ``emailMsg`` (subject, text, html, to, template, context...)."""

    message: dict[str, Any]


class SendSms(_Effect, frozen=True, kw_only=True, tag="sendSms"):
    """A text message. ``message``: fields of an ``smsMsg`` (recipients, message, templateId, context...)."""

    message: dict[str, Any]


class SetDeviceData(_Effect, frozen=True, kw_only=True, tag="setDeviceData"):
    """Data for a device of the project, at ``time``.

    ``route``: it goes along the device's own route, scripts included; otherwise straight to storage.
    """

    device_id: str
    data: list[Write]
    time: _Time
    route: bool = False


class SendMessage(_Effect, frozen=True, kw_only=True, tag="sendMessage"):
    """A message to a device of the project, given up after ``ttl`` ms (None: a day).

    Of those to one device with the same ``key`` only the newest goes out.
    """

    device_id: str
    message: Any
    ttl: int | None = None
    key: str | None = None


class SetTimer(_Effect, frozen=True, kw_only=True, tag="setTimer"):
    """Sets (or sets anew) a timer. ``timer``: ``{"type": "once", "delay": ms}`` and so on.

    ``action``: of a timer (``publishTopic``, ``queryUrl``); None: run ``entry`` of this script with
    ``params``, for ``device_id`` if there is one.
    """

    id: str
    timer: dict[str, Any]
    action: dict[str, Any] | None = None
    entry: str = "run"
    params: dict[str, Any] = {}
    device_id: str | None = None


class CancelTimer(_Effect, frozen=True, kw_only=True, tag="cancelTimer"):
    """Cancels a timer that scripts set; one that is not there is no error."""

    id: str


class Publish(_Effect, frozen=True, kw_only=True, tag="publish"):
    """A message to a topic that is declared for users, or to another script (topic ``reason``)."""

    topic: str
    message: dict[str, Any]
    options: dict[str, Any] = {}


Effect = SendEmail | SendSms | SetDeviceData | SendMessage | SetTimer | CancelTimer | Publish


class LogLine(_Wire, frozen=True, kw_only=True):
    """One line that a script logged."""

    level: Level = "info"
    text: str


class Failure(_Wire, frozen=True, kw_only=True):
    """Why an event's run came to nothing. ``type`` is the exception's name where there was one."""

    kind: FailureKind
    type: str = ""
    message: str = ""
    traceback: str = ""


class Cache(_Wire, frozen=True, kw_only=True):
    """A cache that a run has set; in a structure of its own, because None is a value too."""

    value: Any = None


class Outcome(_Wire, frozen=True, kw_only=True):
    """What became of one event.

    ``result``: None carries on unchanged, False stops, an object is the message in its place. ``missing``:
    what the entry point needs and this event has not (status ``unmet``: it was not run and goes on
    unchanged). Of a failed one nothing counts but its log. ``cpu_us`` and ``wall_us``: of this event, in µs.
    """

    key: str
    status: Status = "done"
    result: Literal[False] | dict[str, Any] | None = None
    effects: list[Effect] = []
    cache: Cache | None = None
    script_cache: Cache | None = None
    logs: list[LogLine] = []
    missing: list[str] = []
    failure: Failure | None = None
    cpu_us: _Microseconds = 0
    wall_us: _Microseconds = 0


class Answer(_Wire, frozen=True, kw_only=True):
    """The outcomes of a call, one an event, in their order. ``script_version``: of the code that ran.

    Where time was up there are fewer outcomes than events, at least one: those that are left were not begun.
    Call again for them, with states and caches as the first ones leave them.
    """

    v: int = VERSION
    script_version: int
    outcomes: list[Outcome]


class Entry(_Wire, frozen=True, kw_only=True):
    """An entry point. ``needs``: name of context data → True, or the paths or names that must be there."""

    name: str
    needs: dict[str, bool | list[str]] = {}


class Description(_Wire, frozen=True, kw_only=True):
    """What the code offers, as found by loading it.

    ``isolation``: the measures that hold where it runs. ``missing``: those that the system does not have,
    with the reason.
    """

    v: int = VERSION
    script_version: int
    entries: list[Entry]
    isolation: list[str] = []
    missing: list[str] = []
