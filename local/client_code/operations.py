"""The operations of an OpenAPI document, as the client has them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.client_code.types import annotation

_METHODS = ("get", "post", "put", "patch", "delete")
_JSON = "application/json"
# Python's own words, and names that the methods use.
_RESERVED = frozenset(
    {"from", "in", "is", "not", "class", "def", "import", "global", "self", "body", "content"}
)


@dataclass(frozen=True)
class Parameter:
    """A parameter: its name on the wire and in Python, where it stands, its type."""

    wire: str
    name: str
    place: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True)
class Operation:
    """One operation. ``answer`` is the type of its JSON answer; ``streams`` the other types that it has."""

    tag: str
    name: str
    method: str
    path: str
    summary: str
    description: str
    permission: str
    parameters: tuple[Parameter, ...]
    body: str | None
    body_required: bool
    body_kinds: tuple[str, ...]
    answer: str | None
    item: str | None
    streams: tuple[str, ...]

    @property
    def once(self) -> bool:
        """Whether it takes an Idempotency-Key."""
        return any(parameter.wire == "Idempotency-Key" for parameter in self.parameters)


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Every operation, by tag and in the document's order."""
    found = [
        _operation(path, method, item[method], document)
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]
    return sorted(found, key=lambda operation: operation.tag)


def snake(text: str) -> str:
    """``perPage`` and ``If-Match`` as Python writes them."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)).strip("_").lower()
    return f"{words}_" if words in _RESERVED else words


def _operation(path: str, method: str, item: Mapping[str, Any], document: Mapping[str, Any]) -> Operation:
    tag = snake(item["tags"][0])
    contents: Mapping[str, Any] = (item.get("requestBody") or {}).get("content") or {}
    answers = [answer for status, answer in item["responses"].items() if status.startswith("2")]
    kinds: dict[str, Any] = {}
    for answer in answers:
        kinds |= answer.get("content") or {}
    schema = (kinds.get(_JSON) or {}).get("schema")
    return Operation(
        tag=tag,
        name=item["operationId"].removeprefix(f"{tag}_"),
        method=method.upper(),
        path=path,
        summary=item["summary"],
        description=item.get("description", ""),
        permission=item.get("x-permission", ""),
        parameters=tuple(_parameters(item, path)),
        body=annotation(contents[_JSON]["schema"]) if _JSON in contents else None,
        body_required=bool((item.get("requestBody") or {}).get("required")),
        body_kinds=tuple(sorted(kind for kind in contents if kind != _JSON)),
        answer=annotation(schema) if schema is not None else None,
        item=_item(schema, document),
        streams=tuple(sorted(kind for kind in kinds if kind != _JSON)),
    )


def _parameters(item: Mapping[str, Any], path: str) -> Iterator[Parameter]:
    given = item.get("parameters", ())
    for one in sorted(given, key=lambda p: path.find(f"{{{p['name']}}}") if p["in"] == "path" else 10_000):
        if one["in"] not in ("path", "query", "header"):
            continue
        yield Parameter(
            one["name"],
            snake(one["name"]),
            one["in"],
            annotation(one["schema"]),
            bool(one.get("required")),
            one.get("description", ""),
        )


def _item(schema: Mapping[str, Any] | None, document: Mapping[str, Any]) -> str | None:
    """The type of the items of a page; None for an answer that is no page."""
    name = str((schema or {}).get("$ref", "")).rpartition("/")[2]
    properties = document["components"]["schemas"].get(name, {}).get("properties", {})
    if not {"items", "next", "perPage"} <= set(properties):
        return None
    return annotation(properties["items"]["items"])
