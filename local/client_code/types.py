"""Schemas of an OpenAPI document as Python's typed dictionaries. Pure."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def name_of(reference: str) -> str:
    """The class of a schema: ``#/components/schemas/Page_Device_`` is PageDevice."""
    words = re.split(r"[^A-Za-z0-9]+", reference.rpartition("/")[2])
    return "".join(word[:1].upper() + word[1:] for word in words)


def annotation(schema: Mapping[str, Any], prefix: str = "types.") -> str:
    """The type of a schema; ``prefix`` stands before the names of classes."""
    if "$ref" in schema:
        return prefix + name_of(schema["$ref"])
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if "enum" in schema:
        return f"Literal[{', '.join(repr(value) for value in schema['enum'])}]"
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " | ".join(dict.fromkeys(annotation(one, prefix) for one in schema[word]))
    if len(schema.get("allOf", ())) == 1:
        return annotation(schema["allOf"][0], prefix)
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(dict.fromkeys(annotation({**schema, "type": one}, prefix) for one in kind))
    if kind == "array":
        # Beside the resources' own method ``list``, the type needs its whole name.
        word = "builtins.list" if prefix else "list"
        return f"{word}[{annotation(schema.get('items') or {}, prefix)}]"
    if kind == "object":
        inner = schema.get("additionalProperties")
        return f"dict[str, {annotation(inner, prefix) if isinstance(inner, dict) else 'Any'}]"
    return _SCALARS.get(str(kind), "Any")


def classes(schemas: Mapping[str, Any]) -> Iterator[str]:
    """The source of every class, in the order of their names."""
    for name, schema in sorted(schemas.items(), key=lambda pair: name_of(pair[0])):
        yield _class(name_of(name), schema)


def _class(name: str, schema: Mapping[str, Any]) -> str:
    properties: Mapping[str, Any] = schema.get("properties") or {}
    if not properties:
        return f"{name}: TypeAlias = {_quoted(annotation(schema, ''))}\n"
    required = set(schema.get("required", ()))
    fields = {}
    for key, inner in properties.items():
        kind = annotation(inner, "")
        # What is not there is left out of an answer, and so null never comes.
        kind = " | ".join(part for part in kind.split(" | ") if part != "None") or "None"
        fields[key] = kind if key in required else f"NotRequired[{kind}]"
    doc = _summary(schema)
    if all(key.isidentifier() and not keyword.iskeyword(key) for key in fields):
        body = "".join(f"    {key}: {kind}\n" for key, kind in fields.items())
        return f'class {name}(TypedDict):\n    """{doc}"""\n\n{body}'
    pairs = "".join(f"        {key!r}: {_quoted(kind)},\n" for key, kind in fields.items())
    return f'{name} = TypedDict(\n    "{name}",\n    {{\n{pairs}    }},\n)\n'


def _quoted(kind: str) -> str:
    return '"' + kind.replace('"', "'") + '"'


def _summary(schema: Mapping[str, Any]) -> str:
    text = str(schema.get("description") or schema.get("title") or "").split("\n")[0].strip()
    return text.replace('"""', "'''").replace("\\", "\\\\") or "An object of the API."
