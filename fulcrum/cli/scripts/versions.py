"""``fulcrum script versions`` and ``deployments``: what a script was, and what ran when."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from fulcrum.cli import output, targets, values
from fulcrum.cli.problems import usage
from fulcrum.cli.scripts import named

Limit = Annotated[int, typer.Option("--limit", min=1, max=200, help="At most so many")]


def versions(
    ctx: typer.Context,
    script: named.Name,
    version: Annotated[
        int | None, typer.Argument(help="Show the code of this version, its main.py", min=1)
    ] = None,
    difference: Annotated[
        int | None,
        typer.Option("--difference", min=0, help="Compare it with this version; 0 is the draft"),
    ] = None,
    limit: Limit = 20,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """List the versions of a script, the newest first; or show one, or how two differ."""
    if difference is not None and version is None:
        raise usage("which version is to be compared?", "write for example: versions SCRIPT 3 --difference 2")
    with named.opened(ctx, script, project) as one:
        if version is None:
            found = one.get("versions", perPage=limit)
            running = (one.get().get("state") or {}).get("version")
        elif difference is None:
            found = one.get(f"versions/{version}")
        else:
            found = one.get(f"versions/{version}/difference", against=difference)
    if as_json:
        output.document(found)
    elif version is None:
        _list(found, running)
    elif difference is None:
        _show(found)
    else:
        output.line(_shown(found["text"].rstrip("\n")) or "they are the same")


def deployments(
    ctx: typer.Context,
    script: named.Name,
    limit: Limit = 20,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """List the deployments of a script, the latest first, with how far they are."""
    with named.opened(ctx, script, project) as one:
        found = one.get("deployments", perPage=limit)
    if as_json:
        output.document(found)
        return
    rows = [
        [
            one["id"],
            one["action"] if one["action"] == "undeploy" else f"version {one['version']}",
            f"{one['state']}, {one['progress']} %" if one["state"] == "building" else one["state"],
            values.instant(one["created"]),
            _who(one),
            values.cell("", one.get("note") or one.get("message")),
        ]
        for one in found["items"]
    ]
    output.table(["id", "what", "state", "created", "by", "note"], rows, whole=True)


def _list(found: dict[str, Any], running: int | None) -> None:
    rows = [
        [
            f"{one['version']}{' runs' if one['version'] == running else ''}",
            values.instant(one["created"]),
            _who(one),
            ", ".join(entry["name"] for entry in one.get("entries", ())),
            values.cell("", one.get("note")),
        ]
        for one in found["items"]
    ]
    output.table(["version", "created", "by", "functions", "note"], rows, whole=True)


def _show(found: dict[str, Any]) -> None:
    further = {"requirements.txt": found["requirements"]} if found.get("requirements") else {}
    files = {"main.py": found["code"], **found.get("files", {}), **further}
    for name, text in files.items():
        if len(files) > 1:
            output.line(f"==> {name}")
        output.line(_shown(str(text).rstrip("\n")))


def _shown(text: str) -> str:
    """Code as it is for a pipe or a file, and without what would steer a terminal."""
    return values.lines(text) if sys.stdout.isatty() else text


def _who(one: dict[str, Any]) -> str:
    return values.cell("", (one.get("createdBy") or {}).get("name"))
