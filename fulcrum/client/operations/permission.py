"""The operations on ``permission``, as the command needs them.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from fulcrum.client.operation import Field, Operation, Parameter

OPERATIONS = (
    Operation(
        "permission",
        "list",
        "GET",
        "/v1/project/{project_id}/permission",
        summary="List the permissions of a project",
        description="All permissions that a role of the project can hold: the general ones, and those generated for its blueprints ('create X') and relationships ('create X in Y').",
        permission="role.list",
        parameters=(
            Parameter("project_id", "path", "string", True, "", ()),
            Parameter(
                "category",
                "query",
                "string",
                False,
                "Only those of this category",
                ("custom", "project", "imagine"),
            ),
            Parameter("module", "query", "string", False, "Only those of this module", ()),
        ),
        body="none",
        body_required=False,
        fields=(),
        body_kinds=(),
        paged=False,
        streams=(),
        answers_json=True,
        secret=False,
        once=False,
    ),
    Operation(
        "permission",
        "modules",
        "GET",
        "/v1/project/{project_id}/module",
        summary="List the modules of permissions",
        description="The kinds of things that permissions are about, each with its verbs. Older than the list of permissions, and without the generated ones.",
        permission="signedIn",
        parameters=(Parameter("project_id", "path", "string", True, "", ()),),
        body="none",
        body_required=False,
        fields=(),
        body_kinds=(),
        paged=False,
        streams=(),
        answers_json=True,
        secret=False,
        once=False,
    ),
    Operation(
        "permission",
        "can",
        "POST",
        "/v1/can",
        summary="Ask whether something is allowed",
        description="Whether the caller, or the user who is named, may do something. Of several permissions one is enough, and of several resources too; a condition joins permissions by and / or. Asking about somebody else needs user.read.",
        permission="signedIn",
        parameters=(),
        body="object",
        body_required=True,
        fields=(
            Field("user", "string", False, "The caller himself if left out", ()),
            Field("permission", "string", False, "", ()),
            Field("permissions", "strings", False, "One of them is enough", ()),
            Field("condition", "json", False, "", ()),
            Field("resource", "json", False, "The project if left out", ()),
            Field("resources", "json", False, "Any one of them is enough", ()),
        ),
        body_kinds=(),
        paged=False,
        streams=(),
        answers_json=True,
        secret=False,
        once=False,
    ),
)
