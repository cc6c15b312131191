"""``fulcrum history`` and ``fulcrum events``: what devices sent, of a device, a system or the project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from fulcrum.cli import calling, output, targets
from fulcrum.cli.connection import Connection, Options
from fulcrum.cli.output import Shape
from fulcrum.cli.problems import usage

Device = Annotated[str | None, typer.Argument(help="The id of the device")]
System = Annotated[str | None, typer.Option("--system", help="Of all devices of this system")]
Whole = Annotated[bool, typer.Option("--whole", help="Of all devices of the project")]
Start = Annotated[str, typer.Option("--start", help="From when on: 2h, 7d, epoch ms or ISO 8601")]
End = Annotated[str | None, typer.Option("--end", help="Until when; now if left out")]
Paths = Annotated[str | None, typer.Option("--paths", help="What is asked for: names with commas, or JSON")]
Where = Annotated[str | None, typer.Option("--where", help='Conditions as JSON: [["temperature", ">", 5]]')]
Group = Annotated[str | None, typer.Option("--group", help="Aliases that groups are made of")]
Order = Annotated[str | None, typer.Option("--order", help="Columns, with - before one for descending")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many rows")]
Everything = Annotated[bool, typer.Option("--all", help="All rows, as JSON lines unless --csv, as a stream")]
Csv = Annotated[bool, typer.Option("--csv", help="All rows as CSV, as a stream")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would read, and do not ask")]


def history(
    ctx: typer.Context,
    device: Device = None,
    alias: targets.Alias = None,
    system: System = None,
    whole: Whole = False,
    start: Start = "30d",
    end: End = None,
    paths: Paths = None,
    where: Where = None,
    group: Group = None,
    order: Order = "-$time",
    limit: Limit = 20,
    everything: Everything = False,
    csv: Csv = False,
    dry_run: DryRun = False,
    project: targets.Project = None,
    fields: targets.Fields = "",
    as_json: targets.Json = False,
    jsonl: targets.Jsonl = False,
    extract: targets.Extract = None,
) -> None:
    """Show what devices sent, the latest first."""
    query = {"start": start, "end": end, "paths": paths, "where": where, "group": group, "order": order}
    # An order by time means nothing to rows that were asked for without it.
    if (paths or group) and order == "-$time":
        query["order"] = None
    shape = Shape(
        as_json, jsonl, extract, targets.names(fields) or (() if paths else ("time", "deviceId", "data"))
    )
    asked = _Asked("history", device, alias, system, whole, limit, everything or jsonl, csv, dry_run)
    _run(ctx, project, asked, query, shape)


def events(
    ctx: typer.Context,
    device: Device = None,
    alias: targets.Alias = None,
    system: System = None,
    whole: Whole = False,
    start: Start = "30d",
    end: End = None,
    where: Where = None,
    limit: Limit = 20,
    everything: Everything = False,
    csv: Csv = False,
    project: targets.Project = None,
    fields: targets.Fields = "",
    as_json: targets.Json = False,
    jsonl: targets.Jsonl = False,
    extract: targets.Extract = None,
) -> None:
    """Show the event records of devices, the latest first."""
    query = {"start": start, "end": end, "where": where, "order": "-$time"}
    shape = Shape(as_json, jsonl, extract, targets.names(fields))
    asked = _Asked("events", device, alias, system, whole, limit, everything or jsonl, csv, False)
    _run(ctx, project, asked, query, shape)


@dataclass(frozen=True)
class _Asked:
    """Whose rows, how many, and in what form."""

    model: str
    device: str | None
    alias: str | None
    system: str | None
    whole: bool
    limit: int
    everything: bool
    csv: bool
    dry_run: bool

    def path(self, connection: Connection) -> str:
        """Where the query is answered; Problem if it is not said of whom."""
        from fulcrum.client.request import segment

        if sum((self.device is not None or self.alias is not None, self.system is not None, self.whole)) != 1:
            raise usage("name a device, or --system, or --whole for the project")
        if self.system is not None:
            return f"/v1/system/{segment(self.system)}/{self.model}"
        if self.whole:
            return f"/v1/project/{segment(connection.project)}/{self.model}"
        found = targets.device_id(connection, self.device, self.alias)
        return f"/v1/device/{segment(found)}/{self.model}"


def _run(ctx: typer.Context, project: str | None, asked: _Asked, query: dict[str, Any], shape: Shape) -> None:
    from fulcrum.client.request import Request

    connection = Connection(ctx.find_object(Options) or Options(), project)
    query |= {"start": targets.instant(query["start"]), "end": targets.instant(query["end"])}
    try:
        path = asked.path(connection)
        if asked.csv or asked.everything:
            kind = ("csv", "text/csv") if asked.csv else ("jsonl", "application/x-ndjson")
            calling.stream(connection, Request("GET", path, {**query, "format": kind[0]}, accept=kind[1]))
            return
        query |= {"perPage": asked.limit, "dryRun": True if asked.dry_run else None}
        answer = connection.send(Request("GET", path, query))
        if not (shape.json or shape.extract):
            # The limit was asked for, and more is no news.
            answer.pop("next", None)
        output.show(answer, shape)
    finally:
        connection.close()
