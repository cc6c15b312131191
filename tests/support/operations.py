"""Requests of every operation that the API's own description lists, with its examples as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from functions.api.examples import example_of
from functions.api.openapi import document


class Operation(NamedTuple):
    """One operation: its path with placeholders, and its description."""

    path: str
    method: str
    described: dict[str, Any]

    @property
    def id(self) -> str:
        """Its name."""
        return str(self.described["operationId"])

    @property
    def permission(self) -> str:
        """What it needs; ``public`` or ``signedIn`` where that is no permission."""
        return str(self.described["x-permission"])

    def request(self, project_id: str, ids: Mapping[str, str]) -> dict[str, Any]:
        """The arguments of an HTTP client's ``request``; ``ids``: the values of placeholders by their names.

        Every request names the project, in its path or its query.
        """
        path, query, headers = self.path, {"projectId": project_id}, {}
        schemas = document()["components"]["schemas"]
        for parameter in self.described.get("parameters", ()):
            name = parameter["name"]
            if parameter["in"] == "path":
                value = project_id if name == "project_id" else ids.get(name, "x1")
                path = path.replace(f"{{{name}}}", value)
            elif parameter.get("required") and parameter["in"] == "query":
                query[name] = example_of(parameter.get("schema", {}) | _own(parameter), schemas)
            elif parameter.get("required") and parameter["in"] == "header":
                headers[name] = str(example_of(parameter.get("schema", {}) | _own(parameter), schemas))
        made: dict[str, Any] = {"method": self.method.upper(), "url": path, "params": query}
        for kind, content in self.described.get("requestBody", {}).get("content", {}).items():
            body = content.get("example")
            if kind == "application/json":
                made["json"] = body
            else:
                made["content"] = str(body)
                headers["Content-Type"] = kind
            break
        return made | {"headers": headers}


def operations() -> Iterator[Operation]:
    """Every operation of the API, in the order of its description."""
    for path, methods in document()["paths"].items():
        for method, described in methods.items():
            yield Operation(path, method, described)


def _own(parameter: dict[str, Any]) -> dict[str, Any]:
    return {
        key: parameter[key] for key in ("example", "examples") if isinstance(parameter.get(key), list | str)
    }
