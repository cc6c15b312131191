"""``fulcrum script save``: an event that happened, as a file that tests run."""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fulcrum.cli import output, tail, targets
from fulcrum.cli.connection import Connection
from fulcrum.cli.problems import Problem, usage
from fulcrum.cli.scripts import named
from fulcrum.errors import NotFound

if TYPE_CHECKING:
    from fulcrum.script.testing.fixture import Fixture

# Until history has what was heard on its way there.
_TRIES, _PAUSE = 30, 2.0
_SIZE = 120


def save(
    ctx: typer.Context,
    script: named.Name,
    event: Annotated[str | None, typer.Argument(metavar="[EVENT-ID]", help="The id of the event")] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="Of this device, where several have used the id")
    ] = None,
    alias: targets.Alias = None,
    entry: Annotated[
        str | None, typer.Option("--entry", help="Of this entry point, where several ran")
    ] = None,
    since: Annotated[
        str, typer.Option("--since", help="How far back to look: 2h, 7d, epoch ms or ISO 8601")
    ] = "7d",
    quarantine: Annotated[
        str | None, typer.Option("--quarantine", metavar="ENTRY", help="What was set aside as this entry")
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="The next event that comes")] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The file to write; - for standard output; else events/ID.event.yaml"),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Even if the file is there already")] = False,
    project: targets.Project = None,
) -> None:
    """Save an event with what the script saw and what came of it, for: fulcrum script test."""
    if sum((event is not None and quarantine is None, quarantine is not None, live)) != 1:
        raise usage("say which event", "by its id, by --quarantine ENTRY, or by --live")
    from fulcrum.script.testing.saving import NotRecorded

    note = "It did not run: say here what is expected, or let it be written by: fulcrum script test --update"
    try:
        with named.opened(ctx, script, project) as one:
            if alias is not None:
                device = targets.device_id(one.connection, device, alias)
            asked = _Asked(one.connection, one.id, device, entry, targets.instant(since))
            if quarantine is not None:
                case, note = _set_aside(asked, quarantine, event)
            elif live:
                case = _next(asked)
            else:
                case = _recorded(asked, event or "")
    except NotRecorded as error:
        raise Problem(str(error)) from None
    _write(case, note, out, force)


class _Asked:
    """What is asked for: of which script, device and entry point, since when."""

    def __init__(
        self, connection: Connection, script: str, device: str | None, entry: str | None, since: Any
    ) -> None:
        self.connection, self.script = connection, script
        self.device, self.entry, self.since = device, entry, since


def _recorded(asked: _Asked, event: str) -> Fixture:
    from fulcrum.client.request import Request, segment
    from fulcrum.script.testing import saving

    body: dict[str, Any] = {"eventId": event, "since": asked.since}
    if asked.device is not None:
        body["devices"] = [asked.device]
    path = f"/v1/script/{segment(asked.script)}/replayInput"
    request = Request("POST", path, body=body, accept="application/x-ndjson")
    with asked.connection.stream(request) as answer:
        return saving.recorded(saving.parse(answer.iter_lines()), event, asked.device, asked.entry)


def _next(asked: _Asked) -> Fixture:
    """The next event of the live feed that is one for the script."""
    from fulcrum.client.request import Request
    from fulcrum.script.testing.saving import NoSuchEvent

    query = {"name": ["data", "event"], "deviceId": [asked.device] if asked.device else None}
    request = Request("GET", "/v1/live", query, accept="text/event-stream")
    for heard in tail.follow(asked.connection, request):
        if not _is_event(heard.data):
            continue
        asked.device = str(heard.data["deviceId"])
        event = str(heard.data["eventId"])
        output.note(f"event {event} of device {asked.device}; waiting until history has it")
        try:
            return _awaited(asked, event)
        except NoSuchEvent:
            output.note("a script wrote it; waiting for the next")
    raise Problem("the feed has ended", "say it again")


def _awaited(asked: _Asked, event: str) -> Fixture:
    """An event as soon as history has it, which is a moment after it is heard."""
    for _ in range(_TRIES):
        try:
            return _recorded(asked, event)
        except NotFound:
            time.sleep(_PAUSE)
    return _recorded(asked, event)


def _is_event(data: Any) -> bool:
    return isinstance(data, dict) and bool(data.get("eventId")) and bool(data.get("deviceId"))


def _set_aside(asked: _Asked, entry: str, event: str | None) -> tuple[Fixture, str]:
    """What was set aside, with what is known of when it came; and what is said of its expectation."""
    from fulcrum.client.request import Request, segment
    from fulcrum.script.testing import saving

    found = asked.connection.send(Request("GET", f"/v1/quarantine/{segment(entry)}"))
    text = found.get("data", "")
    data = base64.b64decode(text) if found.get("encoding") == "base64" else text.encode()
    case = saving.set_aside(data, _options(found), asked.script, event)
    known = _known(asked, case)
    first = (str(found.get("message") or "") or str(found.get("errorType"))).splitlines()[0]
    case = replace(
        case,
        given={**(known.given if known else {}), **case.given},
        description=f"Set aside ({found.get('errorType')}): {first}",
    )
    if known is None:
        output.note("nothing is recorded of its run: add deviceData and cache if the script needs them")
    return case, "Say here what is expected once the script is right, or: fulcrum script test --update"


def _known(asked: _Asked, case: Fixture) -> Fixture | None:
    """The same event as it was recorded; None where it was not."""
    from fulcrum.script.testing.saving import NotRecorded

    asked.device = case.message.get("deviceId")
    asked.entry = case.entry
    try:
        return _recorded(asked, str(case.message.get("id")))
    except (NotFound, NotRecorded):
        return None


def _options(found: dict[str, Any]) -> dict[str, Any]:
    try:
        options = json.loads((found.get("attributes") or {}).get("options") or "{}")
    except ValueError:
        return {}
    return options if isinstance(options, dict) else {}


def _write(case: Fixture, note: str, out: Path | None, force: bool) -> None:
    from fulcrum.script.testing import fixture

    text = fixture.write(case, note)
    if out is not None and str(out) == "-":
        output.line(text.rstrip())
        return
    if out is None:
        name = re.sub(r"[^A-Za-z0-9_.\-]+", "-", str(case.message.get("id"))).strip("-.")[:_SIZE] or "event"
        out = Path("events") / f"{name}{fixture.SUFFIX}"
    elif not out.name.endswith(fixture.SUFFIX):
        raise usage(f"{out} would not be run as a test", f"call it {out.name.split('.')[0]}{fixture.SUFFIX}")
    if out.exists() and not force:
        raise usage(f"{out} is there already", "name another by --out, or say --force")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    output.line(str(out))
