"""How the client is made of an OpenAPI document."""

from __future__ import annotations

from typing import Any

import pytest

from local.client_code.inputs import kind_of, style_of
from local.client_code.operations import operations, place

TAGS = {"device", "device_token", "system", "history", "user", "password"}


@pytest.mark.parametrize(
    ("operation_id", "tag", "found"),
    [
        ("device_get", "device", ("device", "get")),
        ("device_history_list", "history", ("device", "history_list")),
        ("device_token_list", "device_token", ("device_token", "list")),
        ("deviceToken_list", "device_token", ("device_token", "list")),
        ("users_forgot_password", "password", ("user", "forgot_password")),
        ("setup_create", "user", ("user", "setup_create")),
    ],
)
def test_an_operation_belongs_to_what_its_id_names(
    operation_id: str, tag: str, found: tuple[str, str]
) -> None:
    assert place(operation_id, tag, TAGS) == found


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        ({"type": "string"}, ("string", ())),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, ("integer", ())),
        ({"enum": ["a", "b"], "type": "string"}, ("string", ("a", "b"))),
        ({"type": "array", "items": {"type": "string"}}, ("strings", ())),
        ({"type": "array", "items": {"type": "integer"}}, ("json", ())),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, ("json", ())),
        ({"type": "string", "format": "password"}, ("secret", ())),
        ({"type": "object"}, ("json", ())),
        ({}, ("json", ())),
    ],
)
def test_kinds_of_values(schema: dict[str, Any], found: tuple[str, tuple[str, ...]]) -> None:
    assert kind_of(schema) == found


def test_styles_of_bodies() -> None:
    change = {"type": "object", "properties": {"path": {}, "value": {}, "op": {}}}
    schemas = {"Change": change, "Values": {"type": "object", "properties": {"keyValue": {"type": "object"}}}}
    many = {"type": "array", "items": {"$ref": "#/components/schemas/Change"}}
    assert style_of(None, schemas, "post") == "none"
    assert style_of({"anyOf": [many, {"type": "object"}]}, schemas, "patch") == "patch"
    assert style_of({"anyOf": [{"$ref": "#/components/schemas/Values"}, many]}, schemas, "post") == "keyValue"
    assert style_of({"type": "object"}, schemas, "post") == "object"
    assert style_of({}, schemas, "put") == "any"


def document(*operation_ids: str) -> dict[str, Any]:
    def operation(operation_id: str) -> dict[str, Any]:
        parameters = [
            {"name": "project_id", "in": "path", "required": True, "schema": {"type": "string"}},
            {"name": "projectId", "in": "query", "schema": {"type": "string"}},
        ]
        return {
            "operationId": operation_id,
            "tags": ["device"],
            "summary": "One.",
            "parameters": parameters,
            "responses": {"200": {"content": {"application/json": {"schema": {"type": "object"}}}}},
        }

    paths = {f"/v1/project/{{project_id}}/{n}": {"get": operation(o)} for n, o in enumerate(operation_ids)}
    return {"paths": paths, "components": {"schemas": {}}}


def test_a_query_does_not_repeat_what_the_path_says() -> None:
    (made,) = operations(document("device_list"))
    assert [parameter.place for parameter in made.parameters] == ["path"]


def test_two_operations_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"device\.list"):
        operations(document("device_list", "devices_list"))
