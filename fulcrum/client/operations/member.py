"""The operations on ``member``, as the command needs them.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from fulcrum.client.operation import Field, Operation, Parameter

OPERATIONS = (
    Operation(
        "member",
        "list",
        "GET",
        "/v1/project/{project_id}/members",
        summary="List the members of a project",
        description="A page of the users of the platform who are members of the project, with the roles that they have on the project itself.",
        permission="user.list",
        parameters=(
            Parameter("project_id", "path", "string", True, "", ()),
            Parameter("perPage", "query", "integer", False, "How many items a page has at most", ()),
            Parameter(
                "cursor",
                "query",
                "string",
                False,
                "The 'next' of the page before; leave out for the first",
                (),
            ),
        ),
        body="none",
        body_required=False,
        fields=(),
        body_kinds=(),
        paged=True,
        streams=(),
        answers_json=True,
        secret=False,
        once=False,
    ),
    Operation(
        "member",
        "add",
        "POST",
        "/v1/project/{project_id}/members",
        summary="Add a member to a project",
        description="A user of the platform, named by id or user name, gets roles on the project. Needs user.assignRoles, and every permission of those roles.",
        permission="user.assignRoles",
        parameters=(Parameter("project_id", "path", "string", True, "", ()),),
        body="object",
        body_required=True,
        fields=(
            Field("roles", "strings", True, "Roles by id or name", ()),
            Field("metadata", "json", False, "", ()),
            Field("userId", "string", False, "", ()),
            Field("username", "string", False, "", ()),
        ),
        body_kinds=(),
        paged=False,
        streams=(),
        answers_json=True,
        secret=False,
        once=False,
    ),
    Operation(
        "member",
        "remove",
        "DELETE",
        "/v1/project/{project_id}/members/{user_id}",
        summary="Remove a member from a project",
        description="The user is no longer a member, and loses every role that he has anywhere in the project.",
        permission="user.assignRoles",
        parameters=(
            Parameter("project_id", "path", "string", True, "", ()),
            Parameter("user_id", "path", "string", True, "The id of the user", ()),
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
)
