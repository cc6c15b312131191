"""From what is known of an event to its way: its steps as they began, what came of a run below it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fulcrum.core import ids
from functions.api.tracing import chain, steps
from functions.api.tracing.facts import INGEST, Facts, Line, Row, Run
from functions.api.tracing.models import EventTrace
from functions.api.tracing.steps import Draft
from functions.api.tracing.words import done_by, effect_text, run_text, stored_text

WRITER = "transponder"
_QUARANTINE = "quarantine"
# Deeper than any way goes: a message passes 16 services at most.
_DEEPEST = 20
# So many times is told what a timer had run.
_FIRINGS = 20

Identity = tuple[str | None, str | None]


def traces(facts: Facts) -> list[EventTrace]:
    """One for each event that has the id: the earliest first. Empty if nothing knows one."""
    identities: dict[Identity, None] = {}
    known: list[Row | Run] = [*facts.rows, *facts.runs]
    for one in known:
        if one.event_id == facts.event_id:
            # What a timer or a person had a script run on concerns no device.
            identities[one.device_id, one.content_hash] = None
    if not identities and (facts.asides or facts.unknown or _named(facts)):
        identities[None, None] = None
    made = [_Assembly(facts, identity, alone=len(identities) == 1).trace() for identity in identities]
    return sorted(made, key=lambda trace: (trace.received or 0, trace.device_id or ""))


def _named(facts: Facts) -> list[Line]:
    return [line for line in facts.lines if line.service == INGEST and facts.key in line.event_ids]


class _Assembly:
    """Makes the way of one event."""

    def __init__(self, facts: Facts, identity: Identity, alone: bool) -> None:
        self._facts = facts
        self._identity = identity
        self._steps: list[Draft] = []
        # Each thing is told once, by its place in what is known.
        self._told: set[int] = set()
        self._handled: set[str] = set()
        # The keys of runs whose effects are told.
        self._led: set[str] = set()
        self._alone = alone

    def trace(self) -> EventTrace:
        """The way, from its reception on."""
        device_id, content_hash = self._identity
        rows = [row for row in self._facts.rows if self._is_of(row, self._facts.event_id)]
        runs = [run for run in self._facts.runs if self._is_of(run, self._facts.event_id)]
        received = self._received(rows, runs)
        self._received_at = received
        if received is not None:
            self._add(received, _source(rows, runs), "received", _begins(rows, runs))
        self._event(rows, runs, None, {})
        self._copies(rows)
        self._strays()
        self._asides(rows, runs)
        return steps.told(self._steps, received, device_id, content_hash)

    def _is_of(self, one: Row | Run, event_id: str) -> bool:
        device_id, content_hash = self._identity
        same = one.event_id == event_id and one.device_id == device_id
        return same and (one.content_hash == content_hash)

    def _received(self, rows: list[Row], runs: list[Run]) -> int | None:
        times = [row.received for row in rows] + [run.received for run in runs if run.received is not None]
        if times:
            return min(times)
        told = [one.received for one in self._facts.unknown] + [line.began for line in _named(self._facts)]
        return min(told) if told else None

    # What was stored, and what ran

    def _event(self, rows: list[Row], runs: list[Run], parent: Draft | None, more: dict[str, Any]) -> None:
        """An event's rows and runs: the event itself, a copy of it, or an effect of a run."""
        if parent is not None and steps.depth(parent) > _DEEPEST:
            return
        groups: dict[tuple[str | None, int, str], list[Row]] = {}
        for row in rows:
            what = "input" if row.kind == "input" else "stored"
            groups.setdefault((row.message_id, row.stored, what), []).append(row)
        made = []
        for (message_id, stored, what), group in sorted(groups.items(), key=lambda item: item[0][1]):
            line = self._writers_line(message_id, stored)
            step = self._add(
                stored if line is None else max(stored, line.time),
                WRITER,
                what,
                stored_text(group),
                parent,
                message_id=message_id,
                device_id=group[0].device_id,
                **_of(line),
                **more,
            )
            made.append((message_id, step))
        # Each line tells of one of these; the others of a message tell of further deliveries.
        for message_id, step in made:
            self._message(message_id, step)
        for run in sorted(runs, key=lambda one: (one.started, one.stored)):
            if id(run) not in self._told:
                self._told.add(id(run))
                self._run(run, parent)

    def _writers_line(self, message_id: str | None, stored: int) -> Line | None:
        """The line of the delivery that made some rows: the first one since then."""
        lines = [
            line
            for line in self._lines_about(message_id)
            if line.service == WRITER and not line.failed and line.time >= stored - 1_000
        ]
        lines = [line for line in lines if id(line) not in self._told]
        if not lines:
            return None
        line = min(lines, key=lambda one: one.time)
        self._told.add(id(line))
        return line

    def _run(self, run: Run, parent: Draft | None) -> None:
        step = self._add(
            run.started + (run.wall or 0),
            "reason",
            "ran",
            run_text(run),
            parent,
            message_id=run.message_id,
            device_id=run.device_id,
            script_id=run.script_id,
            script_version=run.version,
            ms=None if run.wall is None else run.wall / 1000,
            error=run.failure,
        )
        self._message(run.message_id, step)
        if run.run_key in self._led:
            # What it led to stands below the run that is repeated.
            return
        # Also a repeat, where the process that ran it first was killed before it could say so.
        if run.effects:
            self._led.add(run.run_key)
        for effect_id, kind, about in run.effects:
            made = self._add(
                step.time, "reason", "effect", effect_text(kind, about), step, event_id=effect_id
            )
            self._came_of(effect_id, made)

    def _came_of(self, effect_id: str, effect: Draft) -> None:
        """What an effect led to: rows, runs, mails, messages to devices."""
        rows = [row for row in self._facts.rows if row.event_id == effect_id]
        runs = [run for run in self._facts.runs if run.event_id == effect_id]
        # What the timer that it set had run, each time that it fired.
        fired = sorted(
            (run for run in self._facts.runs if run.set_by == effect_id), key=lambda one: one.started
        )
        if len(fired) > _FIRINGS:
            effect.text += f", which fired {len(fired)} times or more: the first {_FIRINGS} are told"
        self._event(rows, runs + fired[:_FIRINGS], effect, {"event_id": effect_id})
        for mail in self._facts.mails:
            if mail.source != effect_id or id(mail) in self._told:
                continue
            self._told.add(id(mail))
            service = "messenger" if mail.kind == "sms" else "emailer"
            step = self._add(mail.time, service, "sent", mail.said, effect, message_id=mail.message_id)
            self._message(mail.message_id, step)
        if (message := self._facts.to_devices.get(effect_id)) is not None:
            service, device_id = "rest_outbound", message.device_id
            self._add(message.time, service, "sent", message.said, effect, device_id=device_id)

    def _copies(self, rows: list[Row]) -> None:
        """The rows at devices above, whose id follows from the source's."""
        for device_id, content_hash in dict.fromkeys((row.device_id, row.content_hash) for row in rows):
            copy_id = ids.digest(device_id, self._facts.event_id)
            found = [
                row
                for row in self._facts.rows
                if row.event_id == copy_id and row.content_hash == content_hash
            ]
            for row in sorted(found, key=lambda one: (one.stored, one.device_id)):
                text = "stored as data of a device above"
                fields = {"message_id": row.message_id, "device_id": row.device_id, "event_id": copy_id}
                self._add(row.stored, WRITER, "copied", text, None, **fields)

    # What services say of messages

    def _lines_about(self, message_id: str | None) -> list[Line]:
        if message_id is None:
            return []
        return [
            line for line in chain.ours(self._facts, self._facts.lines, ()) if line.message_id == message_id
        ]

    def _message(
        self,
        message_id: str | None,
        step: Draft | None,
        certain: bool = True,
        parent: Draft | None = None,
    ) -> None:
        """What the lines say of a message that had the event in it, and of those that it came from.

        ``step``: what tells of its handling already, if anything does. ``parent``: the effect that it is of.
        """
        if message_id is None or message_id in self._handled:
            return
        self._handled.add(message_id)
        if step is not None:
            parent = step.parent
        for line in self._lines_about(message_id):
            if id(line) in self._told or line.message == "message set aside":
                continue
            tells = step is not None and step.service == line.service and not line.failed
            if tells and step is not None and "attempt" not in step.fields:
                self._told.add(id(line))
                step.fields |= {**_of(line), "ms": step.fields.get("ms") or line.ms}
                continue
            if line.service == _QUARANTINE:
                continue
            self._told.add(id(line))
            what, text = done_by(line)
            fields = _of(line) | {"message_id": message_id, "certain": certain}
            self._add(line.time, line.service, what, text, parent, **fields)
        lines, is_certain = chain.publishers(self._facts, message_id, self._received_at)
        for line in lines:
            if line.service == INGEST:
                self._ingest(line, message_id, certain and is_certain)
            elif line.message_id is None:
                self._began(line, message_id, certain and is_certain, parent)
            elif parent is None or line.service != "reason":
                # An effect comes from the run that it stands below.
                self._message(line.message_id, None, certain and is_certain, parent)

    def _ingest(self, line: Line, message_id: str | None, certain: bool) -> None:
        if id(line) in self._told:
            return
        self._told.add(id(line))
        text = "published, and answered the sender"
        self._add(
            line.time, INGEST, "published", text, None, message_id=message_id, ms=line.ms, certain=certain
        )

    def _began(self, line: Line, message_id: str, certain: bool, parent: Draft | None) -> None:
        """A line of whoever published a message although it was given none: a timer that fired."""
        if id(line) not in self._told:
            self._told.add(id(line))
            what, text = done_by(line)
            fields = _of(line) | {"message_id": message_id, "certain": certain}
            self._add(line.time, line.service, what, text, parent, **fields)

    def _strays(self) -> None:
        """What the lines tell of an event that ingest's line names, where nothing stored leads there."""
        if not self._alone:
            return
        for line in _named(self._facts):
            shown = [one for one in line.published if self._lines_about(one)]
            self._ingest(line, shown[0] if shown else _only(line.published), True)
            for message_id in shown:
                self._down(message_id, 0)
        if self._identity[0] is None and not any(step.what == "unknownDevice" for step in self._steps):
            for one in self._facts.unknown:
                text = f"no device has the name {one.name} in network {one.network_id}: dropped"
                self._add(one.received, "message_processor", "unknownDevice", text)

    def _down(self, message_id: str, depth: int) -> None:
        """What became of a message that had the event in it, as far as it is certain."""
        self._message(message_id, None)
        if depth < _DEEPEST:
            for line in self._lines_about(message_id):
                for out in chain.onward(self._facts, line):
                    self._down(out, depth + 1)

    # Quarantine

    def _asides(self, rows: list[Row], runs: list[Run]) -> None:
        for aside in self._facts.asides:
            if not self._alone and aside.source_message_id not in self._handled:
                continue
            service = aside.service or aside.subscription or "Pub/Sub"
            step = self._add(
                aside.time,
                service,
                "setAside",
                "set aside in quarantine",
                None,
                message_id=aside.source_message_id,
                error_type=aside.error_type,
                error=aside.message,
                entry_id=aside.id,
            )
            self._message(aside.source_message_id, step)
            for line in self._facts.lines:
                if line.service == _QUARANTINE and line.payload.get("entry") == aside.id and not line.failed:
                    self._add(line.time, _QUARANTINE, "handled", "kept as an entry", step)

    def _add(
        self, time: int, service: str, what: str, text: str, parent: Draft | None = None, **fields: Any
    ) -> Draft:
        kept = {name: value for name, value in fields.items() if value is not None}
        draft = Draft(time, service, what, text, parent, kept)
        self._steps.append(draft)
        return draft


def _of(line: Line | None) -> dict[str, Any]:
    """What a line adds to a step."""
    if line is None:
        return {}
    return {name: value for name, value in (("attempt", line.attempt), ("ms", line.ms)) if value is not None}


def _source(rows: Sequence[Row], runs: Sequence[Run]) -> str:
    if _is_occasion(rows, runs):
        return "reason"
    source = next((row.source for row in rows if row.source), None)
    services = {"api": "api", "script": "reason", "timer": "scheduler", "simulator": "simulator"}
    return services.get(source or "", INGEST)


def _begins(rows: Sequence[Row], runs: Sequence[Run]) -> str:
    """How it began, in words."""
    if _is_occasion(rows, runs):
        return "a timer, a script or a person asked for a run"
    source = next((row.source for row in rows if row.source), None)
    if source == "simulator":
        return "due, as a simulated device sends it"
    return f"received from {source}" if source else "received"


def _is_occasion(rows: Sequence[Row], runs: Sequence[Run]) -> bool:
    """Whether a script ran although nothing was sent: then nothing has a hash."""
    return not rows and bool(runs) and not any(run.content_hash for run in runs)


def _only(published: list[str]) -> str | None:
    return published[0] if len(published) == 1 else None
