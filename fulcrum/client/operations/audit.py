"""The operations on ``audit``, as the command needs them.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from fulcrum.client.operation import Operation, Parameter

OPERATIONS = (
    Operation(
        "audit",
        "list",
        "GET",
        "/v1/project/{project_id}/audit",
        summary="List who changed what",
        description="A page of the project's audit, the latest first. Values of secrets are never in it; long values are cut.",
        permission="audit.list",
        parameters=(
            Parameter("project_id", "path", "string", True, "", ()),
            Parameter("kind", "query", "string", False, "Only of this kind, such as blueprint", ()),
            Parameter("resourceId", "query", "string", False, "Only of this resource", ()),
            Parameter("actor", "query", "string", False, "Only by the user or API key with this id", ()),
            Parameter("since", "query", "integer", False, "Not before, epoch ms", ()),
            Parameter("until", "query", "integer", False, "Before, epoch ms", ()),
            Parameter("perPage", "query", "integer", False, "How many items a page has at most", ()),
            Parameter(
                "cursor",
                "query",
                "string",
                False,
                "The 'next' of the page before; leave out for the first",
                (),
            ),
            Parameter("total", "query", "boolean", False, "Say how many there are in all", ()),
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
)
