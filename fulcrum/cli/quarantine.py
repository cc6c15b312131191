"""``fulcrum quarantine``: what could not be processed, shown with its bytes, sent again, thrown away."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import typer

from fulcrum.cli import asking, output, targets, values
from fulcrum.cli.connection import Connection, Options
from fulcrum.cli.problems import FAILED, Problem, usage

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ENTRY-ID]...", help="Which entries; or --all")]
All = Annotated[bool, typer.Option("--all", help="All entries that the filters leave")]
ErrorType = Annotated[str | None, typer.Option("--error-type", help="Only of this type")]
Service = Annotated[str | None, typer.Option("--service", help="Only what this service set aside")]


def show(
    ctx: typer.Context,
    entry: Annotated[str, typer.Argument(metavar="ENTRY-ID", help="The id of the entry")],
    data: Annotated[bool, typer.Option("--data", help="Write the original bytes and no more")] = False,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Show an entry: why it was set aside, and its original bytes."""
    from fulcrum.client.request import Request, segment

    connection = Connection(ctx.find_object(Options) or Options(), project)
    try:
        found = connection.send(Request("GET", f"/v1/quarantine/{segment(entry)}"))
    finally:
        connection.close()
    if as_json:
        output.document(found)
        return
    text, encoding, detail = found.pop("data", ""), found.pop("encoding", "utf-8"), found.pop("detail", "")
    original = base64.b64decode(text) if encoding == "base64" else text.encode()
    if data:
        output.raw(original)
        return
    # What a service said of it stands above already.
    said = found.pop("attributes", {})
    found["attributes"] = {key: value for key, value in said.items() if key not in found}
    output.show_object(found)
    if detail:
        output.line("")
        for part in detail.splitlines():
            output.line(values.cell("", part))
    output.line(f"\n{original.decode(errors='backslashreplace')}")


def redrive(
    ctx: typer.Context,
    ids: Ids = None,
    everything: All = False,
    error_type: ErrorType = None,
    service: Service = None,
    topic: Annotated[
        str | None, typer.Option("--topic", help="Another topic than they came from; for administrators")
    ] = None,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Send entries again to where they came from, and take them out of quarantine."""
    choice = _choice(ids, everything, error_type, service)
    _each(ctx, project, "redrive", choice | ({"topic": topic} if topic else {}), "sent again", as_json)


def purge(
    ctx: typer.Context,
    ids: Ids = None,
    everything: All = False,
    error_type: ErrorType = None,
    service: Service = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask")] = False,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Throw entries away for good."""
    choice = _choice(ids, everything, error_type, service)
    what = "all entries that the filters leave" if everything else f"{len(ids or [])} entries"
    asking.sure(f"Throw away {what} for good?", yes)
    _each(ctx, project, "purge", choice, "thrown away", as_json)


def _choice(
    ids: list[str] | None, everything: bool, error_type: str | None, service: str | None
) -> dict[str, Any]:
    if bool(ids) is everything:
        raise usage("name entries by their ids, or say --all", "filters may stand beside --all")
    filters = {"errorType": error_type, "service": service}
    given = {key: value for key, value in filters.items() if value is not None}
    if ids and given:
        raise usage("filters are for --all", "name the entries, or filter all of them")
    return {"ids": ids} if ids else {"all": True} | given


def _each(
    ctx: typer.Context, project: str | None, verb: str, choice: dict[str, Any], said: str, as_json: bool
) -> None:
    """Do it, as often as there is more; those that fail stay, and the others go."""
    from fulcrum.client.request import Request, segment

    connection = Connection(ctx.find_object(Options) or Options(), project)
    done, failed, problems = 0, 0, []
    try:
        path = f"/v1/project/{segment(connection.project)}/quarantine/{verb}"
        while True:
            answer = connection.send(Request("POST", path, body=choice))
            done += answer["done"]
            failed += answer.get("failed", 0)
            problems += answer.get("problems", [])
            # Those that failed are the first of the next answer too.
            if not answer.get("more") or answer.get("failed") or not answer["done"]:
                break
    finally:
        connection.close()
    if as_json:
        output.document({"done": done, "failed": failed, "problems": problems})
    else:
        output.line(f"{done} {said}")
        for one in problems:
            output.note(f"{one['id']}: {one['message']} ({one['error']})")
    if failed:
        raise Problem(f"{failed} entries stay in quarantine", "see what was said of each", FAILED)
