"""The operations on ``job``, as the command needs them.

Made from the API's OpenAPI document by ``python -m local.client_code``: change the API instead.
"""

from __future__ import annotations

from fulcrum.client.operation import Operation, Parameter

OPERATIONS = (
    Operation(
        "job",
        "get",
        "GET",
        "/v1/job/{job_id}",
        summary="Read a job",
        description="How far a job is. One that nothing has touched for a minute is started again.",
        permission="job.read",
        parameters=(Parameter("job_id", "path", "string", True, "The id of the job", ()),),
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
        "job",
        "list",
        "GET",
        "/v1/project/{project_id}/jobs",
        summary="List the jobs of a project",
        description="A page of the project's jobs, the latest first. Finished ones are kept for 30 days.",
        permission="job.list",
        parameters=(
            Parameter("project_id", "path", "string", True, "The id of the project", ()),
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
