"""What a command needs to know of a schema: how a value is written on a command line. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SCALARS = ("string", "integer", "number", "boolean")


@dataclass(frozen=True)
class Input:
    """A field of a body. ``kind``: string, integer, number, boolean, strings (a list), secret, or json."""

    wire: str
    kind: str
    choices: tuple[str, ...]
    required: bool
    description: str


def kind_of(schema: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The kind of a value, and the texts that alone may be given."""
    options = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if options:
        kinds = {kind_of(one) for one in options}
        return kinds.pop() if len(kinds) == 1 else ("json", ())
    if len(schema.get("allOf", ())) == 1:
        return kind_of(schema["allOf"][0])
    choices = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    if choices and all(isinstance(choice, str) for choice in choices):
        return "string", tuple(choices)
    kind = schema.get("type")
    if schema.get("format") == "password":
        return "secret", ()
    if kind == "array" and (schema.get("items") or {}).get("type") == "string":
        return "strings", tuple((schema.get("items") or {}).get("enum", ()))
    return (str(kind), ()) if kind in _SCALARS else ("json", ())


def inputs(schema: Mapping[str, Any] | None, schemas: Mapping[str, Any]) -> Iterator[Input]:
    """The fields of a body that is one object; nothing for any other."""
    found = _resolved(schema or {}, schemas)
    required = set(found.get("required", ()))
    for wire, inner in (found.get("properties") or {}).items():
        whole = _resolved(inner, schemas) if "$ref" in inner else inner
        kind, choices = kind_of(whole)
        yield Input(wire, kind, choices, wire in required, str(whole.get("description", "")))


def style_of(schema: Mapping[str, Any] | None, schemas: Mapping[str, Any], method: str) -> str:
    """How a body is made of ``path=value``: none, object, patch (a list of changes), keyValue, or any."""
    if schema is None:
        return "none"
    options = [_resolved(one, schemas) for one in (schema.get("anyOf") or [schema])]
    if any("keyValue" in (one.get("properties") or {}) for one in options):
        return "keyValue"
    elements = [_resolved(one.get("items") or {}, schemas) for one in options]
    if method == "patch" and any({"path", "op"} <= set(one.get("properties") or {}) for one in elements):
        return "patch"
    return "object" if any(one.get("type") == "object" for one in options) else "any"


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema that is named, or the only one of several that is not null."""
    options = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(options) == 1:
        return _resolved(options[0], schemas)
    if "$ref" in schema:
        found: Mapping[str, Any] = schemas.get(schema["$ref"].rpartition("/")[2], {})
        return found
    return schema
