"""``fulcrum trace``: one event's way through every service, with times."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from fulcrum.cli import output, targets, values
from fulcrum.cli.connection import Connection, Options
from fulcrum.errors import NotFound

_PAUSE = 0.5
# What an event ends with: as long as nothing of this is told, it is on its way.
_ENDS = frozenset({"stored", "input", "copied", "ran", "setAside", "unknownDevice"})
# Where the words begin behind time, since and service.
_WORDS = 100


def trace(
    ctx: typer.Context,
    event: Annotated[str, typer.Argument(metavar="EVENT-ID", help="The id of the event, or of an effect")],
    device: Annotated[str | None, typer.Option("--device", help="Only of the device with this id")] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="From when on it is looked for, by its time: 2h, 30d, ISO 8601 (7d)"),
    ] = None,
    wait: Annotated[
        str | None, typer.Option("--wait", help="Wait for it so long, until it has arrived: 30s, 2m")
    ] = None,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Follow an event from its reception to its last effect, with times."""
    from fulcrum.client.request import Request, segment

    patience = 0.0 if wait is None else targets.seconds(wait)
    connection = Connection(ctx.find_object(Options) or Options(), project)
    try:
        path = f"/v1/project/{segment(connection.project)}/trace/{segment(event)}"
        query = {"deviceId": device, "since": targets.instant(since)}
        found = _found(connection, Request("GET", path, query), patience)
    finally:
        connection.close()
    if as_json:
        output.document(found)
        return
    for place, one in enumerate(found["traces"]):
        for text in ([""] if place else []) + list(lines(found["eventId"], one)):
            output.line(text)
    for note in found.get("notes", ()):
        output.note(note)


def _found(connection: Connection, request: Any, patience: float) -> Any:
    """The answer; with patience asked for again until the event has arrived somewhere."""
    deadline = time.monotonic() + patience
    while True:
        is_late = time.monotonic() >= deadline
        try:
            answer = connection.send(request)
            if is_late or has_arrived(answer):
                return answer
        except NotFound:
            if is_late:
                raise
        time.sleep(_PAUSE)


def has_arrived(answer: Mapping[str, Any]) -> bool:
    """Whether each event is stored, set aside or dropped, and the log tells of it if it is read at all."""
    arrived = all(any(step["what"] in _ENDS for step in one["steps"]) for one in answer["traces"])
    return arrived and answer["logs"] != "none"


def lines(event_id: str, trace_: Mapping[str, Any]) -> Iterator[str]:
    """One event's way: a line a step, what came of a step below it."""
    device = trace_.get("deviceId")
    received = trace_.get("received")
    head = f"event {event_id}" + (f" of device {device}" if device else " of no known device")
    if received is not None:
        head += f", received {values.cell('time', received)}"
    yield values.cell("", head)
    steps = list(_below(trace_["steps"], None, 0))
    service = max((len(step["service"]) for step, _ in steps), default=0)
    said = [
        (step, f"{'   ' * (depth - 1)}└─ {_text(step)}" if depth else _text(step)) for step, depth in steps
    ]
    width = min(max((len(text) for _, text in said), default=0), _WORDS)
    number = max((len(_since(step)) for step, _ in steps), default=0)
    for step, text in said:
        line = f"{_since(step):>{number}}  {step['service']:<{service}}  {text:<{width}}  {_aside(step)}"
        yield values.cell("", line.rstrip())
        if step.get("error"):
            start = " " * (number + service + 4)
            for part in str(step["error"]).splitlines()[:20]:
                yield f"{start}| {values.cell('', part)}"
    yield f"{trace_['totalMs']:.1f} ms in all"


def _below(
    steps: Sequence[Mapping[str, Any]], parent: str | None, depth: int
) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Steps with their depth: each followed by those that came of it."""
    for step in steps:
        if step.get("parent") == parent:
            yield step, depth
            yield from _below(steps, step["id"], depth + 1)


def _since(step: Mapping[str, Any]) -> str:
    return f"{step['sinceMs']:+.1f} ms"


def _text(step: Mapping[str, Any]) -> str:
    text = str(step["text"])
    if step.get("errorType"):
        text += f": {step['errorType']}"
    return text if step.get("certain", True) else f"perhaps: {text}"


def _aside(step: Mapping[str, Any]) -> str:
    parts = []
    if (attempt := step.get("attempt", 1)) > 1:
        parts.append(f"attempt {attempt}")
    if step.get("ms") is not None:
        parts.append(f"took {step['ms']:g} ms")
    for name, key in (("message", "messageId"), ("entry", "entryId")):
        if step.get(key):
            parts.append(f"{name} {step[key]}")
    if step["what"] in ("effect", "copied") and step.get("eventId"):
        parts.append(f"id {step['eventId']}")
    return ", ".join(parts)
