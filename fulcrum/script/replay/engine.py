"""Replaying: an input of lines, one version or two, and the report of what they made of it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fulcrum.script.replay import lines, texts
from fulcrum.script.replay.answers import PARTS, Totals
from fulcrum.script.replay.comparing import Comparison
from fulcrum.script.replay.counting import wall_us
from fulcrum.script.replay.interrupts import Interrupts
from fulcrum.script.replay.processes import AHEAD, Process, SideFailed
from fulcrum.script.replay.report import Day, Figures, Report

# Large enough that what goes between processes costs nothing to speak of, small enough to stay flat.
_BATCH_BYTES = 128 * 1024
# A processor second of a function, request-based, at Google's list price without free tier.
USD_PER_CPU_SECOND = 0.000024
_INEXACT = {
    "timer": "timers of this version go by cron or sun, or have an action: they are not fired here",
    "publish": "messages of this version run a script by its topic: that is not followed here",
    "rounds": "runs of this version came back to themselves too often, and were cut",
    "data": "data of this version could not be written: a path in it cannot stand",
}


@dataclass(frozen=True)
class Version:
    """One side: a folder with its code, and how it is called. ``number`` 0: it has none."""

    folder: Path
    label: str
    number: int = 0
    deployed: bool = False


class InputBroken(Exception):
    """The input is no replay's input, or of a later format."""


# How a line of a definition begins.
_DEFINITION = lines.encode(lines.Definition(kind="device", id="", value={}))[:17]
Progress = Callable[[int, int], None]


def header_of(line: bytes) -> lines.Header:
    """The first line of an input."""
    try:
        found = lines.decoder.decode(line)
    except msgspec.DecodeError as error:
        raise InputBroken(f"the input cannot be read: {error}") from error
    if not isinstance(found, lines.Header):
        raise InputBroken("the input does not begin with a header")
    if found.v != lines.VERSION:
        raise InputBroken(f"the input has format {found.v}, and this knows {lines.VERSION}: update fulcrum")
    return found


