"""What is known of an event, from where: rows of the history, runs, quarantine, messages sent, log lines.

Times are in epoch microseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

INGEST = "ingest"


@dataclass(frozen=True)
class Row:
    """A row of ``device_events``; a repeat is a row of its own."""

    device_id: str
    event_id: str
    content_hash: str
    kind: str
    time: int
    received: int
    stored: int
    message_id: str | None = None
    source: str | None = None
    script_id: str | None = None


@dataclass(frozen=True)
class Run:
    """A row of ``script_runs``. ``effects``: (id, type, whom or what it concerns).

    ``set_by``: of a run that a script's timer had, the effect that set it.
    """

    run_key: str
    script_id: str
    version: int
    entry: str
    started: int
    stored: int
    status: str
    device_id: str | None = None
    event_id: str | None = None
    content_hash: str | None = None
    received: int | None = None
    message_id: str | None = None
    result: str | None = None
    repeated: bool = False
    effects: Sequence[tuple[str, str, str]] = ()
    failure: str | None = None
    wall: int | None = None
    set_by: str | None = None


@dataclass(frozen=True)
class Aside:
    """An entry of the quarantine."""

    id: str
    error_type: str
    message: str
    service: str
    time: int
    source_message_id: str | None = None
    subscription: str | None = None


_STATES = {
    "kept": "in the outbox",
    "sending": "being sent",
    "waiting": "waits for another try",
    "undelivered": "not delivered",
    "limited": "held back by its limits",
}


@dataclass(frozen=True)
class Mail:
    """A mail or text message in the outbox; ``source``: the id of the effect that it is.

    ``state``: what became of it (see ``shared.outbox``), and ``problem`` the code of why it is not further.
    """

    id: str
    kind: str
    source: str
    time: int
    recipients: int
    message_id: str | None = None
    state: str = "kept"
    problem: str | None = None

    @property
    def said(self) -> str:
        """What it is, to how many, and what became of it, in words."""
        noun = "text message" if self.kind == "sms" else "mail"
        people = f"{self.recipients} recipient{'s' if self.recipients != 1 else ''}"
        problem = f" ({self.problem})" if self.problem else ""
        return f"{noun} to {people}, {_STATES.get(self.state, self.state)}{problem}"


@dataclass(frozen=True)
class ToDevice:
    """A message to a device; ``id``: of the effect that it is. ``time``: when its ``state`` changed last."""

    id: str
    device_id: str
    state: str
    time: int
    problem: str | None = None

    @property
    def said(self) -> str:
        """What became of it, in words."""
        state = "waits for its device" if self.state == "queued" else self.state
        return f"message to the device, {state}" + (f" ({self.problem})" if self.problem else "")


@dataclass(frozen=True)
class Unknown:
    """An outside name that no device has, whose latest event is the one that is looked for."""

    id: str
    network_id: str
    name: str
    received: int


@dataclass(frozen=True)
class Line:
    """A line of a service's log."""

    time: int
    service: str
    message: str
    severity: str
    payload: dict[str, Any]

    @property
    def message_id(self) -> str | None:
        """The message that it is about."""
        return _text(self.payload.get("messageId"))

    @property
    def project_id(self) -> str | None:
        """Whose message that is."""
        return _text(self.payload.get("projectId"))

    @property
    def published(self) -> list[str]:
        """The messages that came of it."""
        return [one for one in _list(self.payload.get("published")) if isinstance(one, str)]

    @property
    def event_ids(self) -> list[str]:
        """The events in it, each behind its project, where they are few."""
        return [one for one in _list(self.payload.get("eventIds")) if isinstance(one, str)]

    @property
    def attempt(self) -> int | None:
        """Which delivery it was, from 1 on; None where nobody counts."""
        return self.count("attempt") or None

    @property
    def ms(self) -> float | None:
        """How long it took."""
        value = self.payload.get("ms")
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    @property
    def began(self) -> int:
        """When the work began that it tells of."""
        return self.time - int((self.ms or 0) * 1000)

    @property
    def failed(self) -> bool:
        """Whether it says that the delivery failed."""
        return self.severity in ("WARNING", "ERROR", "CRITICAL") and "error" in self.payload

    def count(self, name: str) -> int:
        """One of its counts."""
        value = self.payload.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0


@dataclass
class Facts:
    """All of it. ``event_id``: the one that is asked for."""

    project_id: str
    event_id: str
    rows: list[Row] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    asides: list[Aside] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    to_devices: dict[str, ToDevice] = field(default_factory=dict)
    unknown: list[Unknown] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def key(self) -> str:
        """How a line of ingest names the event."""
        return f"{self.project_id}/{self.event_id}"

    @property
    def message_ids(self) -> set[str]:
        """The messages that certainly had the event, or an effect of it, in them."""
        found = {row.message_id for row in self.rows} | {run.message_id for run in self.runs}
        found |= {mail.message_id for mail in self.mails}
        found |= {aside.source_message_id for aside in self.asides}
        return {one for one in found if one}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
