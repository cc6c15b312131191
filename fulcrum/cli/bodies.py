"""The body of a request, made of what stands on the command line; pure, but for the file that is named."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fulcrum.cli import values
from fulcrum.cli.problems import usage
from fulcrum.client.operation import Operation


def text_of(source: str) -> str:
    """JSON as it is given: itself, ``@file``, or ``-`` for standard input."""
    if source == "-":
        return sys.stdin.read()
    if source.startswith("@"):
        try:
            return Path(source[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise usage(f"{source[1:]} cannot be read: {error}") from error
    return source


def given(source: str | None, flag: str = "--body") -> Any:
    """The JSON of an option; None if it was not given."""
    if source is None:
        return None
    try:
        return json.loads(text_of(source))
    except ValueError as error:
        advice = "write JSON, @file, or - for standard input"
        raise usage(f"{flag} is no JSON: {error}", advice) from error


def made(
    operation: Operation,
    body: Any,
    fields: Mapping[str, Any],
    assignments: Sequence[str],
    removed: Sequence[str] = (),
) -> Any:
    """The body: ``--body`` first, fields over it, ``path=value`` over both; None if nothing was given.

    Problem where they do not go together, or where a field is missing that must be there.
    """
    pairs = [values.assignment(text) for text in assignments]
    changes = bool(pairs or fields or removed)
    if operation.body == "patch":
        return _patch(body, pairs, removed) if changes else body
    if removed:
        raise usage("--unset is for changes alone")
    if body is not None and not isinstance(body, dict):
        if changes:
            raise usage("--body is no object, so that nothing can be added to it")
        return body
    if operation.body == "keyValue" and pairs:
        if body is not None:
            raise usage("give --body, or path=value, but not both")
        return {"keyValue": dict(pairs)}
    if not changes and body is None and not (operation.body_required and operation.body == "object"):
        return None
    whole: dict[str, Any] = dict(body or {}) | dict(fields)
    for path, value in pairs:
        values.put(whole, path, value)
    _check(operation, whole)
    return whole


def check_secrets(operation: Operation, assignments: Sequence[str]) -> None:
    """Problem for a secret that is typed where others see it."""
    secrets = {field.wire for field in operation.fields if field.kind == "secret"}
    for text in assignments:
        if text.partition("=")[0].strip("/") in secrets:
            raise usage("a secret does not belong on a command line", "leave it out, and it is asked for")


def _patch(body: Any, pairs: Sequence[tuple[str, Any]], removed: Sequence[str]) -> list[Any]:
    changes: list[Any] = []
    if isinstance(body, list):
        changes += body
    elif isinstance(body, dict):
        changes += [{"path": path, "value": value} for path, value in body.items()]
    elif body is not None:
        raise usage("--body of a change is an object, or a list of {path, value, op}")
    changes += [{"path": path, "value": value, "op": "set"} for path, value in pairs]
    return [*changes, *({"path": path.strip("/"), "op": "remove"} for path in removed)]


def _check(operation: Operation, whole: Mapping[str, Any]) -> None:
    missing = [field.wire for field in operation.fields if field.required and field.wire not in whole]
    if missing:
        example = " ".join(f"{wire}=..." for wire in missing)
        raise usage(f"{', '.join(missing)} must be given", f"add: {example}")
