"""Commands made of the table of operations: each operation of the API is one, with no line written for it."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import typer

from fulcrum.cli import calling
from fulcrum.client.operation import Field, Operation, Parameter
from fulcrum.client.operations import RESOURCES

_TYPES: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}
# Options that every command has; a field of the same name is given by path=value.
_TAKEN = frozenset(
    {"project", "json", "jsonl", "extract", "fields", "body", "set", "unset", "yes", "all", "csv", "file"}
)


@dataclass(frozen=True)
class Input:
    """One parameter of a command: how Python calls it, its type for Typer, and its default."""

    name: str
    annotation: Any
    default: Any


def resources() -> dict[str, str]:
    """The name of each resource, as it is typed, and what it is."""
    return {name.replace("_", "-"): text for name, text in RESOURCES.items()}


def operations(resource: str) -> dict[str, Operation]:
    """The operations of a resource by their verbs, as they are typed."""
    module = importlib.import_module(f"fulcrum.client.operations.{resource.replace('-', '_')}")
    return {dashed(operation.name): operation for operation in module.OPERATIONS}


def dashed(name: str) -> str:
    """``perPage``, ``If-Match`` and ``set_value`` as a command line has them."""
    return re.sub(r"[^A-Za-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name)).strip("-").lower()


def function(operation: Operation) -> Callable[..., None]:
    """The function that Typer makes the command of."""
    inputs = list(_inputs(operation))

    def run(ctx: typer.Context, **given: Any) -> None:
        calling.call(ctx, operation, given)

    parameters = [inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    parameters += [
        inspect.Parameter(
            one.name, inspect.Parameter.KEYWORD_ONLY, annotation=one.annotation, default=one.default
        )
        for one in inputs
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # Typer reads it
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    run.__doc__ = _help(operation)
    return run


def _help(operation: Operation) -> str:
    text = f"{operation.summary}.\n\n{operation.description}"
    return f"{text}\n\nNeeds: {operation.permission}." if operation.permission else text


def _inputs(operation: Operation) -> Iterator[Input]:
    for parameter in operation.parameters:
        if calling.is_positional(operation, parameter):
            shown = typer.Argument(metavar=dashed(parameter.wire).upper(), help=parameter.description)
            yield Input(calling.python_name(parameter), Annotated[str, shown], inspect.Parameter.empty)
    if operation.body != "none":
        shown = typer.Argument(metavar="[PATH=VALUE]...", help="What to set, JSON or text, as room/floor=3")
        yield Input("assignments", Annotated[list[str] | None, shown], None)
    seen = set(_TAKEN)
    parameters = [p for p in operation.parameters if calling.is_option(operation, p)]
    options: list[Parameter | Field] = [*parameters, *operation.fields]
    for one in options:
        if dashed(one.wire) in seen:
            continue
        seen.add(dashed(one.wire))
        if isinstance(one, Field) and one.kind == "secret":
            if not one.required:
                text = "Ask for it, or take a line of standard input"
                shown = typer.Option(f"--ask-{dashed(one.wire)}", help=text)
                yield Input(calling.python_name(one), Annotated[bool, shown], False)
            continue
        parts = [one.description, "required" if one.required else ""]
        yield _option(calling.python_name(one), one, "; ".join(filter(None, parts)))
    yield from _common(operation)


def _option(name: str, one: Parameter | Field, text: str) -> Input:
    flag = f"--{dashed(one.wire)}"
    kind: Any = str
    if one.kind == "strings":
        text = f"{text} (may be repeated)".strip()
        return Input(name, Annotated[list[str] | None, typer.Option(flag, help=text)], None)
    if one.choices:
        kind = Literal[one.choices]
    elif one.kind == "json":
        text = f"{text} (JSON)".strip()
    else:
        kind = _TYPES[one.kind]
    flags = f"{flag}/--no-{flag[2:]}" if one.kind == "boolean" else flag
    return Input(name, Annotated[kind | None, typer.Option(flags, help=text, show_default=False)], None)


def _common(operation: Operation) -> Iterator[Input]:
    def flag(name: str, text: str, *more: str) -> Input:
        return Input(name, Annotated[bool, typer.Option(f"--{name}", *more, help=text)], False)

    def word(name: str, text: str, many: bool = False) -> Input:
        kind: Any = list[str] | None if many else str | None
        return Input(name, Annotated[kind, typer.Option(f"--{name}", help=text)], None)

    if operation.body != "none":
        yield word("body", "The body: JSON, @file, or - for standard input")
        yield word("set", "The same as PATH=VALUE", many=True)
    if operation.body == "patch":
        yield word("unset", "A path to remove", many=True)
    if operation.body_kinds:
        kinds = ", ".join(operation.body_kinds)
        yield word("file", f"The body from a file, or - for standard input: {kinds}")
    yield word("project", "The project, if not the one in use; '' for none")
    if operation.paged:
        yield flag("all", "All pages")
    if calling.deletes(operation):
        yield flag("yes", "Do not ask", "-y")
    if "text/csv" in operation.streams:
        yield flag("csv", "Write CSV, as a stream")
    yield flag("json", "Write JSON: one document")
    yield flag("jsonl", "Write JSON lines, an item each")
    yield word("extract", "Write what stands at this path of the answer, as items/*/id")
    yield word("fields", "Columns of the table, by path, with commas between them")
