"""The OpenAPI 3.1 document of all routes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic.warnings import UnsupportedFieldAttributeWarning

from functions.api.examples import example_of
from functions.api.needs import Need
from functions.api.tags import TAGS
from shared.model.page import ErrorBody

_UNAUTHORISED = "No valid token was sent"
_DENIED = "The caller lacks the permission, or the token is of another project"
# What any operation may answer beside its own; 401 and 403 are declared by what it needs.
_COMMON = {
    "400": "The request is not well formed; the message names the place",
    "413": "The body is too large",
    "429": "Too many requests; Retry-After says when to come again",
    "503": "A store did not answer; send the same request again",
}
_JSON = "application/json"
_REF = "#/components/schemas/"
# How the framework calls a generic answer: Page_Role_ is a page of roles.
_GENERIC = re.compile(r"([A-Za-z0-9]+)_([A-Za-z0-9]+)_\Z")


@cache
def document() -> dict[str, Any]:
    """The document; every operation says what it needs in ``x-permission``."""
    from functions.api import groups

    app = groups.whole()
    with warnings.catch_warnings():
        # Models are built when they are first used; of one that is a whole body, pydantic then says that the
        # body's name has no effect on it, which is so.
        warnings.simplefilter("ignore", UnsupportedFieldAttributeWarning)
        made = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            openapi_version="3.1.0",
            separate_input_output_schemas=False,
        )
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas.setdefault("ErrorBody", ErrorBody.model_json_schema(ref_template=_REF + "{model}"))
    made = _named(made)
    made["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    used = set()
    for route in routes(app.routes):
        need = need_of(route)
        if not (isinstance(route.original_route, APIRoute) and route.original_route.include_in_schema):
            continue  # a page, which is for people
        for method in route.methods or ():
            operation = made["paths"][route.path_format][method.lower()]
            _complete(operation, need)
            _illustrate(operation, made["components"]["schemas"])
            used |= set(operation.get("tags", ()))
    made["tags"] = [{"name": name, "description": text} for name, text in TAGS.items() if name in used]
    return made


def routes(found: Any) -> Iterator[RouteContext]:
    """The operations among an application's routes, each with its whole path."""
    return (c for c in iter_route_contexts(found) if isinstance(c.original_route, APIRoute))


def need_of(route: RouteContext) -> Need:
    """What a route declares that it needs; TypeError for one that declares nothing."""
    for dependency in route.dependant.dependencies:
        if isinstance(dependency.call, Need):
            return dependency.call
    raise TypeError(f"{route.path} declares no permission: annotate its call with needs(...)")


def _complete(operation: dict[str, Any], need: Need) -> None:
    answers = operation["responses"]
    # The API answers 400 where the framework would answer 422.
    if "HTTPValidationError" in str(answers.get("422")):
        del answers["422"]
    error = {_JSON: {"schema": {"$ref": f"{_REF}ErrorBody"}}}
    for status, description in _COMMON.items():
        answers.setdefault(status, {"description": description, "content": error})
    for status, answer in answers.items():
        # Errors are JSON, also those of an operation that answers a stream.
        if status >= "400" and _JSON not in answer.get("content", {}):
            answer["content"] = error
        elif answer["description"] == "Successful Response":
            answer["description"] = "Done" if status != "201" else "Created"
    operation["x-permission"] = need.permission
    if need.reason:
        operation["x-permission-reason"] = need.reason
    if need.permission == "public":
        operation["security"] = []
        return
    operation["security"] = [{"bearer": []}]
    answers.setdefault("401", {"description": _UNAUTHORISED, "content": error})
    answers.setdefault("403", {"description": _DENIED, "content": error})


def _illustrate(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Give the body, and every answer that is not an error, an example where none is written by hand."""
    contents = [operation.get("requestBody", {}).get("content", {})]
    contents += [
        answer.get("content", {}) for status, answer in operation["responses"].items() if status < "400"
    ]
    for content in contents:
        found = content.get(_JSON)
        if found is not None and "example" not in found and "examples" not in found:
            found["example"] = example_of(found.get("schema", {}), schemas)


def _named(made: dict[str, Any]) -> dict[str, Any]:
    """The document with plain names of its schemas: RolePage for Page_Role_."""
    schemas = made["components"]["schemas"]
    plain = {name: "".join(reversed(match.groups())) for name in schemas if (match := _GENERIC.match(name))}

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: _REF + plain.get(inner.removeprefix(_REF), inner.removeprefix(_REF))
                if key == "$ref" and isinstance(inner, str) and inner.startswith(_REF)
                else renamed(inner)
                for key, inner in value.items()
            }
        return [renamed(inner) for inner in value] if isinstance(value, list) else value

    whole: dict[str, Any] = renamed(made)
    whole["components"]["schemas"] = {
        plain.get(name, name): schema for name, schema in whole["components"]["schemas"].items()
    }
    return whole
