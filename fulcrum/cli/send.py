"""``fulcrum send``: speaks to ingest as a device or a gateway does."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from fulcrum.cli import output, values
from fulcrum.cli.connection import Connection, Options
from fulcrum.cli.problems import FAILED, Problem, usage

# As many as ingest takes at once.
_AT_ONCE = 500


def send(
    ctx: typer.Context,
    network: Annotated[str, typer.Argument(help="The network that the device is on")],
    device: Annotated[str | None, typer.Argument(help="The device, as its network knows it")] = None,
    assignments: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH=VALUE]...", help="What it reports, JSON or text")
    ] = None,
    key: Annotated[
        str, typer.Option("--key", envvar="FULCRUM_KEY", help="A key of the network, or the device's token")
    ] = "",
    alias_key: Annotated[
        str | None,
        typer.Option("--alias-key", help="Which name of the device it is; the network's first if not"),
    ] = None,
    time: Annotated[str | None, typer.Option("--time", help="When it happened: epoch ms or ISO 8601")] = None,
    event_id: Annotated[str | None, typer.Option("--id", help="The sender's id of the event")] = None,
    event: Annotated[str | None, typer.Option("--event", help="An event record of this type")] = None,
    historical: Annotated[bool, typer.Option("--historical", help="For the history alone")] = False,
    file: Annotated[
        str | None, typer.Option("--file", help="Events, one JSON object a line; - for standard input")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", envvar="FULCRUM_INGEST_URL", help="Ingest, if not where the API is")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON: one document")] = False,
) -> None:
    """Send an event of a device, or a file of them, as the device itself would."""
    if not key:
        raise usage(
            "a key is needed", "give one by --key or FULCRUM_KEY; make one with: fulcrum network-key create"
        )
    connection = Connection(ctx.find_object(Options) or Options(), url=url)
    if file is None:
        if device is None:
            raise usage("name the device, or give events by --file")
        common = {"aliasKey": alias_key, "time": time, "id": event_id, "historical": historical or None}
        events: Iterator[Any] = iter([_event(device, assignments or [], event, common)])
    elif device is not None:
        raise usage("give a device, or --file, but not both")
    else:
        events = _lines(file)
    try:
        answers = list(_sent(connection, network, key, events, file is not None))
    finally:
        connection.close()
    _report(answers, as_json)


def _event(
    device: str, assignments: Sequence[str], event: str | None, common: Mapping[str, Any]
) -> dict[str, Any]:
    made: dict[str, Any] = {"deviceId": device} | {
        key: value for key, value in common.items() if value is not None
    }
    data = dict(values.assignment(text) for text in assignments)
    if event is not None:
        return made | {"event": {"type": event, "data": data} if data else {"type": event}}
    if not data:
        raise usage("nothing was given to send", "add path=value, as in: temperature=21.5")
    return made | {"data": data}


def _lines(file: str) -> Iterator[Any]:
    try:
        with sys.stdin if file == "-" else open(Path(file), encoding="utf-8") as lines:
            for number, text in enumerate(lines, 1):
                if text.strip():
                    yield _read(file, number, text)
    except (OSError, UnicodeDecodeError) as error:
        raise usage(f"{file} cannot be read: {error}") from error


def _read(file: str, number: int, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise usage(f"{file}, line {number}: no JSON: {error}") from error


def _sent(
    connection: Connection, network: str, key: str, events: Iterator[Any], many: bool
) -> Iterator[dict[str, Any]]:
    from fulcrum.client.request import Request, segment

    path, done = f"/rcv/{segment(network)}", 0
    while group := list(islice(events, _AT_ONCE)):
        # With a key for the request, events that are sent again are counted once.
        yield connection.send_as(key, Request("POST", path, body=group if many else group[0], once=True))
        done += len(group)
        if many and sys.stderr.isatty():
            sys.stderr.write(f"\r{done} sent")
    if many and sys.stderr.isatty():
        sys.stderr.write("\n")


def _report(answers: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    errors = [error for answer in answers for error in answer.get("errors", ())]
    whole = {
        "accepted": sum(int(answer.get("accepted", 0)) for answer in answers),
        "ids": [one for answer in answers for one in answer.get("ids", ())],
    }
    if as_json:
        output.document(whole | ({"errors": errors} if errors else {}))
    else:
        output.line(f"accepted {whole['accepted']}")
    if errors:
        first = errors[0]
        raise Problem(
            f"{len(errors)} events were refused, the first: {first.get('message')} ({first.get('error')})",
            str(first.get("description", "")),
            FAILED,
        )
