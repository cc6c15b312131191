"""``fulcrum search``: devices by what they are and what they last said."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fulcrum.cli import bodies, calling, conditions, output, targets
from fulcrum.cli.connection import Connection, Options
from fulcrum.cli.output import Shape
from fulcrum.cli.problems import usage


def search(
    ctx: typer.Context,
    wanted: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[CONDITION]...", help="As 'temperature>25', name^=room, blueprintId=5kR, battery?"
        ),
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="Words that the device's texts contain")] = None,
    sort: Annotated[str, typer.Option("--sort", help="Fields, with - before one for descending")] = "",
    at: Annotated[
        str | None, typer.Option("--at", help="As it was then: 2h, 7d, epoch ms or ISO 8601")
    ] = None,
    system: Annotated[str | None, typer.Option("--system", help="In this system alone")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many a page has")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="All pages")] = False,
    total: Annotated[bool, typer.Option("--total", help="Say how many there are in all")] = False,
    body: Annotated[
        str | None, typer.Option("--body", help="The search as JSON, @file or -; conditions are added to it")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="All that match as CSV, as a stream")] = False,
    project: targets.Project = None,
    fields: targets.Fields = "",
    as_json: targets.Json = False,
    jsonl: targets.Jsonl = False,
    extract: targets.Extract = None,
) -> None:
    """Find devices. All conditions must hold; put those with < or > in quotes."""
    from fulcrum.client.request import Request, segment

    asked = _body(bodies.given(body), wanted or [], text)
    if sort:
        asked["sort"] = conditions.sort(sort)
    if at:
        instant = targets.instant(at)
        asked["at"] = int(instant) if instant and instant.isdecimal() else instant
    if total:
        asked["total"] = True
    asked.setdefault("perPage", limit)
    connection = Connection(ctx.find_object(Options) or Options(), project)
    try:
        place = f"system/{segment(system)}" if system else f"project/{segment(connection.project)}"
        request = Request("POST", f"/v1/{place}/devices.search", body=asked)
        shape = Shape(as_json, jsonl, extract, targets.names(fields) or _columns(asked))
        if csv:
            calling.stream(
                connection, Request("POST", request.path, {"format": "csv"}, body=asked, accept="text/csv")
            )
        elif everything:
            calling.all_pages(connection, request, shape)
        else:
            output.show(connection.send(request), shape)
    finally:
        connection.close()


def _body(given: Any, wanted: list[str], text: str | None) -> dict[str, Any]:
    if given is not None and not isinstance(given, dict):
        raise usage("--body of a search is an object", 'as in: {"filter": {...}}')
    asked: dict[str, Any] = dict(given or {})
    found = [conditions.condition(one) for one in wanted]
    if text:
        found.append({"type": "text", "value": text})
    if found:
        before = asked.get("filter") or []
        asked["filter"] = [*(before if isinstance(before, list) else [before]), *found]
    return asked


def _columns(asked: dict[str, Any]) -> tuple[str, ...]:
    """What tells the devices apart, and what was asked about."""
    found = asked.get("filter")
    about = [one.get("field") for one in (found if isinstance(found, list) else []) if isinstance(one, dict)]
    about += [one.get("field") for one in asked.get("sort", ()) if isinstance(one, dict)]
    named = [str(one) for one in about if one]
    return tuple(dict.fromkeys(["id", "name", *named, *([] if named else ["data"])]))