def batches(chunks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Lines in batches."""
    rest = b""
    waiting: list[bytes] = []
    size = 0
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if line:
                waiting.append(line)
                size += len(line)
                if size >= _BATCH_BYTES:
                    yield waiting
                    waiting, size = [], 0
    if rest:
        waiting.append(rest)
    if waiting:
        yield waiting


def replay(
    chunks: Iterable[bytes],
    before: Version | None,
    after: Version,
    *,
    seconds_per_event: float = 5.0,
    progress: Progress | None = None,
) -> Report:
    """Run one version, or two side by side, over an input.

    ``chunks``: the bytes of the input, from its header on. ``progress`` is told how many lines are done, of
    how many about, and at which instant of the period the replay is (epoch ms). KeyboardInterrupt ends it
    with what is known so far. SideFailed where a version cannot be loaded; InputBroken.
    """
    began = time.monotonic()
    stream = batches(chunks)
    first = next(stream, None)
    if first is None:
        raise InputBroken("the input is empty")
    header = header_of(first[0])
    with ExitStack() as stack:
        sides = []
        for version in (before, after):
            if version is not None:
                side = Process(
                    version.folder,
                    version.number,
                    version.label,
                    deployed=version.deployed,
                    seconds=seconds_per_event,
                )
                stack.callback(side.stop)
                sides.append(side)
        for side in sides:
            side.started()
        running = _Running(header, sides, progress)
        running.run(first, stream)
        totals = running.totals()
    report = _report(header, running, totals, before, after)
    report.seconds = round(time.monotonic() - began, 3)
    return report


class _Running:
    """One replay under way."""

    def __init__(self, header: lines.Header, sides: list[Process], progress: Progress | None) -> None:
        self.comparison = Comparison(header.since, header.until) if len(sides) == 2 else None
        self.problems: list[str] = []
        self.complete = True
        self.end: lines.End | None = None
        self._header = header
        self._sides = sides
        self._progress = progress
        self._waiting: deque[list[bytes]] = deque()
        self._done = 0
        self._last = b""
        self._dead: Process | None = None
        self._names: dict[str, str] = {}

    def run(self, first: list[bytes], stream: Iterator[list[bytes]]) -> None:
        """Give all batches, and compare their answers; what is under way is always answered."""
        try:
            with Interrupts() as interrupts:
                try:
                    self._give(first)
                    while (batch := interrupts.reading(stream)) is not None:
                        self._give(batch)
                        if len(self._waiting) >= AHEAD:
                            self._take()
                except KeyboardInterrupt:
                    self.complete = False
                    self.problems.append("the replay was ended early: this is of the events until then")
                while self._waiting:
                    self._take()
        except SideFailed as error:
            self._failed(error)
            return
        self._check_end()

    def totals(self) -> list[Totals]:
        """What the sides came to; nothing of one that failed."""
        until = self._header.until if self.complete else None
        found: list[Totals] = []
        last: list[list[bytes]] = []
        if self._dead is not None:
            return [Totals() if side is self._dead else side.rest() for side in self._sides]
        try:
            while self._waiting:
                self._take()
            for side in self._sides:
                side.end(until)
            for side in self._sides:
                last.append(side.answer())
                found.append(side.totals())
        except SideFailed as error:
            self._failed(error)
        if self.comparison is not None and len(last) == 2:
            self.comparison.add([], *last)
        return found

    def names(self, device_ids: Iterable[str]) -> dict[str, str]:
        """What devices are called, where that is known."""
        return {one: self._names[one] for one in device_ids if self._names.get(one)}

    def _give(self, batch: list[bytes]) -> None:
        for line in batch:
            if line.startswith(_DEFINITION):
                found = lines.decoder.decode(line)
                if isinstance(found, lines.Definition) and found.kind == "device":
                    self._names[found.id] = str(found.value.get("name") or "")
        self._last = batch[-1]
        content = b"\n".join(batch)
        for side in self._sides:
            side.give(content)
        self._waiting.append(batch)

    def _take(self) -> None:
        batch = self._waiting[0]
        answers = [side.answer() for side in self._sides]
        self._waiting.popleft()
        if self.comparison is not None:
            self.comparison.add(batch, *answers)
        self._done += len(batch)
        if self._progress is not None:
            self._progress(self._done, max(self._header.count, self._done))

    def _failed(self, error: SideFailed) -> None:
        self.complete = False
        self._dead = next((side for side in self._sides if side.label == error.label), None)
        self._waiting.clear()
        text = str(error)
        if error.line is not None:
            text += f", at line {error.line + 1} of the input"
        self.problems.append(text)

    def _check_end(self) -> None:
        if not self.complete:
            return
        try:
            found = lines.decoder.decode(self._last)
        except msgspec.DecodeError:
            found = None
        if isinstance(found, lines.End):
            self.end = found
        else:
            self.complete = False
            self.problems.append("the input broke off before its end: this is of the events until then")


def _report(
    header: lines.Header,
    running: _Running,
    totals: list[Totals],
    before: Version | None,
    after: Version,
) -> Report:
    sides = [version for version in (before, after) if version is not None]
    known = dict(zip([version.label for version in sides], totals, strict=False))
    last = known.get(after.label, Totals())
    first = known.get(before.label, Totals()) if before is not None else None
    report = Report(
        script_id=header.script_id,
        script_name=header.name or header.script_id,
        project_id=header.project_id,
        since=header.since,
        until=header.until,
        selection=header.selection,
        devices=max(last.devices, first.devices if first else 0),
        events=max(last.events, first.events if first else 0),
        complete=running.complete,
        before=figures(before, first) if before is not None and first is not None else None,
        after=figures(after, last),
        notes=[*header.notes, *_notes(running, known)],
        problems=running.problems,
    )
    if running.comparison is not None:
        _compared(report, running.comparison)
    deployed = next((version for version in sides if version.deployed), None)
    if deployed is not None and deployed.label in known:
        report.fidelity = known[deployed.label].fidelity
    report.device_names = running.names(texts.device_ids(report))
    report.days = _days(header, running.comparison, first, last)
    return report


def _compared(report: Report, found: Comparison) -> None:
    report.events_changed = found.changed
    report.changes = found.changes
    report.changed_by = dict(found.changed_by)
    report.gained, report.lost = dict(found.gained), dict(found.lost)
    report.moved = dict(found.moved)
    report.sent_only_after = found.sent_only_after
    report.sent_only_before = found.sent_only_before
    state = found.state
    report.state_changed = state.events
    report.devices_changed = state.devices()
    report.devices_differ_finally = state.finally_differing()
    report.paths = state.paths()
    report.other_paths = state.others()


def figures(version: Version, totals: Totals) -> Figures:
    """What one side came to."""
    effects = totals.effects
    runs = max(1, totals.runs)
    return Figures(
        label=version.label,
        version=version.number,
        events=totals.events,
        runs=totals.runs,
        timer_runs=totals.timer_runs,
        failed=totals.statuses.get("failed", 0),
        unmet=totals.statuses.get("unmet", 0),
        stopped=totals.results.get("stopped", 0),
        replaced=totals.results.get("replaced", 0),
        sms=effects.get("sendSms", 0),
        email=effects.get("sendEmail", 0),
        messages=effects.get("sendMessage", 0),
        timers=effects.get("setTimer", 0),
        publishes=effects.get("publish", 0),
        data_writes=effects.get("setDeviceData", 0),
        cpu_us=round(totals.cpu_us / runs, 2),
        p50_us=round(_quantile(totals.wall, 0.5), 2),
        p95_us=round(_quantile(totals.wall, 0.95), 2),
        usd_per_million=round(totals.cpu_us / runs * USD_PER_CPU_SECOND, 4),
        errors=totals.errors,
        other_errors=totals.other_errors,
    )


def _quantile(buckets: dict[int, int], share: float) -> float:
    wanted = share * sum(buckets.values())
    seen = 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= wanted:
            return wall_us(bucket)
    return 0.0


def _days(
    header: lines.Header, comparison: Comparison | None, first: Totals | None, last: Totals
) -> list[Day]:
    length = header.until - header.since
    return [
        Day(
            start=header.since + part * length // PARTS,
            events=last.parts.get(part, {}).get("events", 0),
            changed=comparison.changed_parts[part] if comparison is not None else 0,
            before=first.parts.get(part, {}) if first is not None else {},
            after=last.parts.get(part, {}),
        )
        for part in range(PARTS)
    ]


def _notes(running: _Running, known: dict[str, Totals]) -> Iterator[lines.Note]:
    if running.end is not None:
        skipped = running.end.skipped.get("input", 0)
        if skipped:
            yield lines.Note("input", f"{skipped} events ran, and their content is in no history: left out")
    for label, totals in known.items():
        for code, count in totals.inexact.items():
            text = _INEXACT.get(code, code).replace("this version", label)
            yield lines.Note(code, f"{count} {text}")
