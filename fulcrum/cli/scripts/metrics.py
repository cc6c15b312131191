"""``fulcrum script metrics``: how often a script ran, failed and had effects, and how long it took."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from fulcrum.cli import output, targets, values
from fulcrum.cli.scripts import named
from fulcrum.cli.scripts.logs import Device, Entry, Since, Until, Version

_NAMES = ("of", "runs", "failed", "unmet", "p50 ms", "p95 ms", "cpu ms", "effects")


def metrics(
    ctx: typer.Context,
    script: named.Name,
    since: Since = "1d",
    until: Until = None,
    version: Version = None,
    device: Device = None,
    entry: Entry = None,
    by: Annotated[str | None, typer.Option("--by", help="Figures for each version, or device, too")] = None,
    interval: Annotated[
        str | None, typer.Option("--interval", help="Figures by time, too: the length of a bucket, as 1h")
    ] = None,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Show how often a script ran, failed and had effects, and how long it took."""
    asked = {
        "since": targets.instant(since),
        "until": targets.instant(until),
        "version": version,
        "device": device,
        "entry": entry,
        "by": by,
        "interval": None if interval is None else int(targets.seconds(interval) * 1000),
    }
    with named.opened(ctx, script, project) as one:
        found = one.get("metrics", **asked)
    if as_json:
        output.document(found)
        return
    rows = [_row(one, by) for one in (*found["buckets"], *found["groups"])]
    rows.append(["all", *_row(found["total"], None)[1:]])
    output.table(_NAMES, rows, whole=True)
    for kind, number in found["total"]["failures"].items():
        output.line(f"failed by {kind}: {number}")


def _row(one: dict[str, Any], by: str | None) -> list[str]:
    said = [values.instant(one["start"])] if "start" in one else []
    if by == "version":
        said.append(f"version {one['version']}")
    elif by == "device":
        said.append(one.get("deviceId") or "no device")
    times = one.get("wallUs") or {}
    return [
        " ".join(said),
        str(one["runs"]),
        str(one["failed"]),
        str(one["unmet"]),
        _ms(times.get("p50")),
        _ms(times.get("p95")),
        _ms(one.get("cpuUsSum")),
        ", ".join(f"{kind} {number}" for kind, number in one["effects"].items()),
    ]


def _ms(micros: int | None) -> str:
    return "" if micros is None else f"{micros / 1000:.2f}"
