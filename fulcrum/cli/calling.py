"""Carries out one operation of the table with what was typed: request, question, pages, answer."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fulcrum.cli import asking, bodies, output
from fulcrum.cli.connection import Connection, Options
from fulcrum.cli.output import Shape
from fulcrum.cli.problems import usage
from fulcrum.client.operation import Field, Operation, Parameter

if TYPE_CHECKING:
    from fulcrum.client.request import Request

_LINES = "application/x-ndjson"
_CSV = "text/csv"
# How paths call the project.
_PROJECT = ("projectId", "project_id")


def python_name(one: Parameter | Field) -> str:
    """How the function of a command calls a parameter or a field."""
    prefix = one.place if isinstance(one, Parameter) else "field"
    return f"{prefix}_{''.join(char if char.isalnum() else '_' for char in one.wire)}"


def is_positional(operation: Operation, parameter: Parameter) -> bool:
    """Whether a parameter of the path is typed after the verb; the project in use is not."""
    return parameter.place == "path" and not _is_project(operation, parameter)


def is_option(operation: Operation, parameter: Parameter) -> bool:
    """Whether a parameter is an option of its own."""
    if parameter.place == "path":
        return False
    # --project says it in a header, and --csv and --jsonl choose what streams.
    return parameter.wire != "projectId" and not (parameter.wire == "format" and bool(operation.streams))


def _is_project(operation: Operation, parameter: Parameter) -> bool:
    is_named = parameter.place == "path" and parameter.wire in _PROJECT
    return is_named and operation.resource != "project"


def call(ctx: typer.Context, operation: Operation, given: Mapping[str, Any]) -> None:
    """Send the operation, and write its answer."""
    connection = Connection(ctx.find_object(Options) or Options(), given.get("project"))
    shape = shape_of(given)
    try:
        request = request_of(operation, given, connection)
        if deletes(operation):
            asking.sure(f"{operation.summary} ({_target(operation, given)})?", bool(given.get("yes")))
        if kind := _stream(operation, given):
            stream(connection, replace(request, accept=kind))
        elif given.get("all"):
            all_pages(connection, request, shape)
        else:
            output.show(connection.send(request), shape)
            if operation.secret:
                output.note("this is shown once and kept nowhere: keep it now")
    finally:
        connection.close()


def deletes(operation: Operation) -> bool:
    """Whether something is gone afterwards."""
    return operation.method == "DELETE" or operation.name.startswith("purge")


def shape_of(given: Mapping[str, Any]) -> Shape:
    """How the answer is written."""
    fields = tuple(name.strip().strip("/") for name in (given.get("fields") or "").split(",") if name.strip())
    return Shape(bool(given.get("json")), bool(given.get("jsonl")), given.get("extract"), fields)


def request_of(operation: Operation, given: Mapping[str, Any], connection: Connection) -> Request:
    """The request of an operation; Problem for what cannot be sent."""
    from fulcrum.client.request import Request, segment

    path = operation.path
    query: dict[str, Any] = {}
    headers: dict[str, str | None] = {}
    for parameter in operation.parameters:
        value = given.get(python_name(parameter))
        if _is_project(operation, parameter):
            value = connection.project
        if value in (None, "", []) and parameter.required:
            raise usage(f"{parameter.wire} must be given, and not be empty")
        if parameter.place == "path":
            if parameter.wire in _PROJECT:
                # The header follows the path, also where that names another project than the one in use.
                headers["X-Fulcrum-Project"] = str(value)
            for form in (f"{{{parameter.wire}}}", f"{{{parameter.wire}:path}}"):
                path = path.replace(form, segment(str(value)))
        elif parameter.place == "header":
            quoted = parameter.wire.lower() == "if-match" and value is not None and '"' not in value
            headers[parameter.wire] = f'"{value}"' if quoted and value != "*" else value
        else:
            query[parameter.wire] = value if value != [] else None
    if "format" in {p.wire for p in operation.parameters} and (kind := _stream(operation, given)):
        query["format"] = "csv" if kind == _CSV else "jsonl"
    request = Request(operation.method, path, query, headers, once=operation.once)
    return _with_body(request, operation, given)


def _with_body(request: Request, operation: Operation, given: Mapping[str, Any]) -> Request:
    source = given.get("file")
    if source is not None:
        kinds = [k for k in operation.body_kinds if source.endswith(k.rpartition("/")[2].removeprefix("x-"))]
        return replace(request, content=content(source), content_type=(kinds or operation.body_kinds)[0])
    if operation.body == "none":
        return request
    whole = bodies.given(given.get("body"))
    assignments = [*(given.get("assignments") or ()), *(given.get("set") or ())]
    bodies.check_secrets(operation, assignments)
    fields = {}
    for field in operation.fields:
        value = given.get(python_name(field))
        if field.kind == "secret":
            if (value or field.required) and field.wire not in (whole or ()):
                fields[field.wire] = asking.secret(field.wire)
        elif value is not None and value != []:
            fields[field.wire] = bodies.given(value, field.wire) if field.kind == "json" else value
    body = bodies.made(operation, whole, fields, assignments, given.get("unset") or ())
    if body is None and operation.body_required:
        raise usage("nothing was given to send", "add path=value, or --body")
    return replace(request, body=body)


def content(source: str) -> bytes:
    """The bytes of a file, or of standard input for ``-``."""
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise usage(f"{source} cannot be read: {error.strerror}") from error


def stream(connection: Connection, request: Request) -> None:
    """Write an answer as it comes in."""
    with connection.stream(request) as answer:
        for chunk in answer.iter_bytes():
            output.raw(chunk)


def all_pages(connection: Connection, request: Request, shape: Shape) -> None:
    """Write every page: lines as they come, a table or a document when all are there."""
    items: list[Any] = []
    cursor: str | None = None
    while True:
        page = connection.send(_at(request, cursor))
        if shape.jsonl:
            output.each(page["items"])
        else:
            items += page["items"]
        cursor = page.get("next")
        if cursor is None:
            break
    if not shape.jsonl:
        output.show({"count": len(items), "items": items}, shape)


def _at(request: Request, cursor: str | None) -> Request:
    if cursor is None:
        return request
    if request.method == "GET" or not isinstance(request.body, dict):
        return replace(request, query={**request.query, "cursor": cursor})
    return replace(request, body={**request.body, "cursor": cursor})


def _stream(operation: Operation, given: Mapping[str, Any]) -> str | None:
    if given.get("csv"):
        return _CSV
    if not operation.answers_json and operation.streams:
        return operation.streams[0]
    return _LINES if given.get("jsonl") and _LINES in operation.streams else None


def _target(operation: Operation, given: Mapping[str, Any]) -> str:
    names = [given.get(python_name(p)) for p in operation.parameters if is_positional(operation, p)]
    return " ".join(str(name) for name in names if name) or operation.path
