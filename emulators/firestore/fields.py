"""Field paths (``a.b.`odd name```), and what stands at them in a document."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from emulators.firestore.errors import invalid

Path = tuple[str, ...]

NAME: Path = ("__name__",)
_SEGMENT = re.compile(r"[a-zA-Z_][a-zA-Z_0-9]*|`(?:[^`\\]|\\.)+`", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@lru_cache(maxsize=50_000)
def parse(text: str) -> Path:
    """Split a field path into names; raises INVALID_ARGUMENT as the service words it."""
    if not text:
        raise invalid("Invalid empty property path string.")
    out: list[str] = []
    at = 0
    while True:
        found = _SEGMENT.match(text, at)
        if found is None or (found.end() < len(text) and text[found.end()] != "."):
            raise invalid(
                f'Invalid property path "{text}". Unquoted property paths must match regex '
                "([a-zA-Z_][a-zA-Z_0-9]*), and quoted property paths must match regex "
                r"(`(?:[^`\\]|(?:\\.))+`)"
            )
        segment = found[0]
        out.append(_ESCAPE.sub(r"\1", segment[1:-1]) if segment[0] == "`" else segment)
        if found.end() == len(text):
            break
        at = found.end() + 1
    path = tuple(out)
    if path != NAME:
        for name in path:
            if len(name) > 4 and name.startswith("__") and name.endswith("__"):
                raise invalid(f"Invalid reserved name in field path {name}")
    return path


def text(path: Path) -> str:
    """A path as the service writes it."""
    return ".".join(
        name if _SEGMENT.fullmatch(name) and name[0] != "`" else "`" + name.replace("`", "\\`") + "`"
        for name in path
    )


def get(fields: Any, path: Path) -> Any:
    """The value at a path of a map of fields; None where there is none."""
    value = fields.get(path[0])
    for name in path[1:]:
        if value is None or not value.HasField("map_value"):
            return None
        value = value.map_value.fields.get(name)
    return value


def put(fields: Any, path: Path, value: Any) -> None:
    """Set the value at a path; whatever stands in its way becomes a map."""
    for name in path[:-1]:
        inner = fields[name]
        if not inner.HasField("map_value"):
            inner.map_value.SetInParent()
        fields = inner.map_value.fields
    fields[path[-1]].CopyFrom(value)


def remove(fields: Any, path: Path) -> None:
    """Remove the value at a path, if there is one."""
    for name in path[:-1]:
        inner = fields.get(name)
        if inner is None or not inner.HasField("map_value"):
            return
        fields = inner.map_value.fields
    fields.pop(path[-1], None)


def project(source: Any, paths: list[Path], target: Any) -> None:
    """Copy into ``target`` what a mask leaves of ``source`` (both maps of fields)."""
    for path in paths:
        value = get(source, path)
        if value is not None:
            put(target, path, value)
