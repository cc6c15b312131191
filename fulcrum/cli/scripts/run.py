"""``fulcrum script run``: an occasion to run a script, as a timer would give it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fulcrum.cli import output, targets, values
from fulcrum.cli.scripts import named


def run(
    ctx: typer.Context,
    script: named.Name,
    params: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Parameters, JSON or text")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="The device that it is about, by its id")
    ] = None,
    alias: targets.Alias = None,
    function: Annotated[str, typer.Option("--function", help="The function to run")] = "run",
    occasion: Annotated[
        str | None, typer.Option("--id", help="Names the occasion: the script runs once for each")
    ] = None,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Run the deployed version of a script once. What came of it stands in its logs a moment later."""
    given: dict[str, Any] = {}
    for text in params or ():
        values.put(given, *values.assignment(text))
    body: dict[str, Any] = {"targetFunction": function, "params": given}
    with named.opened(ctx, script, project) as one:
        if device is not None or alias is not None:
            body["deviceId"] = targets.device_id(one.connection, device, alias)
        if occasion is not None:
            body["id"] = occasion
        found = one.post("run", body)
    if as_json:
        output.document(found)
        return
    output.line(f"{script} is to run for {found['id']}")
    output.note(f"see: fulcrum script logs {script} --event {found['id']}")
