"""``fulcrum script deploy``, ``undeploy`` and ``rollback``: asked for, and followed until it is done."""

from __future__ import annotations

import json
import sys
import time
from typing import Annotated, Any

import typer

from fulcrum.cli import output, targets, values
from fulcrum.cli.problems import FAILED, Problem, usage
from fulcrum.cli.scripts import named
from fulcrum.cli.scripts.named import Script

Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it runs, or has failed")]
Note = Annotated[str | None, typer.Option("--note", "-m", help="Why, for whoever reads the versions")]
Version = Annotated[int | None, typer.Option("--version", min=1, help="An older version; else the draft")]
_OPEN = ("queued", "building")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0


def deploy(
    ctx: typer.Context,
    script: named.Name,
    version: Version = None,
    note: Note = None,
    replay: Annotated[
        str | None,
        typer.Option("--replay", help="First run it over recorded events from so long ago, as 7d, and ask"),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, whatever the replay shows")] = False,
    wait: Wait = True,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Deploy the draft of a script, or a version of it. The version before runs until the new one does.

    With --replay, what it would have done otherwise than the deployed version is shown first, and nothing is
    deployed unless that is agreed to. Ends with status 1 if the deployment fails; the end of the build's log
    is shown then.
    """
    if replay is not None and not yes and not sys.stdin.isatty():
        raise usage("nobody can be asked whether to deploy it after the replay", "repeat it with --yes")
    with named.opened(ctx, script, project) as one:
        if replay is not None:
            _agreed(one, version, replay, yes, as_json)
        asked = {"version": version, "note": note}
        made = one.post("deploy", {key: value for key, value in asked.items() if value is not None})
        _followed(one, made, wait, as_json)


def undeploy(
    ctx: typer.Context,
    script: named.Name,
    wait: Wait = True,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Let a script run no more. Its events are set aside in quarantine until it is deployed again."""
    with named.opened(ctx, script, project) as one:
        _followed(one, one.post("undeploy"), wait, as_json)


def rollback(
    ctx: typer.Context,
    script: named.Name,
    version: Annotated[
        int | None, typer.Argument(help="Which version; the one that ran before, if left out", min=1)
    ] = None,
    note: Note = None,
    wait: Wait = True,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Deploy an older version of a script again. The draft stays as it is."""
    with named.opened(ctx, script, project) as one:
        asked = {"version": version, "note": note}
        made = one.post("rollback", {key: value for key, value in asked.items() if value is not None})
        _followed(one, made, wait, as_json)


def _agreed(script: Script, version: int | None, since: str, yes: bool, as_json: bool) -> None:
    """Replay what is to be deployed, show it, and ask; Abort or Problem if it is not to be."""
    from fulcrum.cli.scripts import replay
    from fulcrum.cli.scripts.replay_input import Asked

    before = script.get()["version"]
    asked = Asked(since=since, version=version)
    report = replay.compare(script.connection, script.id, None, asked, progress=True)
    if as_json:
        # Stdout is the deployment's.
        output.note(json.dumps(report.to_json(), ensure_ascii=False))
    else:
        replay.show(report)
        output.flush()
    if not report.complete:
        raise Problem("the replay did not come to its end", "nothing was deployed")
    if not yes:
        typer.confirm(f"Deploy {script.name}?", abort=True, err=True)
    if version is None and script.get()["version"] != before:
        raise Problem(
            f"the draft of {script.name} was changed since its replay began",
            "nothing was deployed: repeat it, for what the draft is now",
        )


def _followed(script: Script, made: dict[str, Any], wait: bool, as_json: bool) -> None:
    done = _awaited(script, made) if wait else made
    if as_json:
        output.document(done)
    elif done["state"] in _OPEN:
        output.line(f"{_said(script, done)}: under way, see: fulcrum script deployments {script.name}")
    elif done["state"] == "failed":
        for text in str(done.get("log") or "").splitlines():
            output.note(f"    {text}")
        output.note(f"{_said(script, done)} failed: {done.get('message') or 'it says no more'}")
    else:
        output.line(f"{_said(script, done)}: {values.cell('', done.get('message') or done['state'])}")
    if done["state"] == "failed":
        raise typer.Exit(FAILED)


def _awaited(script: Script, made: dict[str, Any]) -> dict[str, Any]:
    """A deployment at its end; what becomes of it meanwhile is told on stderr."""
    told, pause = "", _FIRST_PAUSE
    while made["state"] in _OPEN:
        text = f"{made['state']}, {made.get('progress', 0)} %: {made.get('message') or ''}".rstrip(": ")
        if text != told:
            output.note(text)
            told = text
        time.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 1.3)
        made = script.get(f"deployments/{made['id']}")
    return made


def _said(script: Script, made: dict[str, Any]) -> str:
    if made["action"] == "undeploy":
        return f"undeploying {script.name}"
    return f"version {made['version']} of {script.name}"
