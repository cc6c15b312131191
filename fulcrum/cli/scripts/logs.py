"""``fulcrum script logs``: the runs of a script, with what they logged and why they failed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer

from fulcrum.cli import output, targets, values
from fulcrum.cli.scripts import named
from fulcrum.cli.scripts.named import Script

Since = Annotated[str, typer.Option("--since", help="From when on: 2h, 7d, epoch ms or ISO 8601")]
Until = Annotated[str | None, typer.Option("--until", help="Until when; now if left out")]
Version = Annotated[int | None, typer.Option("--version", min=1, help="Only of this version")]
Device = Annotated[str | None, typer.Option("--device", help="Only for this device, by its id")]
Event = Annotated[str | None, typer.Option("--event", help="Only for this event, by its id")]
Entry = Annotated[str | None, typer.Option("--entry", help="Only of this function")]
Status = Annotated[str | None, typer.Option("--status", help="Only what is done, unmet or failed")]
Level = Annotated[
    str | None, typer.Option("--level", help="info: what logged anything or failed; error: errors alone")
]
# Each look asks BigQuery, and a run is stored a moment after it.
_EVERY_SECONDS = 5.0
_BEHIND_MS = 60_000
_PAGE = 200


def logs(
    ctx: typer.Context,
    script: named.Name,
    since: Since = "1d",
    until: Until = None,
    version: Version = None,
    device: Device = None,
    event: Event = None,
    entry: Entry = None,
    status: Status = None,
    level: Level = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=_PAGE, help="At most so many runs")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes")] = False,
    project: targets.Project = None,
    as_json: targets.Json = False,
    jsonl: targets.Jsonl = False,
) -> None:
    """Show the latest runs of a script, in the order in which they were, with what they logged."""
    asked = {
        "version": version,
        "device": device,
        "event": event,
        "entry": entry,
        "status": status,
        "level": level,
    }
    with named.opened(ctx, script, project) as one:
        window = {"since": targets.instant(since), "until": targets.instant(until)}
        found = one.get("logs", perPage=limit, **asked, **window)
        if as_json and not follow:
            output.document(found)
            return
        _write(found["items"], jsonl or as_json)
        if not found["items"] and not follow:
            output.note("nothing found")
        if found.get("next") and not follow:
            output.note("there is more: ask for less time, or more by --limit")
        if follow:
            output.flush()
            for items in _following(one, asked, found["items"]):
                _write(items, jsonl or as_json)
                output.flush()


def _following(
    script: Script, asked: dict[str, Any], known: Sequence[dict[str, Any]]
) -> Iterator[list[dict[str, Any]]]:
    """What comes, each run once: the last minute is asked for anew each time, as rows come late."""
    seen = {_key(run): run["time"] for run in known}
    began = int(time.time() * 1000)
    while True:
        time.sleep(_EVERY_SECONDS)
        since = max([began, *seen.values()]) - _BEHIND_MS
        items = list(_all(script, {**asked, "since": since}))
        fresh = [run for run in items if _key(run) not in seen and run["time"] >= began - _BEHIND_MS]
        seen = {key: at for key, at in seen.items() if at >= since}
        seen |= {_key(run): run["time"] for run in items}
        if fresh:
            yield fresh


def _key(run: dict[str, Any]) -> tuple[str, int]:
    """What names a run: what failed in one version may run again in the next."""
    return run["runKey"], run["version"]


def _all(script: Script, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        page = script.get("logs", perPage=_PAGE, cursor=cursor, **asked)
        yield from page["items"]
        cursor = page.get("next")
        if cursor is None:
            return


def _write(items: Sequence[dict[str, Any]], as_lines: bool) -> None:
    ordered = sorted(items, key=lambda run: (run["time"], run["runKey"]))
    if as_lines:
        output.each(ordered)
        return
    for run in ordered:
        for text in _texts(run):
            output.line(text)


def _texts(run: dict[str, Any]) -> Iterator[str]:
    said = [values.instant(run["time"]), f"v{run['version']} {run['entry']}", run["status"]]
    if run.get("result") not in (None, "unchanged"):
        said.append(run["result"])
    if run.get("effects"):
        said.append(f"{run['effects']} effects")
    if run.get("repeated"):
        said.append("repeated")
    said += [f"device {run['deviceId']}"] if run.get("deviceId") else []
    said += [f"event {run['eventId']}"] if run.get("eventId") else []
    yield values.cell("", "  ".join(said))
    for one in run.get("lines", ()):
        mark = "error: " if one.get("level") == "error" else ""
        for number, text in enumerate(str(one["text"]).splitlines() or [""]):
            yield values.cell("", f"    {mark if number == 0 else ''}{text}")
    failure = run.get("failure")
    if failure:
        named_as = ": ".join(filter(None, (failure.get("type") or failure["kind"], failure.get("message"))))
        lines = str(failure.get("traceback") or named_as).splitlines()
        for text in lines:
            yield values.cell("", f"    {text}")
