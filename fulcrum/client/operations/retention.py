"""The operations on ``retention``, as the command needs them.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from fulcrum.client.operation import Operation, Parameter

OPERATIONS = (
    Operation(
        "retention",
        "get",
        "GET",
        "/v1/project/{project_id}/retention",
        summary="For how long a project keeps what",
        description="The settings of the project and of its blueprints, and its last curations with what each of them let go. The settings are changed with the project and the blueprint themselves.",
        permission="project.read",
        parameters=(Parameter("project_id", "path", "string", True, "The id of the project", ()),),
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
        "retention",
        "preview",
        "GET",
        "/v1/project/{project_id}/retention/preview",
        summary="What a curation would let go",
        description="Of the history exactly, day by day with sizes, as long as nothing more comes in and the settings stay; of documents what is old enough now. Nothing is changed.",
        permission="project.read",
        parameters=(
            Parameter("project_id", "path", "string", True, "The id of the project", ()),
            Parameter(
                "at",
                "query",
                "integer",
                False,
                "The instant of the curation, epoch ms; the next night's without it",
                (),
            ),
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
        "retention",
        "curate",
        "POST",
        "/v1/project/{project_id}/retention/curate",
        summary="Let go now what is no longer kept",
        description="Does now what the night's curation would do. What it comes to stands in the project's retention. What goes does not come back.",
        permission="project.update",
        parameters=(Parameter("project_id", "path", "string", True, "The id of the project", ()),),
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
