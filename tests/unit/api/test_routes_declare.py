"""What every operation declares, also those that come later: its permission, group, description, examples."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
from fastapi import Response

from functions.api import groups
from functions.api.app import make
from functions.api.openapi import document, need_of, routes
from functions.api.roles import catalogue, generated
from functions.api.router import PREFIX, Operation, Router

# The resource as it is spelled elsewhere, then the verb in snake_case.
_OPERATION_ID = re.compile(r"[a-z][A-Za-z]*(_[a-z][a-z0-9]*)+\Z")
_BODYLESS = {"get", "head", "delete"}
ROUTES = list(routes(groups.whole().routes))
OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (path, method, operation)
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
]
every_operation = pytest.mark.parametrize(
    ("path", "method", "operation"), OPERATIONS, ids=[o["operationId"] for _, _, o in OPERATIONS]
)


def check(value: Any, schema: dict[str, Any]) -> None:
    """Hold a value against a schema of the document."""
    whole = schema | {"components": document()["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


@pytest.mark.parametrize("route", ROUTES, ids=[f"{sorted(r.methods or ())} {r.path}" for r in ROUTES])
def test_declares_a_permission_of_the_catalogue(route: Any) -> None:
    need = need_of(route)
    if need.permission in ("public", "signedIn"):
        assert need.reason, "say why that is enough"
        return
    known = catalogue.names()
    for permission in (need.permission, *need.others):
        base = permission.rstrip(":")
        assert base in known or base in generated.BASES, (
            f"{permission} is not in functions/api/roles/catalogue.py"
        )


def test_whoever_is_not_signed_in_reaches_these_operations_alone() -> None:
    """A new one is everybody's: it is entered here once somebody has thought of what that means."""
    found = {
        f"{method} {r.path}"
        for r in ROUTES
        for method in r.methods or ()
        if need_of(r).permission == "public"
    }
    assert found == {
        *("GET /v1/about", "GET /v1/openapi.json", "GET /v1/docs", "GET /v1/docs.js", "GET /v1/docs.css"),
        *("POST /v1/setup", "POST /v1/login", "POST /v1/login/refresh"),
        *("POST /v1/users/forgotPassword", "POST /v1/users/resetPassword"),
        *("POST /v1/callback/twilio", "POST /v1/callback/sendgrid"),
    }


def test_what_the_description_leaves_out_is_for_everybody() -> None:
    """The matrix of callers is made from the description: nothing else may need a permission."""
    described = {(path, method.upper()) for path, method, _ in OPERATIONS}
    for route in ROUTES:
        for method in route.methods or ():
            if (route.path_format, method) not in described:
                assert need_of(route).permission == "public", route.path


def test_what_is_no_operation_is_not_served() -> None:
    router = Router()
    router.add_route("/hole", lambda request: Response("all of it"))
    with pytest.raises(TypeError, match="hole"):
        make([router])


@pytest.mark.parametrize("route", ROUTES, ids=[f"{sorted(r.methods or ())} {r.path}" for r in ROUTES])
def test_is_found_in_the_group_that_its_path_leads_to(route: Any) -> None:
    group = groups.group_of(re.sub(r"\{[^}]*\}", "x", route.path))
    paths = {
        (each.path, method) for each in routes(groups._made(group).routes) for method in each.methods or ()
    }
    for method in route.methods or ():
        assert (route.path, method) in paths, f"groups.WORDS leads {route.path} to {group}"


@pytest.mark.parametrize("group", groups.MODULES)
def test_routes_of_a_group_are_its_modules_own_and_built_once(group: str) -> None:
    strange = [route for route in groups._made(group).routes if not isinstance(route, Operation)]
    assert not strange, "declare them on a functions.api.router.Router; have another one's by take()"


def test_operations_are_named_once_each() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert sorted(names) == sorted(set(names))


@every_operation
def test_is_described(path: str, method: str, operation: dict[str, Any]) -> None:
    assert path.startswith(f"{PREFIX}/")
    assert _OPERATION_ID.match(operation["operationId"])
    assert len(operation["summary"]) <= 80
    assert not operation["summary"].endswith(".")
    assert operation["description"].strip()
    assert operation["x-permission"]
    assert operation["security"] == ([] if operation["x-permission"] == "public" else [{"bearer": []}])
    assert len(operation["tags"]) == 1
    known = {tag["name"] for tag in document()["tags"]}
    assert operation["tags"][0] in known, "describe the tag in functions/api/tags.py"
    for parameter in operation.get("parameters", ()):
        assert parameter["in"] == "path" or parameter.get("description"), parameter["name"]


@every_operation
def test_body_and_answers_have_examples_that_fit(path: str, method: str, operation: dict[str, Any]) -> None:
    body = operation.get("requestBody")
    if body is not None:
        assert method not in _BODYLESS, "clients and proxies drop the body of such a request"
        for kind, content in body["content"].items():
            examples = [content["example"]] if "example" in content else _values(content)
            assert examples, f"{kind}: give the body an example"
            if kind == "application/json":
                for example in examples:
                    check(example, content["schema"])
    succeeding = {status: answer for status, answer in operation["responses"].items() if status < "400"}
    assert succeeding
    for answer in succeeding.values():
        content = answer.get("content", {}).get("application/json")
        if content is not None:
            for example in [content["example"]] if "example" in content else _values(content):
                check(example, content["schema"])


@every_operation
def test_refusals_are_declared_in_the_one_shape(path: str, method: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    expected = {"400", "413", "429", "503"} | (set() if operation["security"] == [] else {"401", "403"})
    assert expected <= set(answers)
    for status, answer in answers.items():
        if status >= "400":
            (schema,) = (content["schema"] for content in answer["content"].values())
            named = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            # A refusal may say more, and never less.
            assert set(named["required"]) >= {"status", "error", "message", "description"}, status
            assert list(answer["content"]) == ["application/json"], status


def test_schemas_have_plain_names() -> None:
    assert [name for name in document()["components"]["schemas"] if not name.isalnum()] == []


def _values(content: dict[str, Any]) -> list[Any]:
    return [example["value"] for example in content.get("examples", {}).values()]
