"""``fulcrum tail``: what happens, as it happens; connects again by itself and goes on where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from fulcrum.cli import output, targets, values
from fulcrum.cli.connection import Connection, Options
from fulcrum.errors import ApiError, Unreachable

_LONGEST_WAIT = 30.0
_PASSING = (429, 503)
_AMONG = ("data", "event", "ack", "changed")


@dataclass(frozen=True)
class Heard:
    """One event of the stream; it can be continued after ``position``, if that is not empty."""

    name: str
    data: Any
    position: str = ""


def tail(
    ctx: typer.Context,
    device: Annotated[
        list[str] | None, typer.Option("--device", help="Only this device (may be repeated)")
    ] = None,
    system: Annotated[str | None, typer.Option("--system", help="Only this system")] = None,
    blueprint: Annotated[
        str | None, typer.Option("--blueprint", help="Only devices of this blueprint")
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option("--only", help="Only these: data, event, ack, changed (may be repeated)"),
    ] = None,
    count: Annotated[int, typer.Option("--count", min=0, help="End after so many; 0: never")] = 0,
    project: targets.Project = None,
    jsonl: Annotated[bool, typer.Option("--json", "--jsonl", help="Write JSON lines, an event each")] = False,
) -> None:
    """Show what happens, until Ctrl-C: what devices send, and what people change."""
    from fulcrum.client.request import Request

    query = {"name": name, "deviceId": device, "systemId": system, "blueprintId": blueprint}
    connection = Connection(ctx.find_object(Options) or Options(), project)
    _ = connection.project
    shown = 0
    try:
        for heard in follow(connection, Request("GET", "/v1/live", query, accept="text/event-stream")):
            output.line(json.dumps(_record(heard), ensure_ascii=False) if jsonl else _text(heard))
            output.flush()
            shown += 1
            if shown == count:
                return
    finally:
        connection.close()


def follow(connection: Connection, request: Any) -> Iterator[Heard]:
    """The events of the stream, over as many connections as it takes; Unreachable if the first one fails."""
    position, pause, was_ready = "", 1.0, False
    while True:
        try:
            headers = {"Last-Event-ID": position} if position else {}
            with connection.stream(request, headers) as answer:
                for heard in parsed(answer.iter_lines()):
                    position = heard.position or position
                    if heard.name in _AMONG:
                        yield heard
                    elif heard.name == "ready":
                        output.note("listening again" if was_ready else "listening")
                        was_ready, pause = True, 1.0
                    elif heard.name == "gap":
                        output.note("something may have been missed: read again what matters")
        except (Unreachable, ApiError) as error:
            is_passing = isinstance(error, Unreachable) or error.status in _PASSING
            if not (was_ready and is_passing):
                raise
            output.note(f"{error}; again in {pause:.0f} s")
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_WAIT)


def parsed(lines: Iterable[str]) -> Iterator[Heard]:
    """Server-sent events; comments and fields that none of ours has are passed over."""
    name, position = "message", ""
    data: list[str] = []
    for text in lines:
        if not text:
            if data:
                yield Heard(name, _read("\n".join(data)), position)
            name, data, position = "message", [], ""
            continue
        key, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if key == "event":
            name = value
        elif key == "data":
            data.append(value)
        elif key == "id":
            position = value


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _record(heard: Heard) -> dict[str, Any]:
    body = heard.data if isinstance(heard.data, dict) else {"text": heard.data}
    return {"event": heard.name, **({"position": heard.position} if heard.position else {}), **body}


def _text(heard: Heard) -> str:
    body: dict[str, Any] = heard.data if isinstance(heard.data, dict) else {}
    when = values.cell("time", body.get("time"))
    if heard.name == "changed":
        what = f"{body.get('kind')} {body.get('resourceId')} {body.get('verb')}"
        who = (body.get("actor") or {}).get("name")
        return values.cell("", f"{when}  changed  {what}" + (f" by {who}" if who else ""))
    data = body.get("data")
    leaves = values.flat(data) if isinstance(data, dict) else [("data", data)] if data is not None else []
    said = " ".join(f"{path}={values.cell('', value)}" for path, value in leaves)
    cleared = " ".join(f"{path}=" for path in body.get("cleared", ()))
    kind = f"{body.get('type')} " if body.get("type") else ""
    return values.cell(
        "", f"{when}  {heard.name:<7}  {body.get('deviceId')}  {kind}{said} {cleared}".rstrip()
    )
