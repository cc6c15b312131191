"""What a PATCH changes: ``[{path, value, op}]``, or a plain object that means the same. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from shared.errors import ApiError
from shared.model.base import Model, sound
from shared.store.audit import canonical

MAX_DEPTH = 10


class PatchOperation(Model):
    """One change. ``path`` has ``/`` between its segments; one may stand before the first."""

    path: str = Field(min_length=1, max_length=500, examples=["metadata/floor"])
    value: Any = Field(default=None, examples=[3])
    op: Literal["set", "remove", "add"] = Field(
        default="set", description="set a value, remove the path, or add an element to a list"
    )


Patch = list[PatchOperation] | dict[str, Any]


def apply(
    kind_name: str, patchable: frozenset[str], fields: Mapping[str, Any], patch: Patch
) -> dict[str, Any]:
    """The top-level wire fields that a patch changes, with their whole new values; None removes one.

    ApiError 400 ``<kind>.path`` for a path that may not be changed, ``<kind>.patch`` for one that cannot be.
    """
    changed: dict[str, Any] = {}
    # Path of a list → what is in it, as long as there are only additions: each element is looked at once.
    seen: dict[str, set[str]] = {}
    for operation in _operations(patch):
        segments = operation.path.removeprefix("/").split("/")
        root = segments[0]
        if root not in patchable or len(segments) > MAX_DEPTH or "" in segments:
            raise ApiError(
                400,
                f"{kind_name}.path",
                f"the path {operation.path!r} of a {kind_name} cannot be changed",
                f"change one of: {', '.join(sorted(patchable))}",
            )
        _check_value(kind_name, operation)
        if operation.op != "add":
            seen.clear()
        if root not in changed:
            changed[root] = copy.deepcopy(fields.get(root))
        changed[root] = _changed(kind_name, changed[root], segments[1:], operation, seen)
    return changed


def _check_value(kind_name: str, operation: PatchOperation) -> None:
    """ApiError 400 for a value that no resource can hold, before anything walks it to its depth."""
    try:
        sound(operation.value)
    except ValueError as error:
        raise ApiError(
            400, f"{kind_name}.invalid", f"{operation.path}: {error}", "correct the value that is named"
        ) from None


def _operations(patch: Patch) -> list[PatchOperation]:
    if isinstance(patch, list):
        return patch
    try:
        return [
            PatchOperation(path=path, value=value, op="remove" if value is None else "set")
            for path, value in patch.items()
            if path
        ]
    except ValidationError as error:
        first = error.errors()[0]
        raise ApiError(
            400, "request.invalid", f"body: a path: {first['msg']}", "see the paths that can be changed"
        ) from None


def _changed(
    kind_name: str, value: Any, segments: list[str], operation: PatchOperation, seen: dict[str, set[str]]
) -> Any:
    if not segments:
        if operation.op == "remove":
            return None
        if operation.op == "add":
            return _added(kind_name, value, operation, seen)
        # A later operation may lead into it, and the whole patch may be applied anew after a lost race.
        return copy.deepcopy(operation.value)
    if value is None:
        if operation.op == "remove":
            return None  # what is not there, nothing is removed from
        value = {}
    if not isinstance(value, dict):
        raise ApiError(
            400,
            f"{kind_name}.patch",
            f"{operation.path!r} leads into a value that is no object",
            "set the value above it as a whole",
        )
    inner = _changed(kind_name, value.get(segments[0]), segments[1:], operation, seen)
    if inner is None and operation.op == "remove":
        value.pop(segments[0], None)
    else:
        value[segments[0]] = inner
    return value


def _added(kind_name: str, value: Any, operation: PatchOperation, seen: dict[str, set[str]]) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise ApiError(
            400,
            f"{kind_name}.patch",
            f"{operation.path!r} is no list that something can be added to",
            "use op 'set'",
        )
    present: list[Any] = value if value is not None else []
    path = operation.path.removeprefix("/")
    if path not in seen:
        seen[path] = set(map(canonical, present))
    text = canonical(operation.value)
    if text not in seen[path]:
        seen[path].add(text)
        present.append(copy.deepcopy(operation.value))
    return present
