"""``fulcrum script check``: what is wrong with a script, before it is deployed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from fulcrum.cli import output, targets, values
from fulcrum.cli.problems import FAILED, usage
from fulcrum.cli.scripts import named, source


def check(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="A file of Python, or a folder with a main.py", exists=True)],
    entry: Annotated[
        str | None, typer.Option("--function", help="Call this one; else run, or the first there is")
    ] = None,
    message: Annotated[
        str | None, typer.Option("--message", help="Fields of the message that it is called with, as JSON")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", help="The device's data that it finds, as JSON")
    ] = None,
    params: Annotated[
        list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="A parameter; again for more")
    ] = None,
    remote: Annotated[
        str | None,
        typer.Option(
            "--remote", metavar="SCRIPT", help="Have the API check it for this script: its text alone"
        ),
    ] = None,
    project: targets.Project = None,
    as_json: targets.Json = False,
) -> None:
    """Check a script: its text, then loading it and one call, confined. Nothing is sent or stored.

    Ends with status 1 if it could not be deployed.
    """
    code = source.read(path)
    if remote is not None:
        with named.opened(ctx, remote, project) as one:
            found = one.post("check", code.body)
    else:
        found = _local(code, entry, message, data, params or ())
    if as_json:
        output.document(found)
    else:
        for text in _texts(found):
            output.line(values.cell("", text))
    if not found["ok"]:
        raise typer.Exit(FAILED)


def _local(
    code: source.Code, entry: str | None, message: str | None, data: str | None, params: Any
) -> dict[str, Any]:
    import msgspec

    from fulcrum.cli import bodies
    from fulcrum.script.check import Sample
    from fulcrum.script.check import check as checked

    given: dict[str, Any] = {}
    for text in params:
        values.put(given, *values.assignment(text))
    sample = None
    if entry or message or data or given:
        sample = Sample(
            entry=entry or "run",
            message=_object(bodies.given(message, "--message"), "--message"),
            device_data=_object(bodies.given(data, "--data"), "--data"),
            params=given,
        )
    # What would be uploaded, and nothing else of the folder.
    with tempfile.TemporaryDirectory(prefix="fulcrum-check-") as folder:
        source.write(Path(folder), code)
        report = checked(Path(folder), sample)
    found: dict[str, Any] = msgspec.to_builtins(report)
    for kind in ("problems", "warnings"):
        found[kind] = [dict(zip(("file", "line", "message"), one, strict=True)) for one in found[kind]]
    return {"ok": report.ok, **found}


def _object(value: Any, flag: str) -> dict[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise usage(f"{flag} is no object", 'write for example: {"temperature": 21.5}')
    return value or {}


def _texts(found: dict[str, Any]) -> Iterator[str]:
    for kind, said in (("problems", "problem"), ("warnings", "warning")):
        for one in found.get(kind, ()):
            place = f"{one['file']}:{one['line']}" if one.get("line") is not None else one["file"]
            first, *rest = str(one["message"]).splitlines() or [""]
            yield f"{place}: {said}: {first}"
            yield from (f"    {text}" for text in rest)
    for entry in found.get("entries", ()):
        needs = ", ".join(
            name if value is True else f"{name} ({', '.join(value)})"
            for name, value in (entry.get("needs") or {}).items()
        )
        yield f"function {entry['name']}" + (f" needs {needs}" if needs else "")
    outcome = found.get("outcome")
    if outcome:
        yield from _called(outcome)
    for text in found.get("missing", ()):
        yield f"not confined here: {text}"
    yield "it can be deployed" if found["ok"] else "it cannot be deployed"


def _called(outcome: dict[str, Any]) -> Iterator[str]:
    result = outcome.get("result")
    said = "replaces the message"
    if result is None or result is False:
        said = "carries on unchanged" if result is None else "stops the message"
    status = outcome.get("status", "done")
    if status == "unmet":
        yield f"called: not run, it needs {', '.join(outcome.get('missing', ()))}"
    elif status == "failed":
        failure = outcome["failure"]
        yield f"called: failed, {failure['kind']}"
        told = failure.get("traceback") or f"{failure.get('type', '')} {failure.get('message', '')}"
        yield from (f"    {text}" for text in str(told).strip().splitlines())
    else:
        yield f"called: {said}"
    for line in outcome.get("logs", ()):
        yield f"    {'error: ' if line.get('level') == 'error' else ''}{line['text']}"
    for effect in outcome.get("effects", ()):
        fields = {key: value for key, value in effect.items() if key != "type"}
        yield f"    {effect['type']} {values.cell('', fields)}"
