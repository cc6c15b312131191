"""``fulcrum script replay``: a new version over recorded history, beside the deployed one. Nothing is sent.

Other commands call :func:`compare` and :func:`show`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fulcrum.cli import output, targets, values
from fulcrum.cli.connection import Connection, Options
from fulcrum.cli.problems import FAILED, INTERRUPTED, Problem, usage
from fulcrum.cli.scripts import named, replay_input, replay_text
from fulcrum.cli.scripts.replay_input import Asked

if TYPE_CHECKING:
    from fulcrum.script.replay.report import Report
    from fulcrum.script.replay.rules import Rule

# The exit code where a rule is broken.
BROKEN = 4


def replay(
    ctx: typer.Context,
    script: named.Name,
    path: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER|FILE]", help="The new version; the script's draft if left out"),
    ] = None,
    since: Annotated[str, typer.Option("--since", help="From when on: 2h, 7d, epoch ms or ISO 8601")] = "7d",
    until: Annotated[str | None, typer.Option("--until", help="Until when; now if left out")] = None,
    device: Annotated[
        list[str] | None, typer.Option("--device", help="Only this device, by its id; again for more")
    ] = None,
    blueprint: Annotated[
        str | None, typer.Option("--blueprint", help="Only devices of this blueprint, by its id")
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="A stored version as the new one")
    ] = None,
    against: Annotated[
        str, typer.Option("--against", help="deployed, none, or the number of a stored version")
    ] = "deployed",
    every: Annotated[
        bool, typer.Option("--all-events", help="All events of the devices, not those it ran on alone")
    ] = False,
    entry: Annotated[
        str | None, typer.Option("--entry", help="The entry point of events that it did not run on")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=VALUE", help="A parameter of such events; again for more"),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on", metavar="RULE", help="End with status 4 if so: sms+10%, errors>0, sms=0 ..."
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report there, as one page")] = None,
    input_: Annotated[
        Path | None, typer.Option("--input", help="Read a saved input instead of the history")
    ] = None,
    save_input: Annotated[
        Path | None, typer.Option("--save-input", help="Keep the input there, for --input")
    ] = None,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Run a new version over recorded events, and show what it does differently. Nothing is sent or stored.

    Ends with status 4 if a rule of --fail-on is broken, 1 if a version could not be run to the end, 130
    after Ctrl-C; the report is then of the events until then.
    """
    rules = [_rule(text) for text in fail_on or ()]
    asked = Asked(
        since=since,
        until=until,
        devices=tuple(device or ()),
        blueprint=blueprint,
        version=version,
        against=against,
        events="all" if every else None,
        entry=entry,
        params=_params(param or ()),
        input=input_,
        save_input=save_input,
    )
    if path is not None and version is not None:
        raise usage("a folder and --version name two new versions", "give one of them")
    connection = Connection(ctx.find_object(Options) or Options(), project)
    try:
        # A saved input needs no platform.
        script_id = script if input_ is not None else named.find(connection, script)
        report = compare(connection, script_id, path, asked, progress=True)
    finally:
        connection.close()
    _judge(report, rules)
    if html is not None:
        _write_page(report, html)
    if as_json:
        output.document(report.to_json())
    else:
        show(report)
    _exit(report)


def compare(
    connection: Connection,
    script_id: str,
    path: Path | None = None,
    asked: Asked | None = None,
    *,
    progress: bool = False,
) -> Report:
    """Replay a script's new version (``path``, else its draft) as ``asked``; Problem, or an error of the API.

    ``progress``: show on a terminal's stderr how far it is.
    """
    from fulcrum.cli.scripts.replay_progress import shown
    from fulcrum.script.replay import engine
    from fulcrum.script.replay.processes import SideFailed

    asked = asked or Asked()
    with ExitStack() as stack:
        chunks = stack.enter_context(replay_input.opened(connection, script_id, asked))
        try:
            first, rest = replay_input.header(chunks)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fulcrum-replay-")))
            before, after = replay_input.versions(connection, script_id, path, asked, first, folder)
            update = stack.enter_context(shown(progress))
            return engine.replay(
                rest, before, after, seconds_per_event=asked.seconds_per_event, progress=update
            )
        except engine.InputBroken as error:
            raise Problem(str(error)) from error
        except SideFailed as error:
            raise Problem(_failure(error), "correct the code; nothing was replayed") from error


def show(report: Report) -> None:
    """Write a report to the terminal."""
    replay_text.show(report)


def _exit(report: Report) -> None:
    if any(verdict.broken for verdict in report.rules):
        raise typer.Exit(BROKEN)
    if not report.complete:
        interrupted = any("ended early" in problem for problem in report.problems)
        raise typer.Exit(INTERRUPTED if interrupted else FAILED)


def _judge(report: Report, rules: Sequence[Rule]) -> None:
    from fulcrum.script.replay.rules import judge

    report.rules = judge(rules, report)


def _rule(text: str) -> Rule:
    from fulcrum.script.replay.rules import RuleError, parse

    try:
        return parse(text)
    except RuleError as error:
        raise usage(str(error)) from None


def _params(given: Sequence[str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise usage(f"{text!r} is no parameter", "write NAME=VALUE")
        made[name] = values.parsed(value)
    return made


def _failure(error: Any) -> str:
    text = f"{error.label} cannot be run: {error.message}"
    return f"{text}\n{error.traceback.rstrip()}" if error.traceback else text


def _write_page(report: Report, path: Path) -> None:
    from fulcrum.script.replay.html import page

    try:
        path.write_text(page(report), encoding="utf-8")
    except OSError as error:
        raise Problem(f"{path} cannot be written: {error.strerror}") from error
    output.note(f"report: {path}")
