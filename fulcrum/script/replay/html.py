"""A report as one page of HTML that needs nothing else: for a pull request, a mail or an archive. Pure.

All that comes from devices, scripts and people is escaped; the page has no script, and says by a policy of
its own that none is to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from fulcrum.script.replay import charts, texts
from fulcrum.script.replay.report import Report, Sent

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5b6876;--line:#dde3e9;--paper:#fff;--card:#f6f8fa;
--old:#8a97a6;--new:#1769e0;--bad:#c0281f;--good:#1b7f3b;--warn:#b26a00}
@media (prefers-color-scheme:dark){:root{--ink:#e4e9ee;--soft:#9aa7b4;--line:#323c46;--paper:#14191f;
--card:#1c232b;--old:#77848f;--new:#5b9cff;--bad:#ff7b72;--good:#56d364;--warn:#e3a24a}}
*{box-sizing:border-box}body{margin:0 auto;max-width:1000px;padding:32px 24px 64px;background:var(--paper);
color:var(--ink);font:15px/1.5 system-ui,sans-serif}
h1{font-size:24px;margin:0}h2{font-size:17px;margin:36px 0 8px}
p{margin:4px 0}.soft{color:var(--soft)}.headline{font-size:19px;margin:20px 0;padding:14px 18px;
background:var(--card);border-left:4px solid var(--new);border-radius:4px}
.headline.bad{border-color:var(--bad)}
table{border-collapse:collapse;width:100%;font-size:14px}th,td{text-align:left;padding:5px 10px;
border-bottom:1px solid var(--line);vertical-align:top}th{color:var(--soft);font-weight:600}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}tr.differs td{font-weight:600}
code,pre{font:13px/1.45 ui-monospace,monospace}pre{background:var(--card);padding:10px 12px;border-radius:4px;
overflow:auto;margin:6px 0}td{overflow-wrap:anywhere;min-width:8.5em}
td:first-child{white-space:nowrap}td:nth-child(3):not(.n){min-width:4.5em}svg{width:100%;height:auto;display:block}
svg text{font:11px system-ui,sans-serif;fill:var(--soft)}.axis{stroke:var(--soft)}.grid{stroke:var(--line)}
rect.old{fill:var(--old)}rect.new{fill:var(--new)}rect.bad{fill:var(--bad)}rect.warn{fill:var(--warn)}
.key{font-size:13px;color:var(--soft)}.key i{display:inline-block;width:11px;height:11px;border-radius:2px;
margin:0 5px 0 14px;vertical-align:-1px}.broken{color:var(--bad);font-weight:600}.holds{color:var(--good)}
ul{padding-left:20px;margin:6px 0}.old-text{color:var(--bad)}.new-text{color:var(--good)}
"""
_NOTHING = "(nothing)"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(report: Report) -> str:
    """The page."""
    title = escape(texts.versions(report))
    body = "\n".join(_sections(report))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )


def _sections(report: Report) -> Iterator[str]:
    yield f"<h1>{escape(texts.versions(report))}</h1>"
    yield f'<p class="soft">{escape(texts.extent(report))}</p>'
    for problem in report.problems:
        yield f'<p class="broken">{escape(problem)}</p>'
    bad = any(verdict.broken for verdict in report.rules)
    yield f'<p class="headline{" bad" if bad else ""}">{escape(texts.headline(report))}</p>'
    if report.rules:
        yield "<ul>" + "".join(map(_rule, _rules(report))) + "</ul>"
    yield _figures(report)
    yield from _charts(report)
    if report.before is not None:
        yield from _sent(report, "No longer sent", report.sent_only_before, report.lost)
        yield from _sent(report, "Sent in addition", report.sent_only_after, report.gained)
        yield from _data(report)
        yield from _changes(report)
    yield from _errors(report)
    yield "<h2>How exact it is</h2>" + _list([*texts.fidelity(report), *(note.text for note in report.notes)])
    yield from _deviations(report)


def _rules(report: Report) -> Iterator[tuple[bool, str, str]]:
    for verdict in report.rules:
        yield verdict.broken, verdict.rule, verdict.text


def _rule(one: tuple[bool, str, str]) -> str:
    broken, rule, text = one
    name = "broken" if broken else "holds"
    return f'<li><span class="{name}">{name}</span> <code>{escape(rule)}</code> {escape(text)}</li>'


def _figures(report: Report) -> str:
    before = escape(report.before.label) if report.before else ""
    after = escape(report.after.label)
    head = f'<tr><th></th><th class="n">{before}</th><th class="n">{after}</th><th></th></tr>'
    rows = "".join(
        f"<tr{' class=differs' if row.differs else ''}><td>{escape(row.name)}</td>"
        f'<td class="n">{escape(row.before)}</td><td class="n">{escape(row.after)}</td>'
        f"<td>{escape(row.change)}</td></tr>"
        for row in texts.rows(report)
    )
    return f"<table>{head}{rows}</table>"


