"""``fulcrum device show`` and ``fulcrum device import``: where people want more than one answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fulcrum.cli import output, targets, values
from fulcrum.cli.connection import Connection, Options

if TYPE_CHECKING:
    pass

_HEAD = ("id", "name", "blueprintId", "systemId", "firstSeen", "lastSeen")


def show(
    ctx: typer.Context,
    device: Annotated[str | None, typer.Argument(help="The id of the device")] = None,
    alias: targets.Alias = None,
    count: Annotated[int, typer.Option("--count", min=0, max=1000, help="How many events")] = 10,
    start: Annotated[str, typer.Option("--start", help="How far back: 2h, 7d, epoch ms or ISO 8601")] = "30d",
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Show a device: what it is, its state, and the latest of its history."""
    from fulcrum.client.request import Request, segment

    connection = Connection(ctx.find_object(Options) or Options(), project)
    try:
        path = f"/v1/device/{segment(targets.device_id(connection, device, alias))}"
        state = connection.send(Request("GET", path))
        rows: list[Any] = []
        if count:
            query = {"start": targets.instant(start), "order": "-$time", "perPage": count}
            rows = connection.send(Request("GET", f"{path}/history", query))["items"]
    finally:
        connection.close()
    if as_json:
        output.document({"device": state, "history": rows})
        return
    head = {key: state[key] for key in _HEAD if key in state}
    aliases = values.flat(state.get("networkAliases", {}))
    output.show_object(head | {f"alias {path}": value for path, value in aliases})
    output.line("")
    output.show_object(dict(sorted(state["data"].items()))) if state.get("data") else output.line(
        "no data yet"
    )
    if rows:
        output.line("")
        shown = [[values.instant(row["time"]), values.cell("data", row.get("data"))] for row in rows]
        output.table(["time", "data"], shown, whole=True)
