"""The operations of an OpenAPI document, as the client has them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.client_code.inputs import Input, inputs, kind_of, style_of
from local.client_code.types import annotation

_METHODS = ("get", "post", "put", "patch", "delete")
_JSON = "application/json"
# Python's own words, and names that the methods use.
_RESERVED = frozenset(
    {"from", "in", "is", "not", "class", "def", "import", "global", "self", "body", "content"}
)


@dataclass(frozen=True)
class Parameter:
    """A parameter: its name on the wire and in Python, where it stands, its type; ``kind`` for a command."""

    wire: str
    name: str
    place: str
    type: str
    required: bool
    description: str
    kind: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Operation:
    """One operation. ``answer`` is the type of its JSON answer; ``streams`` the other types that it has.

    ``style`` says how a command makes its body, and ``fields`` what an object of it takes. ``secret``: the
    answer holds what is shown once.
    """

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
    style: str
    fields: tuple[Input, ...]
    secret: bool

    @property
    def once(self) -> bool:
        """Whether it takes an Idempotency-Key."""
        return any(parameter.wire == "Idempotency-Key" for parameter in self.parameters)


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Every operation, by resource and in the document's order; ValueError where two have one name."""
    items = [
        (path, method, item[method])
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]
    tags = {snake(item["tags"][0]) for _, _, item in items}
    found = [_operation(path, method, item, document, tags) for path, method, item in items]
    seen: set[tuple[str, str]] = set()
    for one in found:
        if (one.tag, one.name) in seen:
            raise ValueError(f"two operations are {one.tag}.{one.name}: give one another operationId")
        seen.add((one.tag, one.name))
    return sorted(found, key=lambda operation: operation.tag)


def place(operation_id: str, tag: str, tags: set[str]) -> tuple[str, str]:
    """The resource and the method of an operation: ``device_history_list`` is device.history_list.

    The longest resource that the id begins with, in the plural or not; else its tag.
    """
    words = snake(operation_id)
    starts = [(one, start) for one in tags for start in (f"{one}_", f"{one}s_") if words.startswith(start)]
    if not starts:
        return tag, words
    resource, start = max(starts, key=lambda pair: len(pair[1]))
    return resource, words.removeprefix(start)


def snake(text: str) -> str:
    """``perPage`` and ``If-Match`` as Python writes them."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)).strip("_").lower()
    return f"{words}_" if words in _RESERVED else words


def _operation(
    path: str, method: str, item: Mapping[str, Any], document: Mapping[str, Any], tags: set[str]
) -> Operation:
    tag, name = place(item["operationId"], snake(item["tags"][0]), tags)
    schemas = document["components"]["schemas"]
    contents: Mapping[str, Any] = (item.get("requestBody") or {}).get("content") or {}
    answers = [answer for status, answer in item["responses"].items() if status.startswith("2")]
    kinds: dict[str, Any] = {}
    for answer in answers:
        kinds |= answer.get("content") or {}
    schema = (kinds.get(_JSON) or {}).get("schema")
    body = (contents.get(_JSON) or {}).get("schema")
    return Operation(
        tag=tag,
        name=name,
        method=method.upper(),
        path=path,
        summary=item["summary"],
        description=item.get("description", ""),
        permission=item.get("x-permission", ""),
        parameters=tuple(_parameters(item, path)),
        body=annotation(body) if body is not None else None,
        body_required=bool((item.get("requestBody") or {}).get("required")),
        body_kinds=tuple(sorted(kind for kind in contents if kind != _JSON)),
        answer=annotation(schema) if schema is not None else None,
        item=_item(schema, document),
        streams=tuple(sorted(kind for kind in kinds if kind != _JSON)),
        style=style_of(body, schemas, method),
        fields=tuple(inputs(body, schemas)),
        secret="shown this once" in str(_resolved(schema, schemas).get("description", "")),
    )


def _resolved(schema: Mapping[str, Any] | None, schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schemas.get(str((schema or {}).get("$ref", "")).rpartition("/")[2], {})
    return found


def _parameters(item: Mapping[str, Any], path: str) -> Iterator[Parameter]:
    asked = item.get("parameters", ())
    in_path = {snake(one["name"]) for one in asked if one["in"] == "path"}
    # What the path says, no query needs to say again.
    given = [one for one in asked if one["in"] == "path" or snake(one["name"]) not in in_path]
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
            *kind_of(one["schema"]),
        )


def _item(schema: Mapping[str, Any] | None, document: Mapping[str, Any]) -> str | None:
    """The type of the items of a page; None for an answer that is no page."""
    name = str((schema or {}).get("$ref", "")).rpartition("/")[2]
    properties = document["components"]["schemas"].get(name, {}).get("properties", {})
    if not {"items", "next", "perPage"} <= set(properties):
        return None
    return annotation(properties["items"]["items"])
