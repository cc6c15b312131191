"""``fulcrum simulate``: a fleet of simulated devices that send for a while, and what of it has arrived."""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from fulcrum.cli import output, targets
from fulcrum.cli.connection import Connection, Options
from fulcrum.cli.problems import Problem, usage
from fulcrum.client.request import Request, segment
from fulcrum.errors import from_answer

# How the fleet is called: it is made once, and used again.
_ALIAS = "simulatedFleet"
_NAME = "Simulated fleet"
_SEQUENCE = "load/sequence"
# As many as one request takes.
_AT_ONCE = 1_000
_RATE = re.compile(r"(\d+(?:\.\d+)?)/(s|m|h)\Z")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000}
_LEAST_MS = 250
# A command takes effect so much later at most.
_EFFECT_SECONDS = 3.0
_LOOK_SECONDS = 2.0


@dataclass
class _Fleet:
    connection: Connection
    system: str
    blueprint: str
    devices: list[str] = field(default_factory=list)
    # How long requests took, in seconds.
    took: list[float] = field(default_factory=list)

    def send(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """An answer of the API."""
        began = time.monotonic()
        try:
            once = (
                method == "POST"
                and body is not None
                and path.endswith(("systems", "blueprints", "scenarios"))
            )
            return self.connection.send(Request(method, f"/v1/{path}", query, body=body, once=once))
        finally:
            self.took.append(time.monotonic() - began)

    @property
    def project(self) -> str:
        """The project, as it stands in paths."""
        return f"project/{segment(self.connection.project)}"


def simulate(
    ctx: typer.Context,
    devices: Annotated[int, typer.Option("--devices", min=1, max=100_000, help="How many")] = 10,
    rate: Annotated[str, typer.Option("--rate", help="How often each of them sends, as 1/s or 6/m")] = "1/s",
    seconds: Annotated[int, typer.Option("--seconds", min=1, max=86_400, help="For how long")] = 60,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed, the same values")] = 1,
    wait: Annotated[
        int, typer.Option("--wait", min=1, help="How many seconds to wait for the last of it")
    ] = 120,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Have a fleet of simulated devices send for a while, and say what of it has arrived, and what is lost.

    The devices, with a system and a blueprint, are made the first time and used again.
    """
    every = _every(rate)
    connection = Connection(ctx.find_object(Options) or Options(), project)
    try:
        fleet = _fleet(connection, devices)
        scenario, count = _scenario(fleet, every, seconds)
        output.note(f"{devices} devices, each sends {count} times, one every {every / 1000:g} s")
        report = _played(fleet, scenario, count, every, seed, wait)
    finally:
        connection.close()
    if as_json:
        output.document(report)
    else:
        for key, value in report.items():
            output.line(f"{key:<16}{value:,}" if isinstance(value, int) else f"{key:<16}{value}")
    if report["lost"] or report["devices behind"]:
        raise Problem("not all of it has arrived", "look at: fulcrum quarantine list")


def _every(rate: str) -> int:
    match = _RATE.match(rate)
    every = round(_UNIT_MS[match[2]] / float(match[1])) if match and float(match[1]) else 0
    if every < _LEAST_MS:
        raise usage(f"{rate!r} is no rate", "write as 1/s, 6/m or 2/h; at most 4/s a device")
    return every


def _fleet(connection: Connection, count: int) -> _Fleet:
    fleet = _Fleet(connection, "", "")
    fleet.system = _made(fleet, "systems", {"name": _NAME, "alias": _ALIAS})
    fleet.blueprint = _made(fleet, "blueprints", {"name": _NAME, "alias": _ALIAS})
    fleet.devices = _known(fleet, count)
    if len(fleet.devices) < count:
        _import(fleet, count)
        fleet.devices = _known(fleet, count)
    if len(fleet.devices) != count:
        raise Problem(
            f"of {count} devices {len(fleet.devices)} are there", "delete the system, and try again"
        )
    return fleet


def _made(fleet: _Fleet, plural: str, body: dict[str, Any]) -> str:
    found = fleet.send("GET", f"{fleet.project}/{plural}", alias=body["alias"])["items"]
    made = found[0] if found else fleet.send("POST", f"{fleet.project}/{plural}", body)
    return str(made["id"])


def _external(number: int) -> str:
    return f"simulated-{number:06d}"


def _listed(fleet: _Fleet) -> Iterator[dict[str, Any]]:
    """All devices of the fleet's blueprint, with their state."""
    cursor = None
    while True:
        query = {"blueprintId": fleet.blueprint, "perPage": 200, "cursor": cursor}
        page = fleet.send("GET", f"{fleet.project}/devices", **query)
        yield from page["items"]
        cursor = page.get("next")
        if cursor is None:
            return


def _known(fleet: _Fleet, count: int) -> list[str]:
    wanted = {_external(number) for number in range(count)}
    found = {one.get("metadata", {}).get("externalId"): one for one in _listed(fleet)}
    return sorted(str(found[name]["id"]) for name in wanted & found.keys() if found[name].get("simulated"))


def _import(fleet: _Fleet, count: int) -> None:
    rows = [f"{_external(number)},{_external(number)},{_ALIAS},{_ALIAS},true" for number in range(count)]
    request = Request(
        "POST",
        f"/v1/{fleet.project}/devices/import",
        content="\n".join(["externalId,name,blueprint,system,simulated", *rows]),
        content_type="text/csv",
        accept="application/x-ndjson",
    )
    last: dict[str, Any] = {}
    with fleet.connection.stream(request) as answer:
        for text in answer.iter_lines():
            last = json.loads(text) if text.strip() else last
            if progress := last.get("progress"):
                _say(f"making devices: {progress.get('written', 0)} of {count}")
    _say("")
    if error := last.get("error"):
        raise from_answer(int(error["status"]), error)


def _scenario(fleet: _Fleet, every: int, seconds: int) -> tuple[str, int]:
    """The scenario of a rate, and how many events each device sends."""
    count = max(1, seconds * 1_000 // every)
    end = (count - 1) * every
    frames: list[dict[str, Any]] = [{"t": end, "value": count - 1}]
    noise: list[dict[str, Any]] = [{"t": end, "value": 20}]
    if count > 1:
        frames.insert(0, {"t": 0, "value": 0, "interp": "linear", "every": every})
        noise.insert(0, {"t": 0, "value": 20, "interp": "linear", "every": every, "spread": 2})
    tracks = [{"path": _SEQUENCE, "frames": frames}, {"path": "load/value", "frames": noise}]
    body = {"duration": max(1_000, end), "loop": False, "tracks": tracks}
    name = f"Every {every / 1000:g} s for {seconds} s"
    known = fleet.send("GET", f"{fleet.project}/scenarios", blueprintId=fleet.blueprint, perPage=200)["items"]
    for one in known:
        if one["name"] == name:
            fleet.send("PATCH", f"scenario/{segment(one['id'])}", body)
            return str(one["id"]), count
    made = fleet.send(
        "POST", f"{fleet.project}/scenarios", {"name": name, "blueprintId": fleet.blueprint, **body}
    )
    return str(made["id"]), count


def _played(fleet: _Fleet, scenario: str, count: int, every: int, seed: int, wait: int) -> dict[str, Any]:
    _stop(fleet)
    fleet.took.clear()
    stagger = min(every, 3_600_000)
    command = {"action": "play", "scenarioId": scenario, "seed": seed, "stagger": stagger}
    lasting = (count * every + stagger) / 1000
    try:
        began = [_asked(fleet, command | {"deviceIds": some})["time"] for some in _groups(fleet.devices)]
        started = time.monotonic()
        arrived = _awaited(fleet, min(began), count, every, started + lasting + wait)
    except BaseException:
        # Ctrl-C, too: what nobody waits for any more is not to play on.
        output.note("stopping the devices")
        _end(fleet)
        # What was on its way when it was broken off may have begun after that.
        time.sleep(_EFFECT_SECONDS)
        _stop(fleet)
        raise
    behind = _behind(fleet, count, started + lasting + wait)
    total = count * len(fleet.devices)
    return {
        "sent": total,
        "in history": arrived,
        "lost": total - arrived,
        "devices behind": behind,
        "requests": len(fleet.took),
        "median": f"{statistics.median(fleet.took) * 1000:.0f} ms",
        "longest": f"{max(fleet.took) * 1000:.0f} ms",
    }


def _awaited(fleet: _Fleet, since: int, count: int, every: int, until: float) -> int:
    """How many events are in history, when all of them are or it is too late."""
    total = count * len(fleet.devices)
    started = time.monotonic()
    arrived = 0
    while arrived < total and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
        arrived = _in_history(fleet, since)
        gone = time.monotonic() - started
        due = min(total, int(max(0.0, gone - _EFFECT_SECONDS) * 1000 / every) * len(fleet.devices))
        _say(f"{gone:.0f} s: about {due:,} due, {arrived:,} of {total:,} in history")
    _say("")
    return arrived


def _groups(devices: Sequence[str]) -> Iterator[Sequence[str]]:
    return (devices[start : start + _AT_ONCE] for start in range(0, len(devices), _AT_ONCE))


def _asked(fleet: _Fleet, command: dict[str, Any]) -> Any:
    answer = fleet.send("POST", f"{fleet.project}/simulations", command)
    if answer.get("refused"):
        raise Problem(f"{len(answer['refused'])} devices do not play: {answer['refused'][0]['error']}")
    return answer


def _stop(fleet: _Fleet) -> None:
    """End what an earlier call has left playing, of a larger fleet, too."""
    page = fleet.send("GET", f"{fleet.project}/simulations", state="playing", perPage=1)
    if page["items"] or page.get("next"):
        _end(fleet)
        time.sleep(_EFFECT_SECONDS)


def _end(fleet: _Fleet) -> None:
    """Stop all devices of the fleet's blueprint."""
    command: dict[str, Any] = {"action": "stop", "blueprintId": fleet.blueprint}
    following: str | None = None
    while True:
        answer = _asked(fleet, command | ({"after": following} if following else {}))
        if (following := answer.get("next")) is None:
            return


def _in_history(fleet: _Fleet, since: int) -> int:
    query = {"start": since, "paths": [["$id", "count", {"function": "COUNT"}]]}
    items = fleet.send("POST", f"system/{segment(fleet.system)}/history", query)["items"]
    return int(items[0]["count"]) if items else 0


def _behind(fleet: _Fleet, count: int, until: float) -> int:
    """How many devices do not have the last of their values as their state."""
    mine = set(fleet.devices)
    while True:
        states = [one.get("data", {}).get("load", {}) for one in _listed(fleet) if one["id"] in mine]
        behind = sum(1 for state in states if state.get("sequence") != count - 1)
        if not behind or time.monotonic() > until:
            return behind
        time.sleep(_LOOK_SECONDS)


def _say(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text:<78}" if text else f"\r{'':<78}\r")
        sys.stderr.flush()
