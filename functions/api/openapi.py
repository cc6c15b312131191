"""The OpenAPI 3.1 document of all routes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from functions.api.needs import Need
from shared.model.page import ErrorBody

_UNAUTHORISED = "No valid token was sent"
_DENIED = "The caller lacks the permission, or the token is of another project"


@cache
def document() -> dict[str, Any]:
    """The document; every operation says what it needs in ``x-permission``."""
    from functions.api import groups

    app = groups.whole()
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
    schemas.setdefault("ErrorBody", ErrorBody.model_json_schema(ref_template="#/components/schemas/{model}"))
    made["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for route in routes(app.routes):
        need = need_of(route)
        for method in route.methods or ():
            _complete(made["paths"][route.path_format][method.lower()], need)
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
    operation["x-permission"] = need.permission
    if need.permission == "public":
        operation["security"] = []
        return
    operation["security"] = [{"bearer": []}]
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
    answers.setdefault("401", {"description": _UNAUTHORISED, "content": error})
    answers.setdefault("403", {"description": _DENIED, "content": error})
