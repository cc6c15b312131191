"""``fulcrum export``, ``plan``, ``apply``, ``rollback`` and ``revisions``: a project as code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fulcrum.cli import code_folder, output, targets, values
from fulcrum.cli.connection import Connection, Options
from fulcrum.cli.problems import FAILED

Folder = Annotated[Path, typer.Argument(help="The folder of YAML", file_okay=False)]
Force = Annotated[bool, typer.Option("--force", help="Even if it breaks what devices hold; see the plan")]
AnyBase = Annotated[
    bool, typer.Option("--any-base", help="Whatever the project has become since the folder was made")
]
_SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-"}


def export(
    ctx: typer.Context, folder: Folder, project: targets.Project = None, as_json: targets.Json = False
) -> None:
    """Write the project as a folder of YAML, one file a resource."""
    found = _send(ctx, project, "GET", "export")
    written = code_folder.write(folder, found["document"], found["base"])
    if as_json:
        output.document({"revision": found["revision"], "base": found["base"], "files": [*map(str, written)]})
        return
    output.line(f"{len(written)} files in {folder}, at revision {found['revision']}")


def plan(
    ctx: typer.Context,
    folder: Folder,
    any_base: AnyBase = False,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Show what applying the folder would do, to the project and to its fleet. Changes nothing.

    Ends with status 1 if applying it would be refused without --force.
    """
    document, base = code_folder.read(folder)
    found = _send(ctx, project, "POST", "plan", {"document": document} | _base(base, any_base))
    if as_json:
        output.document(found)
    else:
        _show(found)
    if found["breaking"] or found["blocked"]:
        raise typer.Exit(FAILED)


def apply(
    ctx: typer.Context,
    folder: Folder,
    message: Annotated[
        str, typer.Option("--message", "-m", help="Why, for whoever reads the revisions")
    ] = "",
    force: Force = False,
    any_base: AnyBase = False,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Make the project what the folder says: all of it or nothing, as a numbered revision."""
    document, base = code_folder.read(folder)
    body = {"document": document, "message": message, "force": force} | _base(base, any_base)
    done = _send(ctx, project, "POST", "apply", body)
    code_folder.write_base(folder, done["base"])
    _tell(done, as_json)


def rollback(
    ctx: typer.Context,
    revision: Annotated[int, typer.Argument(help="The revision to go back to", min=1)],
    force: Force = False,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Make the project what it was at a revision, as a new one. Export again afterwards."""
    _tell(_send(ctx, project, "POST", "rollback", {"revision": revision, "force": force}), as_json)


def revisions(ctx: typer.Context, project: targets.Project = None, as_json: targets.Json = False) -> None:
    """List the project's revisions, the newest first."""
    found = _send(ctx, project, "GET", "revisions")
    if as_json:
        output.document(found)
        return
    rows = [
        [str(one["number"]), values.instant(one["time"]), str(one["actor"].get("name", "")), one["message"]]
        for one in found["items"]
    ]
    output.table(["number", "time", "by", "message"], rows, whole=True)


def _send(ctx: typer.Context, project: str | None, method: str, verb: str, body: Any = None) -> Any:
    from fulcrum.client.request import Request, segment

    connection = Connection(ctx.find_object(Options) or Options(), project)
    try:
        path = f"/v1/project/{segment(connection.project)}/{verb}"
        return connection.send(Request(method, path, body=body))
    finally:
        connection.close()


def _base(base: str | None, any_base: bool) -> dict[str, Any]:
    return {} if any_base or base is None else {"base": base}


def _tell(done: dict[str, Any], as_json: bool) -> None:
    if as_json:
        output.document(done)
    elif done["changed"]:
        gone = f", {done['deleted']} of them deleted" if done.get("deleted") else ""
        output.line(f"revision {done['revision']}: {done['changed']} changed{gone}")
    else:
        output.line(f"nothing to change, still revision {done['revision']}")


def _show(found: dict[str, Any]) -> None:
    for change in found["changes"]:
        output.line(f"{_SIGNS[change['action']]} {change['section']} {' '.join(change['name'])}".rstrip())
        if change["action"] in ("update", "replace"):
            for field in change["fields"]:
                before, after = (values.cell("", field.get(side)) for side in ("before", "after"))
                output.line(f"    {field['field']}: {before or '(none)'} -> {after or '(none)'}")
    if not found["changes"]:
        output.line("nothing to change")
    if found["devicesRead"]:
        output.line(
            f"\n{found['devicesRead']} devices looked at, {found['misfitCount']} hold what would not fit"
        )
    for misfit in found["misfits"]:
        output.line(f"! {misfit['deviceName']} ({misfit['deviceId']}): {misfit['problem']}")
    for named in found["references"]:
        output.line(f"! {named['where']} still names {named['what']}")
    for reason in found["blocked"]:
        output.line(f"x {reason}")
    if found["blocked"]:
        output.note("it cannot be applied: move or delete first what has it")
    elif found["breaking"]:
        output.note("it breaks something: apply needs --force")
