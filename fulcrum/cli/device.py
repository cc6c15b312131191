"""``fulcrum device show`` and ``fulcrum device import``: where people want more than one answer."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fulcrum.cli import output, targets, values
from fulcrum.cli.connection import Connection, Options
from fulcrum.cli.problems import FAILED, Problem
from fulcrum.errors import from_answer

if TYPE_CHECKING:
    import httpx

_HEAD = ("id", "name", "blueprintId", "systemId", "firstSeen", "lastSeen")


def show(
    ctx: typer.Context,
    device: Annotated[str | None, typer.Argument(help="The id of the device")] = None,
    alias: targets.Alias = None,
    count: Annotated[int, typer.Option("--count", min=0, max=1000, help="How many events")] = 10,
    start: Annotated[str, typer.Option("--start", help="How far back: 2h, 7d, epoch ms or ISO 8601")] = "30d",
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Show a device: what it is, its state, and the latest of its history."""
    from fulcrum.client.request import Request, segment

    connection = Connection(ctx.find_object(Options) or Options(), project)
    try:
        path = f"/v1/device/{segment(targets.device_id(connection, device, alias))}"
        state = connection.send(Request("GET", path))
        rows: list[Any] = []
        if count:
            query = {"start": targets.instant(start), "order": "-$time", "perPage": count}
            rows = connection.send(Request("GET", f"{path}/history", query))["items"]
    finally:
        connection.close()
    if as_json:
        output.document({"device": state, "history": rows})
        return
    head = {key: state[key] for key in _HEAD if key in state}
    aliases = values.flat(state.get("networkAliases", {}))
    output.show_object(head | {f"alias {path}": value for path, value in aliases})
    output.line("")
    output.show_object(dict(sorted(state["data"].items()))) if state.get("data") else output.line(
        "no data yet"
    )
    if rows:
        output.line("")
        shown = [[values.instant(row["time"]), values.cell("data", row.get("data"))] for row in rows]
        output.table(["time", "data"], shown, whole=True)


def import_(
    ctx: typer.Context,
    file: Annotated[str, typer.Argument(help="A CSV file; - for standard input")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, write nothing")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Write the rows that are right even if others are wrong")
    ] = False,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Make and change devices from a CSV table; nothing is written if a row is wrong, unless --partial.

    The columns are those of: fulcrum device export. Errors name the row as a spreadsheet counts it.
    """
    from fulcrum.cli import calling
    from fulcrum.client.request import Request, segment

    connection = Connection(ctx.find_object(Options) or Options(), project)
    request = Request(
        "POST",
        f"/v1/project/{segment(connection.project)}/devices/import",
        {"dryRun": dry_run, "partial": partial},
        content=calling.content(file),
        content_type="text/csv",
        accept="application/x-ndjson",
    )
    try:
        with connection.stream(request) as answer:
            last = _followed(answer)
    finally:
        connection.close()
    report = last.get("report") or (last.get("error") or {}).get("report")
    if report is None:
        error = last.get("error")
        raise (
            from_answer(int(error["status"]), error)
            if error
            else Problem("the import was broken off", "import it again: what is done already stays as it is")
        )
    _report(report, as_json)


def _followed(answer: httpx.Response) -> dict[str, Any]:
    """The last line of the answer; the others move a bar on a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    last: dict[str, Any] = {}
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("importing", total=None)
        for text in answer.iter_lines():
            last = json.loads(text) if text.strip() else last
            if progress := last.get("progress"):
                # Each row is checked, then written.
                done = progress.get("checked", 0) + progress.get("written", 0)
                bar.update(task, completed=done, total=2 * progress.get("rows", 0) or None)
    return last


def _report(report: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.document(report)
    else:
        would = "would be " if report.get("dryRun") else ""
        counts = ", ".join(
            f"{report.get(key, 0)} {would}{key}" for key in ("created", "updated", "unchanged")
        )
        output.line(f"{report['rows']} rows: {counts}, {report.get('failed', 0)} wrong")
        for error in report.get("errors", ()):
            where = f"row {error['row']}" + (f", {error['column']}" if error.get("column") else "")
            output.note(f"{where}: {error['message']} ({error['error']})")
    if report.get("failed"):
        raise Problem(
            f"{report['failed']} rows are wrong", "mend them, or import the others by --partial", FAILED
        )
