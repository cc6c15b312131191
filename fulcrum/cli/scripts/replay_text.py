"""A replay's report for the terminal: short, what matters most first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fulcrum.cli import output
from fulcrum.script.replay import texts
from fulcrum.script.replay.answers import ErrorGroup
from fulcrum.script.replay.report import Report, Sent

_SHOWN = 5
_WIDTH = 150


def show(report: Report) -> None:
    """Write it to stdout."""
    for line in lines(report):
        output.line(line)


def lines(report: Report) -> Iterator[str]:
    """The lines of a report. What devices and scripts say is text there, and no command to the terminal."""
    for line in _lines(report):
        yield "".join(char if char.isprintable() else " " for char in line)


def _lines(report: Report) -> Iterator[str]:
    yield texts.versions(report)
    yield texts.extent(report)
    for problem in report.problems:
        yield f"! {problem}"
    yield ""
    yield texts.headline(report)
    yield ""
    yield from _table(report)
    if report.before is not None:
        yield from _sent(report, "No longer sent", report.sent_only_before, report.lost)
        yield from _sent(report, "Sent in addition", report.sent_only_after, report.gained)
        yield from _data(report)
        yield from _changes(report)
    yield from _errors(report)
    yield ""
    yield "How exact it is"
    for line in texts.fidelity(report):
        yield f"  {line}"
    for note in report.notes:
        yield f"  {note.text}"
    if report.rules:
        yield ""
        yield "Rules"
        for verdict in report.rules:
            yield f"  {'BROKEN' if verdict.broken else 'holds '} {verdict.rule}   {verdict.text}"


def _table(report: Report) -> Iterator[str]:
    rows = [[row.name, row.before, row.after, row.change] for row in texts.rows(report)]
    before = report.before.label if report.before else ""
    rows.insert(0, ["", before, report.after.label, ""])
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    for name, old, new, change in rows:
        yield f"  {name:<{widths[0]}}  {old:>{widths[1]}}  {new:>{widths[2]}}  {change}".rstrip()


def _sent(report: Report, title: str, sent: Sequence[Sent], counts: dict[str, int]) -> Iterator[str]:
    if not sent:
        return
    yield ""
    counted = ", ".join(f"{count:,} {texts.kind(name)}" for name, count in counts.items())
    yield f"{title}: {counted}"
    for one in sent[:_SHOWN]:
        to = f" to {', '.join(one.to)}" if one.to else ""
        device = texts.device(report, one.event.device_id)
        yield _cut(f"  {texts.instant(one.event.time)}  {device}  {one.kind}{to}: {one.text}")
    if sum(counts.values()) > _SHOWN:
        yield "  ..."


def _data(report: Report) -> Iterator[str]:
    if not report.paths:
        return
    yield ""
    yield (
        f"Data differs after {report.state_changed:,} events, at {report.devices_changed:,} devices; "
        f"in the end at {report.devices_differ_finally:,}"
    )
    for path in report.paths[:_SHOWN]:
        yield f"  {path.path}: {path.events:,} events, {path.devices:,} devices, {path.final:,} in the end"
        for one in path.examples[:2]:
            values = f"{one.before or '(nothing)'} -> {one.after or '(nothing)'}"
            ends = "" if one.final else "  (not in the end)"
            yield _cut(f"    {texts.device(report, one.device_id)}  {values}{ends}")
    if len(report.paths) > _SHOWN:
        yield f"  ... {len(report.paths) - _SHOWN} more paths"


def _changes(report: Report) -> Iterator[str]:
    if not report.changes:
        return
    yield ""
    yield f"Events that come to something else: {report.events_changed:,}"
    for change in report.changes[:_SHOWN]:
        name = change.event.event_id or change.event.text
        yield f"  {texts.instant(change.event.time)}  {texts.device(report, change.event.device_id)}  {name}"
        yield _cut(f"    before: {change.before}")
        yield _cut(f"    after:  {change.after}")
    if report.events_changed > _SHOWN:
        yield "  ..."


def _errors(report: Report) -> Iterator[str]:
    for side in (report.after, report.before):
        if side is None or not side.errors:
            continue
        yield ""
        yield f"Errors of {side.label}: {side.failed:,}"
        for group in side.errors[:_SHOWN]:
            yield from _error(report, group)
        if len(side.errors) > _SHOWN:
            yield f"  ... {len(side.errors) - _SHOWN} more kinds"


def _error(report: Report, group: ErrorGroup) -> Iterator[str]:
    first = group.first
    yield _cut(
        f"  {group.count:,} times, {group.devices:,} devices: {group.type or group.kind}: {group.message}"
    )
    device = texts.device(report, first.device_id)
    yield f"    first {texts.instant(first.time)} {device} {first.event_id}"
    for line in group.traceback.rstrip().splitlines()[-4:]:
        yield _cut(f"    | {line}")


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 3]}..."
