"""``fulcrum device import`` and ``export``: devices as a CSV table, with a bar on a terminal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fulcrum.cli import calling, output, targets
from fulcrum.cli.connection import Connection, Options
from fulcrum.cli.problems import Problem, usage
from fulcrum.errors import from_answer

if TYPE_CHECKING:
    import httpx
    from rich.progress import Progress


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
    error = last.get("error")
    if error and "report" not in error:
        raise from_answer(int(error["status"]), error)
    report = error["report"] if error else last.get("report")
    if report is None:
        raise Problem("the import was broken off", "import it again: what is done already stays as it is")
    _report(report, error is not None, as_json)


def _followed(answer: httpx.Response) -> dict[str, Any]:
    """The last line of the answer; the others move a bar on a terminal."""
    last: dict[str, Any] = {}
    with _bar() as bar:
        task = bar.add_task("importing", total=None)
        for text in answer.iter_lines():
            last = json.loads(text) if text.strip() else last
            if progress := last.get("progress"):
                # Each row is checked, then written.
                done = progress.get("checked", 0) + progress.get("written", 0)
                bar.update(task, completed=done, total=2 * progress.get("rows", 0) or None)
    return last


def _report(report: dict[str, Any], is_refused: bool, as_json: bool) -> None:
    """Write what was done, or would be; Problem if rows are wrong. ``is_refused``: nothing was written."""
    if as_json:
        output.document(report)
    else:
        would = "would be " if report.get("dryRun") or is_refused else ""
        counts = ", ".join(
            f"{report.get(key, 0)} {would}{key}" for key in ("created", "updated", "unchanged")
        )
        output.line(f"{report['rows']} rows: {counts}, {report.get('failed', 0)} wrong")
        for error in report.get("errors", ()):
            where = f"row {error['row']}" + (f", {error['column']}" if error.get("column") else "")
            output.note(f"{where}: {error['message']} ({error['error']})")
    if is_refused:
        raise Problem(
            "nothing was written", "mend the rows that are wrong, or import the others by --partial"
        )
    if report.get("failed"):
        raise Problem(f"rows that are wrong: {report['failed']}", "mend them, and import the table again")


def export(
    ctx: typer.Context,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write to this file, once all is there; else to stdout"),
    ] = None,
    system: Annotated[str | None, typer.Option("--system", help="Of this system alone")] = None,
    blueprint: Annotated[str | None, typer.Option("--blueprint", help="Of this blueprint alone")] = None,
    project: targets.Project = None,
) -> None:
    """Write devices as a CSV table, which imported again changes nothing."""
    from fulcrum.client.request import Request, segment

    connection = Connection(ctx.find_object(Options) or Options(), project)
    query = {"systemId": system, "blueprintId": blueprint}
    try:
        path = f"/v1/project/{segment(connection.project)}/devices/export"
        request = Request("GET", path, query, accept="text/csv")
        if out is None:
            calling.stream(connection, request)
        else:
            _kept(connection, request, out)
    finally:
        connection.close()


def _kept(connection: Connection, request: Any, out: Path) -> None:
    draft = out.with_name(f".{out.name}.part")
    try:
        with _bar() as bar, connection.stream(request) as answer, open(draft, "wb") as file:
            task = bar.add_task("exporting", total=None)
            for chunk in answer.iter_bytes():
                file.write(chunk)
                bar.update(task, advance=chunk.count(b"\n"))
        draft.replace(out)
    except OSError as error:
        raise usage(f"{out} cannot be written: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import Progress

    return Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
