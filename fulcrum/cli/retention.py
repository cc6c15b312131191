"""``fulcrum retention``: what a curation would let go, by stores and days, and having it done now."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fulcrum.cli import asking, output, targets, values
from fulcrum.cli.connection import Connection, Options

_STORES = ("store", "rows", "shortened", "bytes", "snapshot rows", "expiring", "exact")
_DAYS = ("store", "day", "rows", "bytes", "shortened", "of bytes")


def preview(
    ctx: typer.Context,
    at: Annotated[
        int | None, typer.Option("--at", help="The curation's instant, epoch ms; else the next night's")
    ] = None,
    days: Annotated[bool, typer.Option("--days", help="The days of the history, too")] = False,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Show what a curation would let go: history to the row, the rest as it is now. Nothing is changed."""
    from fulcrum.client.request import Request, segment

    connection = Connection(ctx.find_object(Options) or Options(), project)
    try:
        path = f"/v1/project/{segment(connection.project)}/retention/preview"
        found = connection.send(Request("GET", path, query={"at": at}))
    finally:
        connection.close()
    if as_json:
        output.document(found)
        return
    output.line(f"at {values.instant(found['at'])}\n")
    stores = found["stores"]
    output.table(_STORES, [_store(store) for store in stores], whole=False)
    if days:
        output.line("")
        rows = [_day(store["store"], day) for store in stores for day in store.get("days", ())]
        output.table(_DAYS, rows, whole=False)


def curate(
    ctx: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask")] = False,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Let go now what is no longer kept, as the night's curation would. What goes does not come back."""
    from fulcrum.client.request import Request, segment

    connection = Connection(ctx.find_object(Options) or Options(), project)
    try:
        named = connection.project
        asking.sure(f"Let go what {named} no longer keeps, for good?", yes)
        found = connection.send(Request("POST", f"/v1/project/{segment(named)}/retention/curate"))
    finally:
        connection.close()
    if as_json:
        output.document(found)
    else:
        output.line(found["run"])
        output.note("it begins; see it with: fulcrum retention get")


def _store(store: dict[str, Any]) -> list[str]:
    counts = ("rows", "shortened", "bytes", "snapshotRows", "expiring")
    return [
        store["store"],
        *(f"{store.get(name, 0):,}" for name in counts),
        "yes" if store["exact"] else "estimate",
    ]


def _day(store: str, day: dict[str, Any]) -> list[str]:
    counts = ("rows", "bytes", "shortened", "shortenedBytes")
    return [store, values.instant(day["day"])[:10], *(f"{day[name]:,}" for name in counts)]
