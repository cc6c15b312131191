"""``fulcrum script set-code``: what stands in a file or folder becomes the draft of a script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fulcrum.cli import output, targets
from fulcrum.cli.scripts import named, source
from fulcrum.core.script_files import packages
from fulcrum.errors import NotFound


def set_code(
    ctx: typer.Context,
    script: named.Name,
    path: Annotated[Path, typer.Argument(help="A file of Python, or a folder with a main.py", exists=True)],
    create: Annotated[
        bool, typer.Option("--create", help="Create the script, by its alias, if there is none such")
    ] = False,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Set the code of a script. What is deployed runs on until: fulcrum script deploy SCRIPT."""
    code = source.read(path)
    with named.opened(ctx, script, project) as one:
        try:
            found = one.post("setCode", code.body)
        except NotFound:
            if not create:
                raise
            found = one.created({"name": script} | source.described(path) | {"alias": script} | code.body)
    if as_json:
        output.document(found)
        return
    more = [f"{len(code.files)} more files"] if code.files else []
    more += ["requirements"] if packages(code.requirements) else []
    output.line(f"the draft of {script} is set" + (f", with {' and '.join(more)}" if more else ""))
