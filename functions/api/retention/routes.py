"""Operations on how long a project keeps what.

No postponed annotations here: the framework reads the handlers' annotations.
"""

from typing import Annotated

from fastapi import Path, Query

from functions.api.needs import Call, needs
from functions.api.resources.answers import GONE, problem
from functions.api.retention import preview, status
from functions.api.router import Router
from shared import clock
from shared.model.base import EpochMs
from shared.model.retention import CurationStarted, RetentionPreview, RetentionStatus

router = Router("retention")
ProjectId = Annotated[str, Path(max_length=200, description="The id of the project")]
At = Annotated[
    EpochMs | None,
    Query(description="The instant of the curation, epoch ms; the next night's without it"),
]


@router.get(
    "/project/{project_id}/retention",
    operation_id="retention_get",
    summary="For how long a project keeps what",
    description="The settings of the project and of its blueprints, and its last curations with what each "
    "of them let go. The settings are changed with the project and the blueprint themselves.",
    responses=GONE,
)
async def get(project_id: ProjectId, call: Annotated[Call, needs("project.read")]) -> RetentionStatus:
    return await status.status(call)


@router.get(
    "/project/{project_id}/retention/preview",
    operation_id="retention_preview",
    summary="What a curation would let go",
    description="Of the history exactly, day by day with sizes, as long as nothing more comes in and the "
    "settings stay; of documents what is old enough now. Nothing is changed.",
    responses={**GONE, 400: problem("Counting would read more than one query may")},
)
async def preview_(
    project_id: ProjectId, call: Annotated[Call, needs("project.read")], at: At = None
) -> RetentionPreview:
    await call.scope.must_exist()
    return await preview.preview(call, preview.next_curation(clock.now_ms()) if at is None else at)


@router.post(
    "/project/{project_id}/retention/curate",
    status_code=202,
    operation_id="retention_curate",
    summary="Let go now what is no longer kept",
    description="Does now what the night's curation would do. What it comes to stands in the project's "
    "retention. What goes does not come back.",
    responses=GONE,
)
async def curate(project_id: ProjectId, call: Annotated[Call, needs("project.update")]) -> CurationStarted:
    return await status.curate(call)
