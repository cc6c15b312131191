"""Examples of bodies and answers, made from their schemas where none is written by hand. Pure.

A schema's own ``examples`` win, then its constant, its choices and its default; what is optional and says
nothing of itself is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MAX_DEPTH = 8
_REF = "#/components/schemas/"
_OF_FORMAT = {
    "date-time": "2026-11-24T12:00:00Z",
    "uri": "https://example.com/",
    "email": "ada@example.com",
    "password": "four-brown-tall-mugs",
}


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int = 0) -> Any:
    """A value that a JSON schema describes; ``schemas`` are those that it may refer to by name."""
    for key in ("example", "const"):
        if key in schema:
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].removeprefix(_REF)], schemas, depth + 1)
    if schema.get("default") is not None:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        choices = [choice for choice in schema.get(key, ()) if choice.get("type") != "null"]
        if choices:
            return example_of(choices[0], schemas, depth)
    if "allOf" in schema:
        return example_of(schema["allOf"][0], schemas, depth)
    return _of_type(schema, schemas, depth)


def _of_type(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int) -> Any:
    match schema.get("type"):
        case "object":
            return _object(schema, schemas, depth)
        case "array":
            return _array(schema, schemas, depth)
        case "string":
            text = _OF_FORMAT.get(schema.get("format", ""), "text")
            return text.ljust(schema.get("minLength", 0), "t")[: schema.get("maxLength", 1000)]
        case "integer" | "number":
            least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
            return min(max(1, least), schema.get("maximum", least + 1))
        case "boolean":
            return True
        case "null":
            return None
    return {}


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int) -> dict[str, Any]:
    required = set(schema.get("required", ()))
    made: dict[str, Any] = {}
    for name, inner in schema.get("properties", {}).items():
        if name in required or (depth < _MAX_DEPTH and _says_something(inner, schemas)):
            made[name] = example_of(inner, schemas, depth + 1)
    return made


def _array(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int) -> list[Any]:
    if "prefixItems" in schema:
        return [example_of(inner, schemas, depth + 1) for inner in schema["prefixItems"]]
    if depth >= _MAX_DEPTH and not schema.get("minItems"):
        return []
    items = schema.get("items", {})
    return [example_of(items, schemas, depth + 1)] * max(1, schema.get("minItems", 1))


def _says_something(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> bool:
    """Whether an optional property is worth showing: it has an example, a choice or a default of its own."""
    if any(schema.get(key) for key in ("example", "examples", "const", "enum", "default")):
        return True
    if "$ref" in schema:
        return _says_something(schemas[schema["$ref"].removeprefix(_REF)], schemas)
    return any(
        _says_something(choice, schemas)
        for key in ("anyOf", "oneOf", "allOf")
        for choice in schema.get(key, ())
    )
