"""How the figures of a report are written for people, in the terminal and as HTML. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from fulcrum.script.replay.report import Figures, Report


class Row(NamedTuple):
    """A figure of both sides; ``change`` is empty where it is the same or there is one side alone."""

    name: str
    before: str
    after: str
    change: str
    differs: bool


_COUNTS = (
    ("text messages", "sms"),
    ("mails", "email"),
    ("messages to devices", "messages"),
    ("timers set", "timers"),
    ("messages published", "publishes"),
    ("writes of data", "data_writes"),
    ("failed", "failed"),
    ("not run (needs)", "unmet"),
    ("stopped", "stopped"),
    ("replaced", "replaced"),
)
_KINDS = {
    "sms": "text messages",
    "email": "mails",
    "message": "messages to devices",
    "timer": "timers",
    "publish": "messages",
    "other": "others",
}
_WHY = {
    "order": "order: an earlier event was stored after this one came, or devices share a cache",
    "version": "version: another version ran then",
    "retention": "retention: what was known then is gone",
    "outside": "outside: the script asked the world outside, or its place of work ended it",
}


def kind(name: str) -> str:
    """A kind of what is sent, for people."""
    return _KINDS.get(name, name)


def why(difference: str) -> str:
    """Why a replay is not what was recorded."""
    return _WHY.get(difference, difference)


def device(report: Report, device_id: str) -> str:
    """A device by its name, where that is known."""
    return report.device_names.get(device_id, device_id)


def device_ids(report: Report) -> set[str]:
    """The devices that a report shows."""
    examples = [change.event for change in report.changes]
    examples += [sent.event for sent in (*report.sent_only_after, *report.sent_only_before)]
    examples += [one.event for one in (report.fidelity.examples if report.fidelity else ())]
    for side in (report.before, report.after):
        examples += [group.first for group in (side.errors if side else ())]
    return {one.device_id for one in examples} | {
        one.device_id for path in report.paths for one in path.examples
    }


def instant(ms: int) -> str:
    """An instant, in UTC."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def rows(report: Report) -> Iterator[Row]:
    """The figures that say what the new version does, those that are zero on both sides left out."""
    before, after = report.before, report.after
    for name, field in _COUNTS:
        new = getattr(after, field)
        old = getattr(before, field) if before else 0
        if not new and not old:
            continue
        yield Row(
            name, f"{old:,}" if before else "", f"{new:,}", _change(old, new) if before else "", new != old
        )
    for name, field in (
        ("run time p50", "p50_us"),
        ("run time p95", "p95_us"),
        ("processor a run", "cpu_us"),
    ):
        new = getattr(after, field)
        if before is None:
            yield Row(name, "", _us(new), "", False)
        else:
            old = getattr(before, field)
            yield Row(name, _us(old), _us(new), _share(old, new), False)
    yield Row(
        "processor cost of a million runs",
        _usd(before) if before else "",
        _usd(after),
        "",
        False,
    )


def _us(value: float) -> str:
    return f"{value / 1000:.1f} ms" if value >= 1000 else f"{value:.1f} µs"


def _usd(side: Figures) -> str:
    return f"${side.usd_per_million:.4f}"


def _change(old: int, new: int) -> str:
    if old == new:
        return ""
    return f"{new - old:+,}{f' ({100 * (new - old) / old:+.0f} %)' if old else ''}"


def _share(old: float, new: float) -> str:
    return f"{100 * (new - old) / old:+.0f} %" if old else ""


def headline(report: Report) -> str:
    """What matters most, in a sentence."""
    if report.before is None:
        return f"{report.after.label} alone: there is no other version to compare it with"
    parts = []
    for name in ("sms", "email", "message", "timer", "publish"):
        more, less = report.gained.get(name, 0), report.lost.get(name, 0)
        if more:
            parts.append(f"{more:,} {kind(name)} more")
        if less:
            parts.append(f"{less:,} {kind(name)} no longer")
        if moved := report.moved.get(name, 0):
            parts[-1] += f" (of them {moved:,} only at another time)"
    failed = report.after.failed - report.before.failed
    # Of a version that ended its process nothing is known.
    if failed and report.before.runs and report.after.runs:
        parts.append(f"{abs(failed):,} runs {'more' if failed > 0 else 'fewer'} fail")
    if report.devices_changed:
        parts.append(f"data differs at {report.devices_changed:,} of {report.devices:,} devices")
    if not parts and report.events_changed:
        parts.append("other results")
    if not parts and report.complete and not report.events:
        return "no events: nothing was compared"
    if not parts:
        return "no difference" if report.complete else "no difference so far"
    return f"{report.events_changed:,} events come to something else: " + ", ".join(parts)


def versions(report: Report) -> str:
    """Which versions, over what."""
    against = f" against {report.before.label}" if report.before else ""
    return f"{report.script_name}: {report.after.label}{against}"


def extent(report: Report) -> str:
    """Over what, and how long it took."""
    return (
        f"{instant(report.since)} to {instant(report.until)} UTC: {report.events:,} events of "
        f"{report.devices:,} devices, in {report.seconds:.1f} s"
    )


def fidelity(report: Report) -> list[str]:
    """How far the replay is what happened."""
    found = report.fidelity
    if found is None or not found.compared:
        return ["nothing recorded to compare the replay itself with"]
    lines = [
        f"{found.same:,} of {found.compared:,} recorded runs come to exactly what was recorded "
        f"({100 * found.same / found.compared:.2f} %)"
    ]
    lines += [
        f"{count:,} {why(name)}" for name, count in sorted(found.counts.items(), key=lambda one: -one[1])
    ]
    return lines