_CHARTS = (("sendSms", "Text messages"), ("sendEmail", "Mails"), ("failed", "Failed runs"))


def _charts(report: Report) -> Iterator[str]:
    days = report.days
    if not days:
        return
    ends = texts.instant(report.since), texts.instant(report.until)
    for field, title in _CHARTS:
        old = [day.before.get(field, 0) for day in days]
        new = [day.after.get(field, 0) for day in days]
        if any(old) or any(new):
            series = [(report.after.label, "new", new)]
            if report.before is not None:
                series.insert(0, (report.before.label, "old", old))
            yield _chart(title, ends, series)
    if report.before is not None and report.events_changed:
        changed = [day.changed for day in days]
        yield _chart("Events that come to something else", ends, [("events", "warn", changed)])
    yield _chart("Events", ends, [("events", "old", [day.events for day in days])])


def _chart(title: str, ends: tuple[str, str], series: list[tuple[str, str, list[int]]]) -> str:
    colour = {"old": "--old", "new": "--new", "warn": "--warn", "bad": "--bad"}
    key = "".join(
        f'<i style="background:var({colour[style]})"></i>{escape(name)}: {sum(values):,}'
        for name, style, values in series
    )
    return f'<h2>{escape(title)}</h2><p class="key">{key}</p>{charts.bars(ends, series)}'


def _sent(report: Report, title: str, sent: Sequence[Sent], counts: dict[str, int]) -> Iterator[str]:
    if not sent:
        return
    counted = ", ".join(f"{count:,} {texts.kind(name)}" for name, count in counts.items())
    yield f"<h2>{escape(title)}: {escape(counted)}</h2>"
    rows = [
        [
            texts.instant(one.event.time),
            texts.device(report, one.event.device_id),
            one.kind,
            ", ".join(one.to),
            one.text,
        ]
        for one in sent
    ]
    yield _table(["when", "device", "kind", "to", "text"], rows)
    yield _more(len(sent), sum(counts.values()))


def _data(report: Report) -> Iterator[str]:
    if not report.paths:
        return
    yield "<h2>Data of devices</h2>"
    yield (
        f"<p>It differs after {report.state_changed:,} events, at {report.devices_changed:,} devices; "
        f"in the end at {report.devices_differ_finally:,}.</p>"
    )
    rows = []
    for path in report.paths:
        shown = [
            f"{texts.device(report, one.device_id)}: {one.before or _NOTHING} -> {one.after or _NOTHING}"
            f"{'' if one.final else ' (not in the end)'}"
            for one in path.examples
        ]
        rows.append([path.path, f"{path.events:,}", f"{path.devices:,}", f"{path.final:,}", "\n".join(shown)])
    yield _table(["path", "events", "devices", "in the end", "examples"], rows)
    if report.other_paths:
        yield f'<p class="soft">Other paths differ at {report.other_paths:,} devices.</p>'


def _changes(report: Report) -> Iterator[str]:
    if not report.changes:
        return
    yield "<h2>Events that come to something else</h2>"
    rows = [
        [
            texts.instant(change.event.time),
            texts.device(report, change.event.device_id),
            change.event.event_id or change.event.text,
            change.before,
            change.after,
        ]
        for change in report.changes
    ]
    before = report.before.label if report.before else "before"
    yield _table(["when", "device", "event", before, report.after.label], rows)
    yield _more(len(report.changes), report.events_changed)


def _errors(report: Report) -> Iterator[str]:
    for side in (report.after, report.before):
        if side is None or not side.errors:
            continue
        yield f"<h2>Errors of {escape(side.label)}: {side.failed:,}</h2>"
        for group in side.errors:
            first = group.first
            device = escape(texts.device(report, first.device_id))
            yield (
                f"<p><b>{group.count:,} times</b> at {group.devices:,} devices: "
                f"{escape(group.type or group.kind)}: {escape(group.message)}</p>"
                f'<p class="soft">first {escape(texts.instant(first.time))} {device} '
                f"{escape(first.event_id)}</p>"
            )
            if group.traceback:
                yield f"<pre>{escape(group.traceback)}</pre>"


def _deviations(report: Report) -> Iterator[str]:
    found = report.fidelity
    if found is None or not found.examples:
        return
    rows = [
        [
            one.difference,
            texts.instant(one.event.time),
            texts.device(report, one.event.device_id),
            one.event.event_id,
            one.recorded,
            one.replayed,
        ]
        for one in found.examples
    ]
    yield "<h2>Runs that the replay does not repeat</h2>"
    yield _table(["why", "when", "device", "event", "recorded", "replayed"], rows)
    yield _more(len(rows), sum(found.counts.values()))


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{'<br>'.join(map(escape, cell.splitlines()))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _more(shown: int, there: int) -> str:
    return f'<p class="soft">The first {shown:,} of {there:,}.</p>' if there > shown else ""


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
